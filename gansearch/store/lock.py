"""Who writes into a results folder: the lock of its sweep, and the sweep's sign of life, progress.json."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from gansearch.store.containment import TEXT_BYTES, Refused, read_text
from gansearch.store.folder import URL, Folder, StudyError, as_typed, writing
from gansearch.store.nan_json import from_json
from gansearch.store.object_store import Storage, is_copy
from gansearch.store.progress_file import parse_progress

_BEATS = 5
"""Writings of progress.json that may be missing before its driver counts as dead."""
_PAUSE = 0.2
"""Seconds between two looks at progress.json."""
_GLANCE_SECONDS = 1.0
"""How long a lock is tried: `is_locked` of another process holds it for a moment."""


@contextmanager
def lock(folder: Folder) -> Iterator[None]:
    """Hold a folder for this process, from before its sweep begins until the block or the process ends.

    A new folder is made for it, with an empty journal; what the block does not begin is removed again. Raises
    StudyError, and leaves nothing behind, where another sweep holds the folder or it cannot be written.
    """
    with held(folder.journal, folder.path, "sweep") as is_sure:
        _check_elsewhere(folder, is_sure)
        try:
            yield
        finally:
            if not folder.experiment.is_file():
                _remove_new(folder)


@contextmanager
def held(file: Path, folder: Path, what: str) -> Iterator[bool]:
    """Lock a file in a folder, both made if missing; yield whether the file system has locks.

    A folder that was made for it and is empty at the end is removed. Raises StudyError where another process holds the
    file, which is called a `what`, or it cannot be written.
    """
    with writing(folder):
        made = [path for path in (folder, *folder.parents) if not path.exists()]
    deadline = time.monotonic() + _GLANCE_SECONDS
    while True:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stream = file.open("ab")
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_sure = True
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(_PAUSE)
                    continue
                raise StudyError(f"{folder}: another {what} is writing to it; wait for it, or stop it first") from None
            except OSError:  # a file system without locks
                is_sure = False
            if not _is_at(stream, file):  # whoever held it before has removed it
                continue
            try:
                yield is_sure
            finally:
                _remove_empty(made)
            return


def _is_at(stream: IO[bytes], file: Path) -> bool:
    """Return whether the open file is the one that the path leads to."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), file.stat())
    except OSError:
        return False


def _check_elsewhere(folder: Folder, is_sure: bool) -> None:
    """Raise StudyError where a driver that the lock does not tell of still writes progress.json.

    Some network file systems lock files on each machine alone, or not at all. What is at a URL has a lock of its own.
    """
    progress = read_progress(folder)
    if (folder.path / URL).is_file() or progress.get("state") not in ("running", "confirming"):
        return
    host = progress.get("host")
    if (is_sure and host == socket.gethostname()) or not _is_written(folder, progress):
        return
    raise StudyError(
        f"{folder.path}: another sweep is writing to it (process {progress.get('pid')} on {host}); wait for it, or "
        "stop it first"
    )


def _remove_new(folder: Folder) -> None:
    """Remove what a sweep that did not begin left in a new folder."""
    with suppress(OSError):
        if folder.journal.stat().st_size == 0:
            folder.journal.unlink()
        folder.format.unlink(missing_ok=True)
    _remove_empty([folder.records])


def _remove_empty(paths: list[Path]) -> None:
    """Remove those of these folders that are there and empty."""
    for path in paths:
        with suppress(OSError):
            path.rmdir()


def is_locked(folder: Folder) -> bool | None:
    """Whether a sweep on this machine holds the folder; None where the file system has no locks."""
    try:
        with folder.journal.open("rb") as journal:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return False


def read_progress(folder: Folder) -> dict[str, Any]:
    """What progress.json holds; {} where it cannot be read. That of a copy is read at its URL.

    Raises StudyError where it is larger than it can be.
    """
    try:
        if is_copy(folder.path):  # a copy is not updated while one reads it
            text = Storage(str(as_typed(folder.path))).read(folder.progress.name, TEXT_BYTES).decode()
        else:
            text = read_text(folder.progress)
        return parse_progress(from_json(text))
    except Refused as refused:
        raise StudyError(str(refused)) from None
    except (OSError, ValueError):
        return {}


def is_alive(folder: Folder, progress: Mapping[str, Any]) -> bool:
    """Whether the driver that wrote this progress.json still runs.

    On this machine its lock tells; elsewhere its file, which it keeps writing. Results that were fetched while it ran
    count as those of a running one: nothing newer is known. Takes some seconds where the driver is silent.
    """
    if folder.fetched.is_file():
        return True
    if progress["host"] == socket.gethostname() and not is_copy(folder.path):
        locked = is_locked(folder)
        if locked is not None:
            return locked
    fresh = abs(time.time() - progress["written"]) < _BEATS * progress["every"]
    # It is silent, or its clock and ours differ: does it write while we watch?
    return fresh or _is_written(folder, progress)


def _is_written(folder: Folder, progress: Mapping[str, Any]) -> bool:
    """Return whether progress.json is written again within the next seconds."""
    deadline = time.monotonic() + _BEATS * progress["every"]
    while time.monotonic() < deadline:
        if read_progress(folder).get("written") != progress["written"]:
            return True
        time.sleep(_PAUSE)
    return False
