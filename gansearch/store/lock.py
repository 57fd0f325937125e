"""Who writes into a results folder: the lock of its sweep, and the sweep's sign of life, progress.json."""

from __future__ import annotations

import fcntl
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gansearch.store.containment import TEXT_BYTES, Refused, read_text
from gansearch.store.folder import Folder, StudyError, as_typed
from gansearch.store.nan_json import from_json
from gansearch.store.object_store import Storage, is_copy
from gansearch.store.progress_file import parse_progress

_BEATS = 5
"""Writings of progress.json that may be missing before its driver counts as dead."""
_PAUSE = 0.2
"""Seconds between two looks at progress.json."""


@contextmanager
def lock(folder: Folder) -> Iterator[None]:
    """Hold the folder for this process, until the block or the process ends. Raises StudyError if another holds it."""
    with folder.journal.open("ab") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StudyError(f"{folder.path}: another sweep is writing to it; wait for it, or stop it first") from None
        yield


def is_locked(folder: Folder) -> bool:
    """Whether a sweep on this machine holds the folder."""
    try:
        with folder.journal.open("rb") as journal:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
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
        return is_locked(folder)
    patience = _BEATS * progress["every"]
    if abs(time.time() - progress["written"]) < patience:
        return True
    # It is silent, or its clock and ours differ: does it write while we watch?
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if read_progress(folder).get("written") != progress["written"]:
            return True
        time.sleep(_PAUSE)
    return False
