"""Columns of texts as what they hold: numbers in any style, truth values, dates with gaps, or texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gansearch.formatting import many, printable
from gansearch.gan.encoding.forms import form_of
from gansearch.gan.options import option_error
from gansearch.gan.readers.layout import GAPS
from gansearch.gan.readers.writing import COMMA, POINT, STYLES, Style, Writing, affixes, writing_of

EXACT = 2**53
"""Largest whole number up to which all are exact as float64."""
_DIGITS = 16
"""That many more digits make a number larger than that."""
_NEGATIVE = {"({})": r"^\(([^()+-]*\d[^()+-]*)\)$", "{}-": r"^([\d.,']*\d)-$"}
"""How numbers below zero are written in accounts, and texts that are."""
_NUMBERS = r"^[+-]?(?:\d+|\d{1,3}(?:[,.' ]\d{3})+)(?:[.,]\d+)?(?:[eE][+-]?\d+)?$"
"""What a number may look like in any style, and codes that begin with a zero."""
_PHONE = r"^\+\d{7,}$"
_INFINITE = r"^[+-]?(?i:inf(?:inity)?)$"
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?")
"""A date with its time, parts of a second and a time zone."""
_NAMED = 5
"""Columns that a sentence names."""


@dataclass(frozen=True)
class Typed:
    """Columns as what they hold."""

    frame: pd.DataFrame
    writings: Mapping[str, Writing]
    remarks: list[str]
    """What a user should know of the reading, a sentence each."""


class Texts:
    """The different texts of one column."""

    def __init__(self, values: Any):
        """`values` is an array of pyarrow's, of texts without nulls."""
        encoded = values.dictionary_encode()
        self.texts, self.codes = encoded.dictionary, encoded.indices.to_numpy()
        self.counts = np.bincount(self.codes, minlength=len(self.texts))
        bare = pc.utf8_trim_whitespace(self.texts)
        self.negative = next(
            (form for form, p in _NEGATIVE.items() if pc.any(pc.match_substring_regex(bare, p)).as_py()), ""
        )
        self.bare = pc.replace_substring_regex(bare, _NEGATIVE[self.negative], r"-\1") if self.negative else bare
        self.is_gap = pc.is_in(pc.utf8_lower(self.bare), pa.array(sorted(GAPS))).to_numpy(False)
        self.is_infinite = pc.match_substring_regex(self.bare, _INFINITE).to_numpy(False)

    @cached_property
    def is_rest(self) -> np.ndarray:
        """Which of the texts are neither gaps nor infinite."""
        return ~self.is_gap & ~self.is_infinite

    @cached_property
    def rest(self) -> Any:
        """These texts, without what stands before and behind all of them."""
        rest = self.bare.filter(pa.array(self.is_rest))
        for affix in self.affixes:
            rest = pc.replace_substring(rest, affix, "", max_replacements=1) if affix else rest
        return rest

    @cached_property
    def affixes(self) -> tuple[str, str]:
        """What stands before and behind all numbers."""
        rest = self.bare.filter(pa.array(self.is_rest))
        found = affixes(rest[0].as_py()) if len(rest) else ("", "")
        both = all(not affix or pc.all(pc.equal(pc.count_substring(rest, affix), 1)).as_py() for affix in found)
        return found if both else ("", "")

    @cached_property
    def styles(self) -> list[Style]:
        """The styles in which all of the texts are numbers."""
        if not len(self.rest) or pc.all(pc.match_substring_regex(self.rest, _PHONE)).as_py():
            return []
        marks = {mark: self.has(mark) for mark in {style.group or "." for style in STYLES}}
        marks[""] = False
        possible = [s for s in STYLES if marks[s.group] or s == POINT or (s == COMMA and not marks["."])]
        return [s for s in possible if pc.all(pc.match_substring_regex(self.rest, s.pattern)).as_py()]

    def has(self, mark: str) -> bool:
        """Whether a mark occurs."""
        return bool(pc.any(pc.match_substring(self.rest, mark)).as_py())

    @property
    def words(self) -> dict[str, int]:
        """The words for a gap, the most frequent first, with their counts."""
        pairs = [(self.texts[int(i)].as_py(), int(self.counts[i])) for i in np.flatnonzero(self.is_gap)]
        return dict(sorted(pairs, key=lambda pair: -pair[1]))

    def like_numbers(self) -> np.ndarray:
        """Of the different texts without gaps, which might be numbers in some style."""
        found: np.ndarray = pc.match_substring_regex(self.rest, _NUMBERS).to_numpy(False)
        return found


