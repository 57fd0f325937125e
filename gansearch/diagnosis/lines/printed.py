"""Printed lines as records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from gansearch.diagnosis.lines.cells import column
from gansearch.diagnosis.lines.pairs import Layout, Layouts
from gansearch.diagnosis.lines.tables import COMMA
from gansearch.diagnosis.numbers.fragments import cut, decimals, left_out, short_cells
from gansearch.diagnosis.numbers.names import meaning
from gansearch.diagnosis.numbers.records import Records

DECIMAL = re.compile(r"([:=]\s*[-+]?\d+),(\d+)(?![.,]?\d)")
"""A number with one comma behind `:` or `=`, in no brackets and no list without spaces."""
TIME = re.compile(r"\d\d:\d\d:\d\d[.,]\d+")


class Printed:
    """Printed lines: pairs of a name and a number, by layouts.

    A record ends where one of its names comes again, so that a record may be spread over several lines.
    """

    def __init__(self, has_commas: bool = False) -> None:
        """Begin without lines; `has_commas` is whether decimals have a comma."""
        self.records, self._has_commas = Records(), has_commas
        self.layouts = Layouts()
        self._id = -1
        self._bare = True  # whether nothing but headlines came so far in this record
        self._seen: set[Layout] = set()
        self._names: set[str] = set()
        self._cut = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        lines = list(map(with_points, lines)) if self._has_commas else lines
        match, seen, record, bare = self.layouts.match, self._seen, self._id, self._bare
        ids: list[int] = []
        begins: list[int] = []
        used: dict[Layout, None] = {}
        for line, at in zip(lines, numbers, strict=True):
            found = match(line)
            if found is None:
                continue
            layout, row = found
            layout.count += 1
            if not row:
                continue
            if record < 0 or (layout.counts and not bare) or layout in seen or not self._names.isdisjoint(layout.names):
                record += 1
                seen.clear()
                self._names.clear()
                bare = True
                ids.append(record)
                begins.append(at)
            seen.add(layout)
            self._names.update(layout.names)
            bare = bare and not layout.means
            used[layout] = None
            layout.ids.append(record)
            layout.rows.append(row)
        self._id, self._bare = record, bare
        self.records.add_lines(ids, begins)
        self._flush(used)

    def last(self, line: str, number: int) -> None:
        """Take a line without an end, unless it was cut in its last number."""
        found = self.layouts.match(with_points(line) if self._has_commas else line)
        if found and found[0].ends_in_number and decimals(found[1][-1]) < found[0].shortest:
            self._cut += 1
        else:
            self.feed([line], [number])

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._cut, "cut off in the middle")

    def _flush(self, used: Iterable[Layout]) -> None:
        """Move the rows into the table, but those of lines that were cut."""
        common = self.layouts.common()
        for layout in used:
            names, rows, ids = layout.names, layout.rows, np.array(layout.ids)
            layout.rows, layout.ids = [], []
            rare = [one for one in common if max(2, one.count / 20) >= layout.count < one.count]
            if any(cut(layout.texts, one.texts) for one in rare):
                self._cut += len(rows)
                continue
            columns = list(zip(*rows, strict=True))
            whole = np.ones(len(rows), bool)
            if layout.ends_in_number:
                layout.shortest = min(layout.shortest, min(map(decimals, columns[-1])))
                whole = ~short_cells(columns[-1])
                self._cut += int((~whole).sum())
            for name, cells in zip(names, columns, strict=True):
                values, printed = column(cells)
                printed &= whole
                self.records.add(name, ids[printed], values[printed])


def with_points(line: str) -> str:
    """A line whose decimals have commas as one in which those with a name have points."""
    return DECIMAL.sub(r"\1.\2", line)


def has_decimal_commas(lines: Sequence[str]) -> bool:
    """Whether decimals of lines with names and numbers have a comma, as programs of other locales print them.

    A loss must have one that separates no thousands. Where any number but the time of day has a point, a comma is none
    of a decimal: it may separate two numbers.
    """
    plain = [TIME.sub("", line) for line in lines]
    found = filter(None, map(Layouts().match, map(with_points, plain)))
    pairs = (pair for layout, row in found for pair in zip(layout.names, row, strict=True))
    losses = (cell for name, cell in pairs if (known := meaning(name)) and "loss" in known.role)
    has_points = any(re.search(r"\.\d", line) for line in plain)
    return not has_points and any(COMMA.fullmatch(cell.replace(".", ",")) for cell in losses)
