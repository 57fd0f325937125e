"""Tables with a delimiter as records."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from itertools import chain

import numpy as np

from gansearch.diagnosis.lines.cells import column, number
from gansearch.diagnosis.numbers.fragments import WHOLE, decimals, left_out, short_cells
from gansearch.diagnosis.numbers.records import Records

INDEX = "index"
"""The name of a first column that has none, as pandas writes it."""
RULE = re.compile(r"[\s|+:=-]*")
"""A line under a table's header."""
COMMA = re.compile(r"\s*[-+]?(?:0,\d+|\d+,(?!\d{3}\b)\d+)(?:[eE][-+]?\d+)?\s*")
"""A number whose comma stands for no thousands: then no other of the table does."""


class Table:
    """A table with a delimiter, with or without a header; a header that comes again begins anew."""

    def __init__(self, names: Sequence[str], delimiter: str | None) -> None:
        self.records = Records()
        self._names = list(names)
        self._delimiter = delimiter
        self._has_commas = delimiter == ";"  # for decimals
        self._id = 0
        self._shortest = WHOLE
        self._skipped = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        rows: list[list[str]] = []
        at: list[int] = []
        for fields, line in zip(split(lines, self._delimiter), numbers, strict=True):
            rule = not is_number(fields[0]) and RULE.fullmatch("".join(fields)) if fields else True
            if rule or fields in (self._names, self._names[self._names[0] == INDEX :]):
                continue
            if len(fields) == len(self._names):
                rows.append(fields)
                at.append(line)
            elif is_header(fields, self._names):
                self._take(rows, at)
                rows, at, self._names = [], [], [name.strip() or INDEX for name in fields]
            elif rows or self._id:  # what is above the header is none of it
                self._skipped += 1
        self._take(rows, at)

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""
        cells = split([line], self._delimiter)[0]
        if len(cells) == len(self._names) and decimals(cells[-1]) < self._shortest:
            self._skipped += 1
        else:
            self.feed([line], [number])

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._skipped, "cut off or no row of the table")

    def _take(self, rows: list[list[str]], at: list[int]) -> None:
        """Take rows with as many cells as the header, but those that were cut in the last."""
        whole = ~short_cells([row[-1] for row in rows])
        self._skipped += int((~whole).sum())
        rows = [row for row, keep in zip(rows, whole, strict=True) if keep]
        at = [line for line, keep in zip(at, whole, strict=True) if keep]
        if not rows:
            return
        ids = np.arange(self._id, self._id + len(rows))
        self._id += len(rows)
        self._shortest = min(self._shortest, min(decimals(row[-1]) for row in rows))
        self.records.add_lines(ids, at)
        self._has_commas = self._has_commas or any(map(COMMA.fullmatch, filter(lambda cell: "," in cell, chain(*rows))))
        for name, cells in zip(self._names, zip(*rows, strict=True), strict=True):
            if name:
                values, printed = column([decimal(cell) for cell in cells] if self._has_commas else cells)
                self.records.add(name, ids[printed], values[printed])


def split(lines: Sequence[str], delimiter: str | None) -> list[list[str]]:
    """Lines as cells."""
    if delimiter is None:
        return [line.split() for line in lines]
    if delimiter == "|":
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    if any('"' in line for line in lines):
        return [next(csv.reader([line.replace("\0", "")], delimiter=delimiter), []) for line in lines]
    return [line.split(delimiter) for line in lines]


def decimal(cell: str) -> str:
    """A cell with a decimal comma as one with a point."""
    return cell.replace(",", ".") if re.fullmatch(r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*", cell) else cell


def is_header(fields: Sequence[str], before: Sequence[str]) -> bool:
    """Whether cells are names, some of which the header before has too."""
    names = {field.strip() for field in fields}
    return len(names) > 1 and bool(names & set(before)) and not any(map(is_number, fields))


def is_number(cell: str) -> bool:
    """Whether a cell is a number or blank."""
    try:
        number(decimal(cell))
    except ValueError:
        return False
    return True
