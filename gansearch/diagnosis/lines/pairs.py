"""Names and numbers of printed lines: what a line calls each of its numbers, learned once for lines of one layout."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest

from gansearch.diagnosis.numbers.fragments import begins
from gansearch.diagnosis.numbers.names import TOTAL, counter, meaning, words

DIGITS = r"[-+]?(?:[1-9]\d{0,2}(?:,\d{3})+(?![\d])|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?|[-+]?\.\d+(?:[eE][-+]?\d+)?"
WORDS = r"[-+]?(?:[nN][aA][nN]|[iI]nf(?:inity)?|INF)|N/A|n/a|None|null|NULL"
NUMBER = re.compile(rf"(?<![A-Za-z0-9_.)])((?:{DIGITS})(?!_)|(?:{WORDS})(?![A-Za-z_]))", re.ASCII)
WRAPPERS = re.compile(r"(?:(?:[\w.]*(?:[tT]ensor|array|float\d*|Variable|scalar|DeviceArray)\()|[\[({\"'\s])*$")
SEPARATOR = re.compile(r"[\"']?\s*(?::|=+|->|=>|→|~|\bis)?\s*$")
UNIT = re.compile(r"^(?:%|(?:ms|us|s|it|m|h|k|M|G|GB|MB|sec|img)(?:/(?:step|s|it|sec|img|epoch|batch))?\b)?[%)\]}\s…]*")
DELIMITER = re.compile(r"[,|;\[\]{}\"'<>]|\s-+\s|\s{3,}|--+|:\s|=\s?|^\s*[-*>#]+\s")
BAR = re.compile(r"[━═█▏▎▍▌▋▊▉]|\[=*[>.]|\[=+\]|\d(?:ms|s|us)/(?:step|epoch)\b|(?:it/s|s/it)\b|^\s*\d+/\d+ - \d+s\b")
HELD_OUT = re.compile(r"[\W_]*(?:val|valid|validation|test|eval|evaluation)\b", re.IGNORECASE)
"""A line about held-out samples."""
TQDM = re.compile(r"\|\s*(\d+)/(\d+)\s*\[\d+:\d+")
LEAD = re.compile(r"^[\s\[(>#*|]*$")
LEVEL = re.compile(r"^(?:DEBUG|INFO|WARNING|ERROR)(?::[\w.]+)?:")
SOURCE_FILE = re.compile(r"\.(?:py|pyx|cc|cpp|c|h|hpp|cu|go|rs|ipynb|jl)$")
"""Before a line's number in a warning."""
EPOCH, BATCH, STEP, BAR_STEP = "epoch", "batch", "step", "bar"
"""Names of counters that a line gives without one."""
NOT_IN_KEY = str.maketrans("", "", "0123456789.,+-")
MOST_KEYS = 20_000
MOST_LAYOUTS = 5_000
"""Above them those that came once are forgotten: prose must not fill the memory."""


@dataclass(eq=False)
class Layout:
    """Lines that differ in their numbers alone."""

    texts: tuple[str, ...]
    """What is before, between and after the numbers."""
    names: tuple[str, ...]
    """The names of the numbers that are kept."""
    places: tuple[int, ...]
    """Their places among all numbers."""
    counts: bool = False
    """Whether it counts alone, as a headline over what follows."""
    means: bool = False
    """Whether a name of it means something."""
    count: int = 0
    shortest: int = 99
    """The fewest decimals of its last number: one with fewer at the end of a file was cut."""
    ids: list[int] = field(default_factory=list)
    rows: list[tuple[str, ...]] = field(default_factory=list)
    then: Layout | None = None
    """The layout that came after it the last time, which is tried first."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches such a line, with a group for each number that is kept."""
        number = f"(?:{DIGITS}|{WORDS})"
        pattern = re.escape(self.texts[0])
        for place, text in enumerate(self.texts[1:]):
            pattern += (f"({number})" if place in self.places else number) + re.escape(text)
        return re.compile(pattern, re.ASCII)

    @property
    def ends_in_number(self) -> bool:
        """Whether such a line ends in a number that is kept."""
        return not self.texts[-1] and bool(self.places) and self.places[-1] == len(self.texts) - 2


