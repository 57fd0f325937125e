"""The file that holds the Optuna study of a results folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

_LOCK_SECONDS = 10
"""A lock of the journal older than this was left by a process that died."""


def open_journal(path: Path) -> JournalStorage:
    """The storage in a journal file, made if there is none; a line cut off in writing is removed."""
    absolute = path.resolve()  # the lock is a link to it, which only an absolute path leads to
    lock = JournalFileSymlinkLock(str(absolute), grace_period=_LOCK_SECONDS)
    absolute.touch()
    lock.acquire()
    try:
        _cut_torn_line(absolute)
    finally:
        lock.release()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return JournalStorage(_Journal(str(absolute), lock))


class _Journal(JournalFileBackend):
    """Optuna's, which writes some twenty lines a trial, without its wait for the disk after each of them.

    What a killed process has written is safe without that. A machine that loses its power may lose the last lines:
    these trials are told again from their records, or run again.
    """

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        yield from super().read_logs(log_number_from)
        # Where each line begins that was ever read; it goes on from the newest.
        newest = max(self._log_number_offset)
        self._log_number_offset = {0: 0, newest: self._log_number_offset[newest]}

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        self._lock.acquire()
        try:
            with Path(self._file_path).open("ab") as file:
                file.write(lines.encode())
        finally:
            self._lock.release()


def _cut_torn_line(path: Path) -> None:
    """Ends the journal before its first line that is none: a write that was cut off, and whatever was written behind.

    What that takes away of trials that have ended is in their records.
    """
    whole = 0
    with path.open("rb+") as journal:
        for line in journal:
            if not (line.endswith(b"\n") and _is_json(line)):
                break
            whole += len(line)
        journal.truncate(whole)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
