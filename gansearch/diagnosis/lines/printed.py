"""Printed lines as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gansearch.diagnosis.lines.cells import column
from gansearch.diagnosis.lines.pairs import Layout, Layouts
from gansearch.diagnosis.numbers.fragments import cut, decimals, left_out, short_cells
from gansearch.diagnosis.numbers.records import Records


class Printed:
    """Printed lines: pairs of a name and a number, by layouts.

    A record ends where one of its names comes again, so that a record may be spread over several lines.
    """

    def __init__(self) -> None:
        self.records = Records()
        self.layouts = Layouts()
        self._id = -1
        self._bare = True  # whether nothing but headlines came so far in this record
        self._seen: set[Layout] = set()
        self._names: set[str] = set()
        self._cut = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
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
        found = self.layouts.match(line)
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
