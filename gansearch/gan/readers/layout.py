"""Where the rows of a text lie: its separator, what stands before its names, and whether it has names at all."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_GAPS = r"""
na n/a n.a. #n/a <na> nan -nan nat null none nil \n ? - -- . .. * missing unknown
#div/0! #value! #ref! #num! #name? #null! 1.#qnan -1.#ind
"""
GAPS = frozenset(["", *_GAPS.split()])
"""Words for a missing value, in small letters, in a column of numbers or dates."""
SEPARATORS = ("\t", ";", "|", ",")
"""Where several fit alike the first is taken: commas stand in numbers too."""
_HEAD = 1_000_000
"""Characters by which a layout is found."""
_RECORDS = 1_000
_LIKE_DATA = re.compile(
    r"[-+.(]?\s?[$€£¥₹]?\s?[-+.]?\d[-+\d.,:/ '’\xa0\u202fTZeE)]*[%€]?|[-+]?inf(inity)?", re.IGNORECASE
)
"""Numbers, dates and times: what a column's name is seldom."""


@dataclass(frozen=True)
class Layout:
    """Where the rows of a text lie."""

    marks: Mapping[str, Any]
    """The separator and the quotation mark, as options of Python's csv."""
    newline: str
    before: str
    """Lines before the names and rows, such as a title."""
    header: list[str] | None
    """The names as they are written; None where there are none."""
    width: int
    """Fields of a row."""
    start: int
    """Characters before the first row."""

    @property
    def separator(self) -> str:
        """What stands between fields."""
        return str(self.marks["delimiter"])


def layout_of(text: str, separator: str, header: bool | None, names: Collection[str]) -> Layout:
    """The layout of a text; `separator` "" and `header` None are found, with the `names` that the user knows.

    Raises csv.Error for fields that are too long.
    """
    head = text[:_HEAD]
    before = ""
    if hint := re.match(r'"?sep=(.)"?(\r\n|\n|\r)', head):  # Excel's own
        before, separator = hint.group(), separator or hint.group(1)
        head = head[len(before) :]
    is_cut = len(text) > _HEAD
    marks = _quotation(head)
    marks |= {"delimiter": separator or _separator_of(head, marks, is_cut)}
    records, ends = _records(head, marks, is_cut)
    widths = Counter(len(record) for record in records[1:] or records if record)
    width = widths.most_common(1)[0][0] if widths else 0
    first = _first(records, width, names)
    before += head[: ends[first]]
    body = [record for record in records[first + 1 :] if record != records[first]] if records else []
    newline = next((end for end in ("\r\n", "\n", "\r") if end in head), "\n")
    known = header if header is not None else bool(records) and _are_names(records[first], body, names)
    if not known:
        return Layout(marks, newline, before, None, width, len(before))
    written = records[first] if records else []
    while len(written) > width and not written[-1].strip():
        written = written[:-1]
    start = len(before) - ends[first] + ends[first + 1] if records else len(text)
    return Layout(marks, newline, before, written, max(width, len(written)), start)


def without_spaces(text: str) -> str | None:
    """A text with tabs in place of the runs of spaces between its columns; None where these do not separate them.

    They do where nothing else does, all lines have as many words, and one column holds numbers.
    """
    head, is_cut = text[:_HEAD], len(text) > _HEAD
    marks: dict[str, Any] = {"delimiter": " ", "skipinitialspace": True}
    if re.search(r"[,;\t|]", head):
        return None
    try:
        records = [_words(record) for record in _records(head, marks, is_cut)[0]]
        records = [record for record in records if record]
        if len({*map(len, records)}) != 1 or len(records[0]) < 2 or len(records) < 2:
            return None
        if not any(all(map(_LIKE_DATA.fullmatch, column)) for column in zip(*records[1:], strict=True)):
            return None
        stream = io.StringIO(newline="")
        csv.writer(stream, "excel-tab", lineterminator="\n").writerows(
            _words(record) for record in csv.reader(io.StringIO(text, newline=""), **marks)
        )
    except csv.Error:
        return None
    return stream.getvalue()


def _words(record: list[str]) -> list[str]:
    """A record without the field behind the spaces at its end."""
    return record[:-1] if record and not record[-1] else record


