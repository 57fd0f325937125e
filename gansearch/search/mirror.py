"""A sweep whose results lie at a URL: it works in a folder here, which a thread keeps mirrored there.

At each moment the study there has told nothing whose record is not there: from what is there a sweep can be resumed,
wherever its driver died. One sweep at a time writes; lock.json there says which.
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gansearch.search.errors import SweepError, SweepFailed
from gansearch.store.archive import is_result
from gansearch.store.folder import URL, Folder, StudyError, write_whole
from gansearch.store.object_store import LOCK, MANIFEST, State, Storage, bring, cache, is_url, reach, reason

EVERY = 2.0
"""Seconds between two looks at the folder."""
BEAT = 5.0
"""Seconds between two signs of life in lock.json."""
PATIENCE = 600.0
"""Seconds for a storage that is away."""
_SILENCE = 3 * BEAT
_SCAN_SHARE = 0.05
"""Most of a processor's time that looking at the folder may take."""
_LARGE, _GROWTH, _LATE = 2**20, 1.1, 60.0
"""A file of so many bytes is sent anew once it is so many times as large, or so many seconds later: objects cannot be
added to, so one that grows with every trial would otherwise cost more with each of them."""
_LOG = logging.getLogger(__name__)


class Mirrored(Folder):
    """A results folder that is mirrored at a URL."""

    def __init__(self, path: Path, storage: Storage):
        super().__init__(path)
        self.storage = storage


def storage_of(folder: Folder) -> Storage | None:
    """Where a folder is mirrored; None where it is not."""
    return folder.storage if isinstance(folder, Mirrored) else None


@contextmanager
def opened(out: str | Path | None) -> Iterator[str | Path | Folder | None]:
    """What was given as a sweep's results folder, mirrored where it is a URL."""
    if out is None or not is_url(out):
        yield out
        return
    with mirrored(str(out)) as folder:
        yield folder


@contextmanager
def mirrored(url: str) -> Iterator[Folder]:
    """A folder here with what is at the URL, where all that is written to it goes.

    Raises SweepError where the URL cannot be reached or another sweep writes there, and SweepFailed where what is
    here did not get there in the end.
    """
    try:
        storage = reach(url)
    except StudyError as error:
        raise SweepError(f"--out {error}") from None
    folder = Mirrored(cache("sweeps", url), storage)
    with _Lock(storage) as lock:
        storage.patience = PATIENCE  # it has answered, and been written to
        _begin(storage, folder)
        mirror = _Mirror(storage, folder, lock)
        mirror.start()
        try:
            yield folder
        finally:
            mirror.stop()
    if not folder.is_ours:
        shutil.rmtree(folder.path, ignore_errors=True)  # the sweep did not begin


def _begin(storage: Storage, folder: Folder) -> None:
    """Brings what is there, unless what is here is the same sweep further on: one that was killed on this machine.

    Raises SweepError where something else is there.
    """
    here = folder.journal.read_bytes() if folder.is_ours else b""
    names = {name for name in storage.files() if is_result(name)} - {LOCK, folder.experiment.name, folder.format.name}
    if names and folder.journal.name not in names:
        raise SweepError(f"{storage.url}: is not empty and not a results folder; choose another --out")
    there = storage.read(folder.journal.name) if names else b""
    if not names:
        shutil.rmtree(folder.path, ignore_errors=True)  # what was there has been removed
    elif not here.startswith(there):
        shutil.rmtree(folder.path, ignore_errors=True)
        bring(storage, folder.path)
        (folder.path / MANIFEST).unlink()  # this is no copy for reading
    folder.path.mkdir(parents=True, exist_ok=True)
    write_whole(folder.path / URL, storage.url)