class Layouts:
    """The layouts of a log's lines."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, ...], Layout] = {}
        self._by_key: dict[str, list[Layout]] = {}
        self._common: list[Layout] = []
        self._last: Layout | None = None

    def match(self, line: str) -> tuple[Layout, tuple[str, ...]] | None:
        """The layout of a line and the numbers that are kept of it, None for a line without any."""
        guess = self._last and self._last.then
        if guess and (found := guess.pattern.fullmatch(line)):
            self._last = guess
            return guess, found.groups()
        key = line.translate(NOT_IN_KEY)
        for layout in self._by_key.get(key, ()):
            if found := layout.pattern.fullmatch(line):
                self._follow(layout)
                return layout, found.groups()
        return self._learn(key, line)

    def _follow(self, layout: Layout) -> None:
        """Expect next time that this layout comes after the last one."""
        if self._last:
            self._last.then = layout
        self._last = layout

    def _learn(self, key: str, line: str) -> tuple[Layout, tuple[str, ...]] | None:
        parts = NUMBER.split(line)
        texts = tuple(parts[::2])
        layout = self.all.get(texts)
        if layout is None:
            layout = make_layout(texts, self._names(line, texts))
            if len(self.all) >= MOST_LAYOUTS:
                self.all = {one.texts: one for one in self.all.values() if one.count > 1 or one.rows}
            self.all[texts] = layout
        if len(self._by_key) >= MOST_KEYS:
            self._by_key.clear()
        self._by_key.setdefault(key, []).append(layout)
        return layout, tuple(parts[1::2][place] for place in layout.places)

    def common(self) -> list[Layout]:
        """Up to 20 layouts that several lines have, the most frequent first."""
        if len(self.all) < 500 or not self._common:
            several = (layout for layout in self.all.values() if layout.count > 1 and layout.names)
            self._common = nlargest(20, several, key=lambda layout: layout.count)
        return self._common

    def _names(self, line: str, texts: tuple[str, ...]) -> list[str | None]:
        """What the numbers of a new layout are called; a line known at the end of another is read as it is known."""
        names = number_names(line, texts)
        named = [name for name in names if name]
        for known in self.common():
            before = len(texts) - len(known.texts)
            if before < 0 or texts[before + 1 :] != known.texts[1:] or not texts[before].endswith(known.texts[0]):
                continue
            head = (*texts[:before], texts[before].removesuffix(known.texts[0]))
            half = before > 0 and (
                any(begins(head, one.texts) for one in self._common) or any(map(counter, known.names))
            )
            if half or len(set(named)) < len(named) or not set(known.names) <= set(named):
                if before and not known.texts[0]:
                    return [None] * len(names)  # its first number is glued to another
                at = dict(zip(known.places, known.names, strict=True))
                return [at.get(place - before) for place in range(len(names))]
        return names


def make_layout(texts: tuple[str, ...], names: list[str | None]) -> Layout:
    """The layout of lines with these texts, whose numbers are called so."""
    last = {name: place for place, name in enumerate(names) if name}  # of a name that comes twice the last counts
    places = tuple(sorted(last.values()))
    kept = tuple(str(names[place]) for place in places)
    means = any(map(meaning, kept))
    return Layout(texts, kept, places, any(map(counter, kept)) and not means, means)


def number_names(line: str, texts: tuple[str, ...]) -> list[str | None]:
    """A name or None for each number of a line."""
    names: list[str | None] = []
    fractions: list[int] = []  # places of numerators without a name
    for place, text in enumerate(texts[:-1]):
        previous = names[-1] if names else None
        if place and text.strip() == "/":
            names.append(denominator(names))
            if previous is None and (LEAD.match(texts[place - 1]) or not texts[place - 1].strip("[]() ,-:|")):
                fractions.append(place - 1)
        elif place and re.fullmatch(r"\s*\(\s*", text):
            names.append(None)  # a running mean after the value
        else:
            names.append(name_before(text, first=place == 0))
    name_unnamed(line, texts, names, fractions)
    if HELD_OUT.match(texts[0]):
        return [name if name is None or counter(name) else f"val {name}" for name in names]
    return names


def denominator(names: list[str | None]) -> str | None:
    """The name of a number after a slash: a counter's total, or the second of `D(G(z)): 0.2 / 0.1`, `D/G: 1 / 2`."""
    name = names[-1]
    if name is None:
        return None
    known = meaning(name)
    if known and known.role == "p_fake":
        return f"{name}2"
    first, slash, second = name.rpartition("/")
    if slash and first and second and not counter(name):
        stem = re.match(r"(.*?)\w+$", first)
        names[-1] = first
        return (stem.group(1) if stem else "") + second
    return name + TOTAL if counter(name) else None


