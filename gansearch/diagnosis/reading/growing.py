"""Logs that are written while they are read: each goes on from where its reading stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.reading.beside import configuration, dotted
from gansearch.diagnosis.reading.events import EventFile, is_events, table_of
from gansearch.diagnosis.reading.folders import log_in
from gansearch.diagnosis.reading.read import CHUNK, Reading
from gansearch.diagnosis.reading.reader import LogReader
from gansearch.diagnosis.reading.wandb_run import WandbRun
from gansearch.diagnosis.roles.assembly import assemble
from gansearch.diagnosis.training_log import TrainingLog

HEADER = 256
"""Bytes at the begin of a file by which it is known to be the same one: a CSV whose columns changed is written anew."""
WHOLE = (".json", ".parquet", ".ipynb")
"""Endings of files that are read as a whole each time."""


class Wanted:
    """What a user says of the columns: as `read_log` takes it, and the name of the metric that counts."""

    def __init__(self, columns: Mapping[str, str] | None = None, loss: str | None = None, metric: str = "") -> None:
        self.columns, self.loss, self.metric = dict(columns or {}), loss, metric

    def table(self, file: str, records: Records, kind: str, config: Mapping[str, Any]) -> TrainingLog:
        """The log of a table."""
        if not records.names:
            raise LogError(f"{file} has no numbers yet.")
        return assemble(file, records, kind, (), self.columns_of(records.names), self.loss, config, self.metric)

    def columns_of(self, names: Iterable[str]) -> dict[str, str]:
        """The columns that are there by now: of two, one may be printed later."""
        known = set(names)
        return {role: name for role, name in self.columns.items() if name in known}


class GrowingText:
    """A file of text: lines, CSV, JSON lines. One that was written anew is read anew."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path, self._wanted = path, wanted
        self._at, self._inode, self._head = 0, 0, b""
        self._reader = self._new_reader()

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything."""
        try:
            with self._path.open("rb") as file:
                found = os.fstat(file.fileno())
                head = file.read(HEADER)
                if self._inode not in (0, found.st_ino) or found.st_size < self._at or not head.startswith(self._head):
                    self._at, self._reader = 0, self._new_reader()
                self._inode, self._head = found.st_ino, head
                file.seek(self._at)
                data = file.read(CHUNK)
        except OSError:  # it is being replaced
            return False
        self._at += len(data)
        self._reader.feed(data)
        return bool(data)

    def log(self) -> TrainingLog:
        """What was read so far. Raises LogError."""
        return self._reader.log()

    def close(self) -> None:
        """Take the last line, which may have no end."""
        self._reader.close()

    def _new_reader(self) -> LogReader:
        return reader_of(str(self._path), self._wanted, configuration(self._path))


class GrowingEvents:
    """TensorBoard's event files, of which more may come."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._files: dict[Path, EventFile] = {}

    def add(self, path: Path) -> None:
        """Read a file too."""
        if path not in self._files:
            self._files[path] = EventFile(path)

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything."""
        return bool([file for file in self._files.values() if file.read()])

    def log(self) -> TrainingLog:
        """What was read so far. Raises LogError."""
        paths = sorted(self._files, key=lambda path: (_written(path), path.name))
        records, _ = table_of({path: self._files[path].scalars for path in paths})
        return self._wanted.table(paths[-1].name, records, "TensorBoard's event files", configuration(paths[-1]))

    def close(self) -> None:
        """Nothing is left to take."""


def _written(path: Path) -> float:
    """When a file was written last; 0 for one that was removed since."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


class GrowingRun:
    """An offline run of Weights & Biases."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path, self._wanted, self._run = path, wanted, WandbRun(path)

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything."""
        try:
            return self._run.read()
        except OSError:  # it was removed
            return False

    def log(self) -> TrainingLog:
        """What was read so far. Raises LogError."""
        kind, config = "a run of Weights & Biases", dotted(self._run.config)
        return self._wanted.table(self._path.name, self._run.source.records, kind, config)

    def close(self) -> None:
        """Nothing is left to take."""


class GrowingWhole:
    """A document, which is read anew whenever it has changed."""

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path, self._wanted = path, wanted
        self._seen: tuple[int, int] | None = None

    def read(self) -> bool:
        """Whether it has changed since the last time."""
        try:
            found = self._path.stat()
        except OSError:  # it is being replaced, or was removed
            return False
        before, self._seen = self._seen, (found.st_mtime_ns, found.st_size)
        return before != self._seen

    def log(self) -> TrainingLog:
        """What is in it. Raises LogError."""
        wanted = self._wanted
        return Reading(str(self._path), wanted.columns, wanted.loss, wanted.metric).path(self._path)

    def close(self) -> None:
        """Nothing is left to take."""


Growing = GrowingText | GrowingEvents | GrowingRun | GrowingWhole


def growing(paths: Iterable[Path], known: dict[Path, Growing], wanted: Wanted) -> None:
    """Add the logs at paths to those that are known by path; event files are read together. Raises LogError."""
    for path in paths:
        try:
            logs = log_in(path) if path.is_dir() else path
        except LogError:  # nothing in it yet
            continue
        for one in logs if isinstance(logs, list) else [logs]:
            if one in known:
                continue
            if is_events(one):
                together = next((log for log in known.values() if isinstance(log, GrowingEvents)), None)
                known[one] = together or GrowingEvents(wanted)
                known[one].add(one)  # type: ignore[union-attr]
            elif one.suffix == ".wandb":
                known[one] = GrowingRun(one, wanted)
            else:
                known[one] = (GrowingWhole if one.suffix in WHOLE else GrowingText)(one, wanted)


def reader_of(file: str, wanted: Wanted, config: Mapping[str, Any] | None = None) -> LogReader:
    """A reader of text."""
    return LogReader(file, wanted.columns, wanted.loss, config, wanted.metric, growing=True)
