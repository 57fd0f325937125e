"""A sweep whose results lie at a URL: it writes to a local folder, which a thread mirrors there.

At each moment the Optuna study at the URL knows of no trial whose record is not there. So a sweep can be resumed from
there, wherever its driver died. One sweep at a time writes; lock.json says which.
"""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from gansearch.search.errors import SweepError, SweepFailed
from gansearch.signals import Interrupts
from gansearch.store.archive import is_result, results
from gansearch.store.folder import URL, Folder, StudyError, write_whole
from gansearch.store.object_store import LOCK, MANIFEST, State, Storage, cache, connect, download, is_url, reason

EVERY = 2.0
"""Seconds between two passes over the folder."""
BEAT = 5.0
"""Seconds between two writes of lock.json."""
PATIENCE = 600.0
"""Seconds for which a storage that does not answer is tried."""
_SILENCE = 3 * BEAT
"""Seconds without a write of lock.json after which its sweep counts as dead."""
_SETTLE = 1.0
"""Seconds after which lock.json is looked at again, at least."""
_SENT = ".sent"
"""A file in the folder, once its journal has been at the URL: if it is not there later, somebody has removed it."""
_SCAN_SHARE = 0.05
"""Largest share of the time that scanning the folder may take."""
_LARGE, _GROWTH, _LATE = 2**20, 1.1, 60.0
"""A file of so many bytes is sent again once it has grown by this factor, or after so many seconds.

Nothing can be appended to an object, so a file that grows with every trial would otherwise cost more with each of them.
"""
_LOG = logging.getLogger(__name__)


class Mirrored(Folder):
    """A results folder that is mirrored at a URL."""

    def __init__(self, path: Path, storage: Storage):
        """`path` is the local folder, `storage` where it is mirrored."""
        super().__init__(path)
        self.storage = storage


def storage_of(folder: Folder) -> Storage | None:
    """Return where a folder is mirrored; None where it is not."""
    return folder.storage if isinstance(folder, Mirrored) else None


def opened(out: str | Path | None) -> AbstractContextManager[str | Path | Folder | None]:
    """Open a sweep's results folder as the user named it: a URL is mirrored, all else stays as it is."""
    return mirrored(str(out)) if is_url(out) else nullcontext(out)


@contextmanager
def mirrored(url: str) -> Iterator[Folder]:
    """Open a local folder with the results at a URL, to which all that is written into the folder is sent.

    Raises:
        SweepError: The URL cannot be reached, another sweep writes there, or what is there leads out of the folder.
        SweepFailed: What is in the folder could not be sent in the end.
    """
    try:
        storage = connect(url)
    except StudyError as error:
        raise SweepError(f"--out {error}") from None
    folder = Mirrored(cache("sweeps", url), storage)
    with _Lock(storage) as lock:
        storage.patience = PATIENCE  # it has answered, and been written to
        try:
            _fill(folder, storage)
            mirror = _Mirror(storage, folder, lock)
        except OSError as error:
            raise SweepError(f"--out {url}: cannot be read, or {folder.path} not written ({reason(error)})") from None
        mirror.start()
        try:
            yield folder
        finally:
            with Interrupts():  # all is done but for this; a second Ctrl-C ends it
                mirror.stop()
    if not folder.is_ours:
        shutil.rmtree(folder.path, ignore_errors=True)  # the sweep did not begin


