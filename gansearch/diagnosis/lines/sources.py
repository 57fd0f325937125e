"""The kinds of text that a log can be: JSON lines, a table with a delimiter, printed lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from gansearch.diagnosis.lines.json_lines import JsonLines, flattened, json_object
from gansearch.diagnosis.lines.lists import LIST, Lists
from gansearch.diagnosis.lines.printed import Printed, has_decimal_commas
from gansearch.diagnosis.lines.tables import INDEX, RULE, Table, is_number, split
from gansearch.diagnosis.numbers.names import counter, meaning
from gansearch.diagnosis.numbers.records import Records

DELIMITERS = (",", ";", "\t", "|", None)
"""None: any white space."""
NAMED = re.compile(r"[A-Za-z]\w*\s*[:=]\s*[-+]?[\d.]")


class Source(Protocol):
    """A reader of one kind of text, fed with lines."""

    records: Records

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""


def sniff(lines: Sequence[str], stem: str) -> tuple[Source, str]:
    """The reader for a text that begins with these lines, and what it is read as."""
    full = list(islice((line for line in lines if line.strip()), 60))
    objects = [line for line in full if json_object(line) is not None]
    numbers = {name for line in objects[:9] for name in flattened(json_object(line) or {})}
    if len(objects) > len(full) / 4 and any(map(meaning, numbers)):
        return JsonLines(), "JSON lines"
    if any(LIST.search(line) for line in full):
        return Lists(), "lists of numbers"
    for start, line in enumerate(full[:12]):
        table = sniff_table(line, full[start + 1 : start + 40], stem)
        if table is not None:
            return table
    return Printed(has_decimal_commas(list(filter(NAMED.search, full)))), "printed lines"


def sniff_table(header: str, below: Sequence[str], stem: str) -> tuple[Source, str] | None:
    """A table's reader, if a line is its header or its first row, and there are rows below."""
    below = [line for line in below if not RULE.fullmatch(line)]
    for delimiter in DELIMITERS:
        (names, *rows) = split([header, *below], delimiter)
        if delimiter is None and rows and all(len(row) == len(names) + 1 for row in rows):
            names = ["", *names]  # pandas' index has no name
        same = [row for row in rows if len(row) == len(names)]
        if len(names) < 2 or (rows and len(same) < 0.6 * len(rows)) or NAMED.search(header):
            continue
        cells = [cell for row in same for cell in row]
        numeric = sum(map(is_number, cells)) >= 0.6 * len(cells)
        kind = {",": "CSV", ";": "CSV with semicolons", "\t": "a table with tabs"}.get(delimiter or "", "a table")
        if names[0].strip() == "" and all(name.strip() for name in names[1:]):
            names = [INDEX, *names[1:]]
        if not any(map(is_number, names)):
            words = sum(bool(meaning(name.strip()) or counter(name.strip())) for name in names)
            if same and numeric and any(cell.strip() for cell in cells) and (delimiter or words >= 2):
                return Table([name.strip().strip('"') for name in names], delimiter), kind
        elif same and numeric and all(map(is_number, names)):
            numbered = [f"column {place}" for place in range(1, len(names) + 1)]
            return Table(numbered, delimiter), f"{kind} without a header"
    if not below or not all(re.fullmatch(r"\s*[-+]?[\w.+-]+(:\s*[-+\w.]+)?\s*", line) for line in (header, *below)):
        return None
    if is_number(header) and all(map(is_number, below)):
        return Table([stem or "value"], ","), "a column of numbers"
    pairs = [line.partition(":") for line in (header, *below)]
    if all(colon and is_number(step) and is_number(value) for step, colon, value in pairs):
        return Table(["step", stem or "value"], ":"), "a file of one quantity"
    return None