def name_unnamed(line: str, texts: tuple[str, ...], names: list[str | None], fractions: list[int]) -> None:
    """Give counters without a name theirs: `[3/25][200/782]`, `118/118 ━━━`, tqdm's `450/1000 [`, `412 [D loss:`."""
    bar = TQDM.search(line)
    if bar:
        before = NUMBER.split(line[: bar.start(1)])
        place = len(before) // 2
        if place + 1 < len(names):
            names[place : place + 2] = [BATCH, BATCH + TOTAL]
            if place and texts[place].startswith("%"):
                names[place - 1] = None
            if fractions and fractions[0] < place and not any(counter(name) == "epoch" for name in names if name):
                names[fractions[0]] = EPOCH
        return
    if not any(names):
        return
    counted = {counter(name) for name in names if name}
    if len(fractions) >= 2:
        for place, name in zip(fractions, (EPOCH, BATCH), strict=False):
            names[place : place + 2] = [name, name + TOTAL]
    elif fractions and "inner" not in counted:
        name = BAR_STEP if BAR.search(line) else BATCH
        names[fractions[0] : fractions[0] + 2] = [name, name + TOTAL]
        if fractions[0] == 1 and LEAD.match(texts[0]) and "epoch" not in counted:
            names[0] = EPOCH
    elif not counted - {None} and names[0] is None and LEAD.match(texts[0]) and texts[1].strip() not in ("", "-", "/"):
        names[0] = STEP
    elif not counted - {None}:
        alone = (place for place, name in enumerate(names) if name is None and texts[place].endswith("["))
        for place in [place for place in alone if texts[place + 1].startswith("]")][:1]:
            names[place] = STEP


def name_before(text: str, first: bool) -> str | None:
    """The name that a text before a number gives it."""
    if not first:
        text = text[UNIT.match(text).end() :] if UNIT.match(text) else text  # type: ignore[union-attr]
    text = SEPARATOR.sub("", WRAPPERS.sub("", text))
    pieces = [piece for piece in DELIMITER.split(text) if piece.strip()]
    if not pieces:
        return None
    name = pieces[-1].strip(" .>*#:") if not pieces[-1].strip().endswith("c.") else pieces[-1].strip()
    name = " ".join(name.lstrip(")/ ").split())
    name = re.sub(r"^[^\w(]+|[^\w).\]%]+$", "", LEVEL.sub("", name))
    after = name.rpartition(":")[2]
    name = after if counter(after) or meaning(after) else name
    if name.count("(") > name.count(")"):
        name = name.rpartition("(")[2].strip()
    if SOURCE_FILE.search(name):
        return None
    return shortened(name) if re.search(r"[^\W\d_]", name) else None


def shortened(name: str) -> str:
    """The last words of a phrase that say something: `training with D loss` is `D loss`."""
    parts = name.split()
    if len(parts) == 1:
        return name
    timed = not {"time", "elapsed", "took", "seconds", "sec", "eta", "duration"}.isdisjoint(words(name))
    tails = [" ".join(parts[-length:]) for length in range(min(4, len(parts)), 0, -1)]
    for tail in tails:
        known = meaning(tail)
        if (counter(tail) and not timed) or (known and (not known.game or len(known.game) == 1)):
            return tail
    return name if len(words(name)) <= 4 else tails[-1]