class _Mirror:
    """The thread that sends what is new."""

    def __init__(self, storage: Storage, folder: Folder, lock: _Lock):
        self._storage, self._folder, self._lock = storage, folder, lock
        self._sent: dict[str, State] = {}
        self._when: dict[str, float] = {}
        self._there = storage.files()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Sends the rest. Raises SweepFailed where that is not possible."""
        self._over.set()
        self._thread.join()
        if self._lock.lost:
            raise SweepFailed(self._folder.path, f"{self._storage.url}: {self._lock.lost} has taken it over")
        try:
            self._pass(all_of_it=True)
        except OSError as error:
            self._storage.patience = 0.0  # nothing waits for it any longer
            raise SweepFailed(
                self._folder.path,
                f"{self._storage.url} did not answer for {PATIENCE:g} s ({reason(error)}); all is in "
                f"{self._folder.path}, and --resume on this machine sends it",
            ) from None

    def _run(self) -> None:
        pause = EVERY
        while not self._over.wait(pause):
            start = time.monotonic()
            try:
                if self._lock.lost:
                    return
                scan = self._pass()
                pause = max(EVERY, scan / _SCAN_SHARE, time.monotonic() - start)
            except OSError as error:
                _LOG.warning(
                    "%s: not written for %.0f s: %s", self._storage.url, time.monotonic() - start, reason(error)
                )

    def _pass(self, all_of_it: bool = False) -> float:
        """Sends what has changed, in an order that leaves what is there whole; gives the seconds that looking took."""
        start = time.monotonic()
        folder = self._folder
        if not folder.is_ours:
            return 0.0
        journal = folder.journal.read_bytes()  # before the records: all that it tells has one
        states = {**dict(_states(folder.path)), folder.journal.name: (len(journal), 0)}
        took = time.monotonic() - start
        if not self._sent:
            self._sent = {n: s for n, s in states.items() if _same(s, self._there.get(n))}
        changed = [name for name, state in states.items() if self._sent.get(name) != state]
        late = [name for name in changed if all_of_it or self._is_due(name, states[name])]
        for name in sorted(late, key=lambda name: (self._rank(name), states[name][1])):
            self._send(name, states[name], journal if name == folder.journal.name else None)
        gone = self._sent.keys() - states.keys()
        self._storage.delete(sorted(gone))
        for name in gone:
            del self._sent[name]
        return took

    def _is_due(self, name: str, state: State) -> bool:
        """Whether a change is worth sending now."""
        before, _ = self._sent.get(name, (0, 0))
        grown = state[0] < _LARGE or state[0] >= _GROWTH * before
        return grown or time.monotonic() - self._when.get(name, -math.inf) >= _LATE

    def _rank(self, name: str) -> int:
        """Records before the study and the rest behind it; each in the order in which it was written here."""
        folder = self._folder
        if name in (folder.experiment.name, folder.format.name) or name.startswith(f"{folder.records.name}/"):
            return 0
        return {folder.journal.name: 1, folder.progress.name: 3}.get(name, 2)

    def _send(self, name: str, state: State, data: bytes | None = None) -> None:
        if data is None:
            try:
                data = (self._folder.path / name).read_bytes()
            except OSError:  # it was removed since, or is being replaced: another time
                return
        self._storage.write(name, data)
        self._sent[name], self._when[name] = state, time.monotonic()


class _Lock:
    """lock.json: {"id", "host", "pid", "beat"} of the sweep that writes, which a thread of its own keeps rewriting.

    If another sweep has written it, because ours was silent for too long, ours ends as after Ctrl-C.
    """

    def __init__(self, storage: Storage):
        self._storage = storage
        self._mine = {"id": secrets.token_hex(8), "host": socket.gethostname(), "pid": os.getpid()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lock", daemon=True)
        self.lost = ""
        """Who else has written it since."""

    def __enter__(self) -> _Lock:
        try:
            self._take()
        except OSError as error:
            raise SweepError(f"--out {self._storage.url}: cannot be written ({reason(error)})") from None
        self._thread.start()
        return self

    def _take(self) -> None:
        other = self._read()
        if other and self._lives(other):
            raise SweepError(
                f"{self._storage.url}: another sweep is writing to it ({_who(other)}); wait for it, or stop it first"
            )
        if other:
            _LOG.warning("%s: its last driver, %s, died; going on from what it left", self._storage.url, _who(other))
        self._write()
        if self._read().get("id") != self._mine["id"]:  # two began at the same time
            raise SweepError(f"{self._storage.url}: another sweep is writing to it; wait for it, or stop it first")

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        if not self.lost:
            try:
                self._storage.delete([LOCK])
            except OSError as trouble:
                _LOG.warning("%s: %s was left there: %s", self._storage.url, LOCK, trouble)

    def _run(self) -> None:
        while not self._over.wait(BEAT):
            try:
                other = self._read()
                if other.get("id", self._mine["id"]) != self._mine["id"]:
                    self.lost = f"another sweep ({_who(other)})"
                    os.kill(os.getpid(), signal.SIGINT)
                    return
                self._write()
            except OSError as error:
                _LOG.warning("%s: %s was not renewed: %s", self._storage.url, LOCK, reason(error))

    def _write(self) -> None:
        self._storage.write(LOCK, json.dumps({**self._mine, "beat": time.time()}).encode())

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._storage.read(LOCK)))
        except (FileNotFoundError, ValueError):
            return {}

    def _lives(self, other: dict[str, Any]) -> bool:
        """Whether the owner does: by its process on this machine; elsewhere by what it writes while we watch."""
        if other.get("host") == self._mine["host"]:
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
            time.sleep(1.0)
        return False


def _who(owner: dict[str, Any]) -> str:
    return f"process {owner.get('pid')} on {owner.get('host')}"


def _same(here: State, there: State | None) -> bool:
    """Whether an object is a file's that was sent before: as large, and not older."""
    return there is not None and here[0] == there[0] and here[1] <= there[1]


def _states(path: Path) -> Iterator[tuple[str, State]]:
    for file in path.rglob("*"):
        name = file.relative_to(path).as_posix()
        if is_result(name) and name != LOCK and file.is_file():
            try:
                status = file.stat()
            except OSError:
                continue
            yield name, (status.st_size, status.st_mtime_ns)