def typed(columns: Mapping[str, Any], separator: str, known: Collection[str], text_codes: bool = False) -> Typed:
    """The columns, arrays of pyarrow's of texts, as what they hold.

    Columns of numbers with some texts among them are errors but for `known` ones. With `text_codes` whole numbers are
    texts: a file with types of its own has written them as such. Raises TaskError.
    """
    texts = {name: Texts(values) for name, values in columns.items()}
    mark = _mark_of(texts, separator)
    series: dict[str, pd.Series] = {}
    writings: dict[str, Writing] = {}
    told = _Remarks()
    for name, column in texts.items():
        style = _chosen(column, mark)
        is_code = text_codes and style is not None and not column.has(style.mark)
        if style and not is_code and (numbers := _numbers(column, style)):
            series[name], writings[name] = numbers
            told.numbers(name, column, style)
        else:
            if style and not is_code:
                told.long.append(name)
            series[name], writings[name] = _as_texts(column)
            told.texts(name, column, series[name], writings[name], name in known or text_codes)
    return Typed(pd.DataFrame(series), writings, told.sentences())


def _mark_of(texts: Mapping[str, Texts], separator: str) -> str:
    """The decimal mark of a file: that of the columns that have only one, else a comma where it separates nothing."""
    marks = {next(iter(found)) for text in texts.values() if len(found := {style.mark for style in text.styles}) == 1}
    if len(marks) == 1:
        return marks.pop()
    return (
        ","
        if not marks and separator == ";" and not any(text.has(".") for text in texts.values() if text.styles)
        else "."
    )


def _chosen(column: Texts, mark: str) -> Style | None:
    """The style of a column's numbers, in doubt with this mark; None where they are none."""
    return next((style for style in column.styles if style.mark == mark), next(iter(column.styles), None))


def _numbers(column: Texts, style: Style) -> tuple[pd.Series, Writing] | None:
    """The numbers of a column, and how they are written; None where they are too long to be exact."""
    written = column.rest.to_pylist()
    plain = [style.plain(text) for text in written]
    is_whole = not column.is_infinite.any() and not any(set(text) & set(".eE") for text in plain)
    if is_whole and (max(map(len, plain)) > _DIGITS + 1 or max(abs(int(text)) for text in plain) > EXACT):
        return None
    numbers = np.zeros(len(column.texts))
    numbers[column.is_rest] = [float(text) for text in plain]
    infinite = np.flatnonzero(column.is_infinite)
    for index in infinite:
        numbers[index] = float(column.bare[int(index)].as_py())
    values, gaps = numbers[column.codes] + 0.0, column.is_gap[column.codes]
    series = pd.Series(
        pd.arrays.IntegerArray(values.astype(np.int64), gaps) if is_whole else pd.arrays.FloatingArray(values, gaps)
    )
    prefix, suffix = column.affixes
    word = column.bare[int(infinite[0])].as_py().lstrip("+-") if len(infinite) else "inf"
    writing = writing_of(written, style)
    lead = pc.all(pc.match_substring_regex(column.texts.filter(pa.array(column.is_rest)), r"^ \S")).as_py()
    shape = {"lead": " " * lead, "prefix": prefix, "suffix": suffix, "negative": column.negative or "-{}"}
    return series, replace(writing, gap=next(iter(column.words), ""), infinite=word, **shape)


def _as_texts(column: Texts) -> tuple[pd.Series, Writing]:
    """The texts of a column, or its truth values; words for a gap are gaps among dates and durations alone."""
    texts, rest, words = column.texts.to_pylist(), column.rest.to_pylist(), column.words
    gaps = np.array([text == "" for text in texts], bool)
    if {*texts} <= {"True", "False", ""} and rest:
        values = np.array([text == "True" for text in texts], bool)[column.codes]
        return pd.Series(pd.arrays.BooleanArray(values, gaps[column.codes])), Writing()
    stamps, writing = _stamps(rest) or (rest, Writing())
    is_date = gaps.sum() < len(words) < len(texts) and form_of(pd.Series(stamps, dtype="string"))
    if is_date or (writing.zone or writing.cut):
        gaps = column.is_gap
        new = iter(stamps)
        texts = [next(new) if rest else text for text, rest in zip(texts, column.is_rest, strict=True)]
    gap = max((word for word in words if word or not is_date), key=words.__getitem__, default="") if gaps.any() else ""
    values = np.array(texts, object)
    values[gaps] = None
    return pd.Series(values[column.codes]).astype("string"), replace(writing, gap=gap)