def _fill(folder: Folder, storage: Storage) -> None:
    """Bring what is at the URL, unless the folder holds the same sweep further on: one killed on this machine.

    Raises:
        SweepError: Something else than a sweep is at the URL.
    """
    local = folder.journal.read_bytes() if folder.is_ours else b""
    sent = folder.path / _SENT
    names = {name for name in storage.files() if is_result(name)} - {LOCK, folder.experiment.name, folder.format.name}
    if names and folder.journal.name not in names:
        raise SweepError(f"{storage.url}: is not empty and not a results folder; choose another --out")
    remote = storage.read(folder.journal.name) if names else b""
    if not names and (sent.exists() or not local):
        shutil.rmtree(folder.path, ignore_errors=True)  # the results at the URL have been removed
    elif names and not local.startswith(remote):
        shutil.rmtree(folder.path, ignore_errors=True)
        download(storage, folder.path)
        (folder.path / MANIFEST).unlink()  # this is no copy for reading
    folder.path.mkdir(parents=True, exist_ok=True)
    write_whole(folder.path / URL, storage.url)
    if names:
        sent.touch()


class _Mirror(threading.Thread):
    """Sends what has changed."""

    def __init__(self, storage: Storage, folder: Folder, lock: _Lock):
        super().__init__(name="mirror", daemon=True)
        self._storage, self._folder, self._lock = storage, folder, lock
        self._remote = storage.files()
        self._sent: dict[str, State] = {}
        self._sent_at: dict[str, float] = {}
        self._over = threading.Event()

    def stop(self) -> None:
        """Send the rest. Raises SweepFailed where that is not possible."""
        self._over.set()
        self.join()
        if self._lock.lost:
            raise SweepFailed(self._folder.path, f"{self._storage.url}: {self._lock.lost} has taken it over")
        try:
            self._pass(everything=True)
        except OSError as error:
            self._storage.patience = 0.0  # nothing waits for it any longer
            raise SweepFailed(
                self._folder.path,
                f"{self._storage.url} did not answer for {PATIENCE:g} s ({reason(error)}); all is in "
                f"{self._folder.path}, and --resume on this machine sends it",
            ) from None

    def run(self) -> None:
        pause = EVERY
        while not self._over.wait(pause) and not self._lock.lost:
            start = time.monotonic()
            try:
                scan = self._pass()
                pause = max(EVERY, scan / _SCAN_SHARE, time.monotonic() - start)
            except OSError as error:
                seconds = time.monotonic() - start
                _LOG.warning("%s: not written for %.0f s: %s", self._storage.url, seconds, reason(error))

    def _pass(self, everything: bool = False) -> float:
        """Send what has changed, in an order that leaves the results whole; return the seconds that the scan took."""
        start = time.monotonic()
        folder = self._folder
        if not folder.is_ours:
            return 0.0
        journal = folder.journal.read_bytes()  # before the records, so that all trials in it have one
        states = {name: (status.st_size, status.st_mtime_ns) for name, status in results(folder.path) if name != LOCK}
        states[folder.journal.name] = len(journal), 0
        scan = time.monotonic() - start
        if not self._sent:
            self._sent = {name: state for name, state in states.items() if _same(state, self._remote.get(name))}
        changed = [name for name, state in states.items() if self._sent.get(name) != state]
        due = [name for name in changed if everything or self._is_due(name, states[name])]
        for name in sorted(due, key=lambda name: (self._rank(name), states[name][1])):
            if self._lock and self._lock.lost:  # what is there is another's by now
                break
            self._send(name, states[name], journal if name == folder.journal.name else None)
        for name in self._sent.keys() - states.keys():
            self._storage.delete(name)
            del self._sent[name]
        return scan

    def _is_due(self, name: str, state: State) -> bool:
        """Return whether a changed file is worth sending now."""
        before, _ = self._sent.get(name, (0, 0))
        grown = state[0] < _LARGE or state[0] >= _GROWTH * before
        return grown or time.monotonic() - self._sent_at.get(name, -math.inf) >= _LATE

    def _rank(self, name: str) -> int:
        """Return when a file is sent: records before the study and the rest after it, each in the order of writing."""
        folder = self._folder
        if name in (folder.experiment.name, folder.format.name) or name.startswith(f"{folder.records.name}/"):
            return 0
        return {folder.journal.name: 1, folder.progress.name: 3}.get(name, 2)

    def _send(self, name: str, state: State, data: bytes | None = None) -> None:
        if data is None:
            try:
                data = (self._folder.path / name).read_bytes()
            except OSError:  # it was removed since, or is being replaced: the next pass sends it
                return
        self._storage.write(name, data)
        self._sent[name], self._sent_at[name] = state, time.monotonic()
        if name == self._folder.journal.name:
            (self._folder.path / _SENT).touch()


