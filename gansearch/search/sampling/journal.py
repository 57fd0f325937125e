"""The file that holds the Optuna study of a results folder, and what Optuna gives no public access to.

All private names of Optuna are in here, but for what `history_window` stands in for.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState

_LOCK_SECONDS = 10
"""A lock of the journal older than this was left by a process that died."""


def open_journal(path: Path) -> JournalStorage:
    """Return the storage in a journal file, made if there is none; a line cut off in writing is removed."""
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


def storage_of_study(study: optuna.Study) -> BaseStorage:
    """Return the storage of a study, which it has as `_storage` alone (Optuna 5.0, optuna/study/study.py)."""
    return study._storage


def running_trial(study: optuna.Study, frozen: FrozenTrial) -> optuna.Trial:
    """Return a trial that waits or runs as one that runs, to be told.

    `Study.ask` starts waiting trials in their own order, and `Study.tell` ends no other than running ones; the id that
    a storage wants is `_trial_id` alone (Optuna 5.0, optuna/trial/_frozen.py).
    """
    if frozen.state is TrialState.WAITING:
        storage_of_study(study).set_trial_state_values(frozen._trial_id, TrialState.RUNNING)
    return optuna.Trial(study, frozen._trial_id)


class _Journal(JournalFileBackend):
    """Optuna's backend without its wait for the disk after each of the some twenty lines of a trial.

    What a killed process has written is safe without that. A machine that loses its power may lose the last lines:
    these trials are told again from their records, or run again. The private attributes are those of Optuna 5.0,
    optuna/storages/journal/_file.py.
    """

    _written = 0
    """Bytes in the file after the newest line of this process."""

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Read on, and forget where all lines began but the newest, from which the next reading starts."""
        yield from super().read_logs(log_number_from)
        newest = max(self._log_number_offset)
        self._log_number_offset = {0: 0, newest: self._log_number_offset[newest]}

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append lines under the lock.

        Raises OSError where the file is shorter than this process left it: a line after the gap would be read as one
        of another trial. Nothing is written then, and opening the study again repairs it from the records.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        path = Path(self._file_path)
        self._lock.acquire()
        try:
            with path.open("ab") as file:
                if file.tell() < self._written:
                    raise OSError(f"{path.name} was cut off while the sweep wrote to it; --resume repairs it")
                file.write(lines.encode())
                self._written = file.tell()
        finally:
            self._lock.release()


def _cut_torn_line(path: Path) -> None:
    """Truncate the journal at its first broken line, a write that was cut off, with all that follows.

    The trials that this removes have their records if they have ended.
    """
    whole = 0
    with path.open("rb+") as journal:
        with suppress(ValueError):
            for line in journal:
                json.loads(line)
                whole += len(line) if line.endswith(b"\n") else 0
        journal.truncate(whole)
