"""A log that is read as it comes: bytes or text in, its numbers at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from gansearch.diagnosis.lines.sources import Source, sniff
from gansearch.diagnosis.lines.text import Lines
from gansearch.diagnosis.numbers.errors import LogError, called
from gansearch.diagnosis.numbers.fragments import copies
from gansearch.diagnosis.roles.assembly import assemble
from gansearch.diagnosis.training_log import TrainingLog

SNIFFED = 60
"""Lines that decide what a text is read as."""
LONGEST = 20_000
"""Characters of a line of a log that grows; what is longer is no row, unless it is JSON."""
BATCH = 20_000
"""Lines that are taken at a time."""


class LogReader:
    """Reads a log in chunks of bytes or text, from a file or while it is written.

    Args:
        file: Its name in answers.
        columns: Names of columns by role, where the names themselves do not say it.
        loss: The family of losses where the user gave it.
        config: What the files beside the log say.
        metric: The name of a column that is a metric, whatever its name says.
        growing: Whether columns that the user named may come later.
    """

    def __init__(
        self,
        file: str = "-",
        columns: Mapping[str, str] | None = None,
        loss: str | None = None,
        config: Mapping[str, Any] | None = None,
        metric: str = "",
        growing: bool = False,
    ) -> None:
        self._file = file
        self._columns = dict(columns or {})
        self._loss = loss
        self._config = dict(config or {})
        self._metric, self._growing = metric, growing
        self._lines = Lines()
        self._first: tuple[list[str], list[int]] = ([], [])
        self._source: Source | None = None
        self._format = ""
        self._copies = 1
        self._before = ""

    def feed(self, data: bytes | str) -> None:
        """Take the next piece of the log, cut anywhere."""
        self._take(*self._lines.feed(data))

    def close(self) -> None:
        """Take the last line, which may have no end, at the end of the log."""
        lines, numbers, rest = self._lines.finish()
        self._take(lines, numbers)
        if self._source is None:
            self._begin(rest)
        if rest.strip() and self._source is not None:
            self._source.last(rest, self._lines.number)

    def _take(self, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Take lines, of which the first decide what the text is read as."""
        if self._growing and any(len(line) > LONGEST for line in lines):  # nobody may wait for those that are no row
            short = [place for place, line in enumerate(lines) if len(line) <= LONGEST or line.startswith("{")]
            lines, numbers = [lines[place] for place in short], [numbers[place] for place in short]
        if self._source is not None:
            self._pass_on(self._source, lines, numbers)
            return
        self._first[0].extend(lines)
        self._first[1].extend(numbers)
        if sum(bool(line.strip()) for line in self._first[0]) >= SNIFFED:
            self._begin()

    def _pass_on(self, source: Source, lines: Sequence[str], numbers: Sequence[int]) -> None:
        """Give lines to their reader, of those that are printed several times one each."""
        if self._copies > 1:
            before = [self._before, *lines]
            keep = [place for place, line in enumerate(lines) if line != before[place]]
            self._before = before[-1]
            lines, numbers = [lines[place] for place in keep], [numbers[place] for place in keep]
        for start in range(0, len(lines), BATCH):
            source.feed(lines[start : start + BATCH], numbers[start : start + BATCH])

    def log(self) -> TrainingLog:
        """What was read so far.

        Raises:
            LogError: There are no losses or scores of a GAN in it, so far.
        """
        source, kind = self._source, self._format
        if source is None:
            source, kind = sniff(self._first[0], PurePath(self._file).stem)
            source.feed(*self._first)
        if not source.records.names:
            raise LogError(f"{called(self._file)} has no numbers with names, such as `D_loss: 0.7 G_loss: 1.2`.")
        there = {role: name for role, name in self._columns.items() if name in source.records.names}
        columns, table = there if self._growing else self._columns, (self._file, source.records, kind, source.notes())
        return assemble(*table, columns, self._loss, self._config, self._metric)

    def _begin(self, rest: str = "") -> None:
        """Decide what the text is read as, and take the first lines."""
        (lines, numbers), self._first = self._first, ([], [])
        self._source, self._format = sniff([*lines, rest] if rest else lines, PurePath(self._file).stem)
        self._copies = copies(lines[:SNIFFED])
        self._pass_on(self._source, lines, numbers)
