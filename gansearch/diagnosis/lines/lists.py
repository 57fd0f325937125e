"""Lists of numbers, as Python prints those that a training has collected."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from gansearch.diagnosis.lines.cells import column
from gansearch.diagnosis.numbers.fragments import left_out
from gansearch.diagnosis.numbers.records import Records

LIST = re.compile(r"([A-Za-z][\w /().-]*?)[\"']?\s*[:=]\s*(?:[\w.]+\()?\[((?:[^\[\],]*,){9}[^\[\]]*)\]")
"""A name and at least ten values."""


class Lists:
    """Lists by name; a record is what stands at the same place in all of them. A list must end on its line."""

    def __init__(self) -> None:
        self.records = Records()
        self._cut = 0

    def feed(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines with their numbers."""
        for line, number in zip(lines, numbers, strict=True):
            found = LIST.findall(line)
            self._cut += not found and line.count(",") > 9
            for name, cells in found:
                values, printed = column(cells.removesuffix(",").split(","))
                if len(values) > len(self.records):
                    self.records.add_lines(range(len(self.records), len(values)), [number] * len(values))
                self.records.add(name.strip(), np.flatnonzero(printed), values[printed])

    def last(self, line: str, number: int) -> None:
        """Take a line without an end: a list has one of its own."""
        self.feed([line], [number])

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        return left_out(self._cut, "a list without its end")