def _quotation(head: str) -> dict[str, Any]:
    """The quotation mark, single where all names have such ones; what is before those in a field, and before fields."""
    quote = "'" if re.match(r"'[^'\"\r\n]*'(?:[,;\t|]'[^'\"\r\n]*')*[\r\n]", head) else '"'
    is_escaped = re.search(rf"\\{quote}[^,;\t|\r\n{quote}]", head)
    is_spaced = re.search(rf"[,;\t|] +{quote}[^{quote}\r\n]*{quote} *[,;\t|\r\n]", head)
    marks = {"quotechar": quote, **({"escapechar": "\\", "doublequote": False} if is_escaped else {})}
    return marks | ({"skipinitialspace": True} if is_spaced else {})


def _separator_of(head: str, marks: Mapping[str, Any], is_cut: bool) -> str:
    """The one that divides most records into the same number of fields, more than one; a comma where none does."""
    best, most = ",", 0.0
    for separator in SEPARATORS:
        try:
            records = [record for record in _records(head, {**marks, "delimiter": separator}, is_cut)[0] if record]
        except csv.Error:
            continue
        widths = Counter(map(len, records))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        share = count / max(len(records), 1) + (len(records[0]) == width if records else 0)
        if width > 1 and share > most + 0.05:
            best, most = separator, share
    return best


def _records(head: str, marks: Mapping[str, Any], is_cut: bool) -> tuple[list[list[str]], list[int]]:
    """The first records of a text, and the characters before each of them and after the last."""
    lines = list(io.StringIO(head, newline=""))
    ends = [0, *itertools.accumulate(map(len, lines))]
    reader = csv.reader(lines, **marks)
    records, after = [], [0]
    for record in itertools.islice(reader, _RECORDS):
        records.append(record)
        after.append(ends[reader.line_num])
    if is_cut and after[-1] == len(head):  # the last record may be half of one
        records.pop()
        after.pop()
    return records, after


def _first(records: Sequence[Sequence[str]], width: int, names: Collection[str]) -> int:
    """The first record that is a row or the names, behind titles and remarks."""
    for number, record in enumerate(records):
        if len(record) >= width or (names and set(names) <= set(record)):
            return number
        rest = records[number + 1 : number + 2]
        if len(record) == width - 1 and rest and len(rest[0]) == width and is_data(rest[0]) and all(record):
            return number
    return 0


def is_data(record: Sequence[str]) -> bool:
    """Whether some cell is a number, a date or a time."""
    return any(_LIKE_DATA.fullmatch(cell.strip()) for cell in record)


def _are_names(first: Sequence[str], rest: Sequence[Sequence[str]], names: Collection[str]) -> bool:
    """Whether the first record holds names, and is no row such as the rest.

    Names are no numbers where the column holds numbers, but for numbers in sequence, and no values of the column.
    """
    if set(names) & set(first):
        return True
    body = [record for record in rest if len(record) == len(first)]
    if not body:
        return not is_data(first)
    numbers: list[str] = []
    repeated = new = others = 0
    for cell, column in zip(first, zip(*body, strict=True), strict=True):
        present = [value.strip() for value in column if value.strip().lower() not in GAPS]
        if not present or cell.strip().lower() in GAPS:
            continue
        if all(_LIKE_DATA.fullmatch(value) for value in present):
            if not _LIKE_DATA.fullmatch(cell.strip()):
                return True
            numbers.append(cell.strip())
            continue
        kinds = set(present)
        is_new = cell.strip() not in kinds
        others += is_new
        if len(kinds) <= len(present) / 2:
            repeated += not is_new
            new += is_new
    if numbers:
        return not repeated and _in_sequence(numbers, len(first), is_beside_name=others > 0)
    return repeated <= new


def _in_sequence(cells: Sequence[str], width: int, is_beside_name: bool) -> bool:
    """Whether numbers are names: 0, 1, 2 to the last column, or years beside other names."""
    if len(cells) < 2 or not all(re.fullmatch(r"\d{1,4}", cell) for cell in cells):
        return False
    found = [int(cell) for cell in cells]
    steps = {b - a for a, b in itertools.pairwise(found)}
    counted = steps == {1} and found[0] in (0, 1) and len(found) >= width - 1
    years = len(steps) == 1 and 0 not in steps and all(1800 <= year <= 2200 for year in found)
    return counted or (years and is_beside_name)