class _Lock(threading.Thread):
    """lock.json: {"id", "host", "pid", "beat"} of the sweep that writes, which this thread writes again and again.

    If another sweep has written it, because this one was silent for too long, this one ends as after Ctrl-C.
    """

    def __init__(self, storage: Storage):
        super().__init__(name="lock", daemon=True)
        self._storage = storage
        self._own = {"id": secrets.token_hex(8), "host": socket.gethostname(), "pid": os.getpid()}
        self._over = threading.Event()
        self.lost = ""
        """Who else has written it since."""

    def __enter__(self) -> _Lock:
        try:
            self._take()
        except OSError as error:
            raise SweepError(f"--out {self._storage.url}: cannot be written ({reason(error)})") from None
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self.join()
        if not self.lost:
            try:
                self._storage.delete(LOCK)
            except OSError as trouble:
                _LOG.warning("%s: %s was left there: %s", self._storage.url, LOCK, trouble)

    def _take(self) -> None:
        url, other = self._storage.url, self._read()
        if other and self._lives(other):
            raise SweepError(f"{url}: another sweep is writing to it ({_owner(other)}); wait for it, or stop it first")
        if other:
            _LOG.warning("%s: its last driver, %s, died; going on from what it left", url, _owner(other))
        began = time.monotonic()
        self._write()
        # Of two that began at the same time, each having read nothing yet, the last to write holds it. All of them have
        # written before any looks, so long as none takes much longer for that than this one.
        time.sleep(max(_SETTLE, 3 * (time.monotonic() - began)))
        if self._read().get("id") != self._own["id"]:
            raise SweepError(f"{url}: another sweep is writing to it; wait for it, or stop it first")

    def run(self) -> None:
        gone = 0
        while not self._over.wait(BEAT):
            try:
                other = self._read()
                gone = 0 if other else gone + 1
                if gone == 1:
                    continue  # looked at again, before a sweep is said to have taken it, and ended
                if other.get("id") != self._own["id"]:
                    self.lost = f"another sweep ({_owner(other)})" if other else "another sweep, which has ended,"
                    is_ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
                    os.kill(os.getpid(), signal.SIGTERM if is_ignored else signal.SIGINT)
                    return
                self._write()
            except OSError as error:
                _LOG.warning("%s: %s was not renewed: %s", self._storage.url, LOCK, reason(error))

    def _write(self) -> None:
        self._storage.write(LOCK, json.dumps({**self._own, "beat": time.time()}).encode())

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._storage.read(LOCK)))
        except (FileNotFoundError, ValueError):
            return {}

    def _lives(self, other: dict[str, Any]) -> bool:
        """Return whether the sweep of another lock lives: its process does, or it writes the lock in the next seconds.

        A process can be asked for on this machine alone.
        """
        if other.get("host") == self._own["host"]:
            try:
                os.kill(other["pid"], 0)
            except ProcessLookupError:
                return False
            except OSError:  # another user's
                pass
        deadline = time.monotonic() + _SILENCE
        while time.monotonic() < deadline:
            now = self._read()
            if now != other:
                return bool(now)
            time.sleep(min(1.0, BEAT))
        return False


def _owner(lock: dict[str, Any]) -> str:
    return f"process {lock.get('pid')} on {lock.get('host')}"


def _same(local: State, remote: State | None) -> bool:
    """Return whether an object is a file's that was sent before: as large, and not older."""
    return remote is not None and local[0] == remote[0] and local[1] <= remote[1]