def _stamps(texts: Sequence[str]) -> tuple[list[str], Writing] | None:
    """Dates with times in one zone and with six decimals, and how to write them; None where nothing is to be done."""
    found = [match.groups() for text in texts if (match := _STAMP.fullmatch(text))]
    if not texts or len(found) < len(texts):
        return None
    zone = Counter(zone or "" for _, _, zone in found).most_common(1)[0][0]
    digits = max(len(parts or "") for _, parts, _ in found)
    if {zone or "" for _, _, zone in found} <= {""} and digits in (0, 6):
        return None
    stamps = []
    for base, parts, own in found:
        if (own or "") != zone:
            try:
                time = datetime.fromisoformat(base) - _offset(own) + _offset(zone)
            except (ValueError, OverflowError):  # no date of the calendar
                return None
            base = time.isoformat(base[10], "seconds" if base.count(":") == 2 else "minutes")
        stamps.append(base + (f".{(parts or '')[:6]:0<6}" if digits else ""))
    return stamps, Writing(cut=max(6 - digits, 0) if digits else 0, zone="0" * (digits - 6) + zone)


def _offset(zone: str | None) -> timedelta:
    """The time by which a zone is ahead, of +01:00."""
    digits = re.sub(r"\D", "", zone or "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) if digits else timedelta(0)
    return -size if "-" in (zone or "") else size


class _Remarks:
    """What is told of columns, once for all."""

    def __init__(self) -> None:
        self.long: list[str] = []
        self._styles: dict[str, list[str]] = {}
        self._unsure: dict[str, list[str]] = {}
        self._gaps: dict[str, list[str]] = {}
        self._values: dict[str, list[str]] = {}
        self._zones: dict[str, list[str]] = {}
        self._mixed: list[str] = []

    def numbers(self, name: str, column: Texts, style: Style) -> None:
        """Notes how a column of numbers is read."""
        if (style.mark == "," and column.has(",")) or style.group:
            self._styles.setdefault(str(style), []).append(name)
        marks = {other.mark for other in column.styles}
        if len(marks) > 1 and (column.has(",") or column.has(".")) and (style.group or style.mark == ","):
            example = next(text for text in column.rest.to_pylist() if "," in text or "." in text)
            self._unsure.setdefault(f"{example} as {style.plain(example)}", []).append(name)
        self._words(self._gaps, name, column)

    def texts(self, name: str, column: Texts, series: pd.Series, writing: Writing, is_known: bool) -> None:
        """Notes how a column of texts is read. Raises TaskError for numbers with some texts among them."""
        if writing.zone and not pc.all(pc.ends_with(column.rest, writing.zone)).as_py():
            self._zones.setdefault(writing.zone, []).append(name)
        words = column.words
        if len(column.rest) and sum(words.values()) > words.get("", 0):
            is_date = series.isna().sum() > words.get("", 0)
            self._words(self._gaps if is_date else self._values, name, column)
        like, counts = column.like_numbers(), column.counts[column.is_rest]
        strays = int(counts[~like].sum())
        if is_known or not strays or strays > counts.sum() / 2 or isinstance(series.dtype, pd.BooleanDtype):
            return
        example = column.rest[int(np.flatnonzero(~like)[0])].as_py()
        if strays < counts.sum() / 10:
            what = f"{name!r} holds numbers but for {many(strays, 'text')} such as {example!r}"
            rest = f"where the number is missing, learn other columns, or say kinds: {{{printable(name)}: choice}}"
            raise option_error("columns", f"{what}; leave these empty {rest}")
        self._mixed.append(f"{name} (such as {example!r})")

    def sentences(self) -> list[str]:
        """What is told, a sentence each."""
        told = [f"numbers are read with {style}: {listed(names)}" for style, names in self._styles.items()]
        told += [f"in doubt {how}: {listed(names)}" for how, names in self._unsure.items()]
        told += [f"{word!r} is read as a gap: {listed(names)}" for word, names in self._gaps.items()]
        told += [
            f"{word!r} is read as a value, no gap, among texts: {listed(names)}" for word, names in self._values.items()
        ]
        told += [
            f"times in several zones are written in {zone}: {listed(names)}" for zone, names in self._zones.items()
        ]
        if self.long:
            told.append(f"whole numbers beyond 2^53 are read as texts, digit by digit: {listed(self.long)}")
        if self._mixed:
            told.append(f"read as texts, though most of them are numbers: {listed(self._mixed)}")
        return told

    @staticmethod
    def _words(noted: dict[str, list[str]], name: str, column: Texts) -> None:
        for word, count in column.words.items():
            if word:
                noted.setdefault(word, []).append(f"{name} ({count:,})")


def listed(names: Collection[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join([*map(printable, list(names)[:_NAMED]), *([f"and {more:,} more"] if more > 0 else [])])
