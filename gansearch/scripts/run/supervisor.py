"""Runs a script and ends all that comes of it: a program of its own, between a trial's process and the script.

It is started by `python -I -S supervisor.py` with a job as JSON on standard input, imports little, so that it is there
in 20 ms, and goes on as a daemon: neither Ray, which ends the children of a worker, nor a signal to its group reaches
it. It adopts whatever the script leaves behind (Linux: child subreaper). It ends all of that when it reads a byte from
the pipe `life`, when the other end of that pipe is closed, as by the death of the trial's process, or when the script
has ended by itself; then it writes what happened to the pipe `report`, as JSON.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

PATIENCE_SECONDS = 10.0
"""After the signal to the script alone, or after its end, until all others are asked to end."""
TERM_SECONDS = 2.0
"""After SIGTERM to all, until they are killed."""
KILL_SECONDS = 5.0
"""In which what was killed is gone, unless it cannot be."""
TOKEN = "GANSEARCH_TRIAL"
"""The variable by which a trial's processes are known, whatever they have done to their parents."""
_CHECK_SECONDS = 0.1
_SUBREAPER, _PDEATHSIG = 36, 1
"""Of prctl."""
_DEFAULT = (*range(1, signal.SIGRTMIN if hasattr(signal, "SIGRTMIN") else 32),)
_KEPT = {signal.SIGKILL, signal.SIGSTOP}


def main() -> None:
    """Read the job, become a daemon, and supervise.

    A job has the "words", "environment" and "cwd" of the script, its "stop_signal", its "token", the descriptors
    "stdout", "stderr", "life" and "report", and the "folder" to be removed if the trial's process dies.
    """
    job = json.load(sys.stdin)
    if os.fork():
        os._exit(0)
    os.setsid()
    pipes = [job[name] for name in ("stdout", "stderr", "life", "report")]
    for number in pipes:
        os.set_inheritable(number, False)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    _prctl(_SUBREAPER, 1)
    Supervisor(job).run()


class Supervisor:
    """One script, from its start until nothing of it is left."""

    def __init__(self, job: dict[str, Any]):
        """Start the script."""
        self._job = job
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._status: int | None = None
        self._stopping = self._orphaned = False
        self._killed = 0
        self._leader, self._error = started(job)
        for name in ("stdout", "stderr"):
            os.close(job[name])

    def run(self) -> None:
        """Wait for the end, end the others, and report."""
        self._wait(lambda: self._stopping or self._ended, None)
        if not self._ended:
            send(self._leader, self._job["stop_signal"])
        if not self._wait(lambda: not self._left(), PATIENCE_SECONDS):
            self._send_all(signal.SIGTERM)
            self._wait(lambda: not self._left(), TERM_SECONDS)
        by = time.monotonic() + KILL_SECONDS
        while self._left() and time.monotonic() < by:  # what is forked meanwhile is killed in the next round
            self._killed += self._send_all(signal.SIGKILL)
            self._wait(lambda: not self._left(), 2 * _CHECK_SECONDS)
        self._reap()
        left = [f"{pid} ({name(pid)})" for pid in self._left()]
        said = {"status": self._status, "error": self._error, "left": left, "killed": self._killed}
        try:
            os.write(self._job["report"], json.dumps(said).encode())
        except OSError:  # the trial's process is gone
            self._orphaned = True
        if self._orphaned and self._job["folder"]:
            shutil.rmtree(self._job["folder"], ignore_errors=True)

    @property
    def _ended(self) -> bool:
        """Whether the script itself has ended."""
        return self._status is not None or bool(self._error)

    def _wait(self, done: Callable[[], bool], seconds: float | None) -> bool:
        """Wait until something is so, at most so long; return whether it is."""
        by = None if seconds is None else time.monotonic() + seconds
        while not done():
            if by is not None and time.monotonic() >= by:
                return False
            life = [] if self._stopping else [self._job["life"]]
            ready, _, _ = select.select([self._woken, *life], [], [], None if by is None else _CHECK_SECONDS)
            if self._woken in ready:
                os.read(self._woken, 4096)
            if self._job["life"] in ready:
                self._stopping = True
                self._orphaned = not os.read(self._job["life"], 1)
            self._reap()
        return True

    def _reap(self) -> None:
        """Take the status of every process that has ended and is ours by now."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not process:
                return
            if process == self._leader:
                self._status = status

    def _left(self) -> list[int]:
        """What is left of the script; where there is no /proc, the script and its group."""
        if os.path.isdir("/proc/self"):  # noqa: PTH112 (pathlib takes as long to import as all of this)
            return members(os.getpid(), self._job["token"])
        try:
            os.killpg(self._leader, 0)
        except (OSError, TypeError):
            return [] if self._ended else [self._leader]
        return [self._leader]

    def _send_all(self, number: int) -> int:
        left = self._left()
        for process in left:
            send(process, number)
        if not os.path.isdir("/proc/self"):  # noqa: PTH112
            with suppress(OSError):
                os.killpg(self._leader, number)
        return len(left)


def started(job: dict[str, Any]) -> tuple[int, str]:
    """Start the script in a session of its own. Return its process and why it could not be started, or nothing."""
    supervisor = os.getpid()
    told, tell = os.pipe()  # closed by a successful exec
    leader = os.fork()
    if not leader:
        try:
            _become(job, supervisor)
        except OSError as error:
            what = job["cwd"] if error.filename == job["cwd"] else job["words"][0]
            os.write(tell, f"{error.strerror}: {what}".encode())
        finally:
            os._exit(127)
    os.close(tell)
    why = os.read(told, 4096).decode(errors="replace")
    os.close(told)
    return leader, why


def _become(job: dict[str, Any], supervisor: int) -> NoReturn:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in _DEFAULT:  # what is ignored stays so over an exec
        if number not in _KEPT and signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.dup2(job["stdout"], 1)
    os.dup2(job["stderr"], 2)
    os.chdir(job["cwd"])
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(127)
    os.execvpe(job["words"][0], job["words"], job["environment"])


def members(supervisor: int, token: str) -> list[int]:
    """The living processes that descend from the supervisor, or that carry the token of its trial."""
    parents, carriers = {}, set()
    mark = f"{TOKEN}={token}".encode()
    for process, state, parent in processes():
        if state not in ("Z", "X") and process != supervisor:
            parents[process] = parent
            if mark in _told(process, "environ").split(b"\0"):
                carriers.add(process)
    found = carriers
    while more := {one for one, parent in parents.items() if (parent in found or parent == supervisor)} - found:
        found |= more
    return sorted(found)


def processes() -> Iterator[tuple[int, str, int]]:
    """(process, state, parent) of every process that /proc shows."""
    for entry in os.listdir("/proc"):  # noqa: PTH208
        fields = _told(entry, "stat").rpartition(b")")[2].split() if entry.isdigit() else ()
        if len(fields) > 1:
            yield int(entry), fields[0].decode(), int(fields[1])


def name(process: int) -> str:
    """What a process is called."""
    return _told(process, "comm").decode(errors="replace").strip() or "?"


def _told(process: int | str, what: str) -> bytes:
    """What /proc says of a process; nothing where it has just ended, or is another user's."""
    try:
        with open(f"/proc/{process}/{what}", "rb") as file:  # noqa: PTH123 (pathlib is not imported here)
            return file.read()
    except OSError:
        return b""


def send(process: int, number: int) -> None:
    """Send a signal to a process, which may have ended."""
    with suppress(OSError):
        os.kill(process, number)


def _prctl(option: int, value: int) -> None:
    """Call prctl where there is one; ctypes may be missing in a small Python."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
