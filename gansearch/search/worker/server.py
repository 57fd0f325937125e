"""The fork server while it serves: the workers that ask it for processes, and the processes that it has forked."""

from __future__ import annotations

import ctypes
import fcntl
import math
import os
import selectors
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from gansearch.search.worker.process import FORK, JOIN, JOINED, STATUS
from gansearch.search.worker.rows import CONNECTION

LINGER_SECONDS = 15.0
"""For which the server waits for workers where there are none."""
CHECK_SECONDS = 1.0
END_SECONDS = 15.0
"""A process of rows may take so long to end, once its last worker has left."""
_PR_SET_PDEATHSIG = 1

Ended = TypeVar("Ended", Connection, socket.socket)


class Users:
    """The workers that may need the server: each holds a file locked."""

    def __init__(self, path: Path):
        """Look at the locks of a file."""
        self._descriptor = os.open(path, os.O_RDWR)
        self._seen = time.monotonic()

    def note(self) -> None:
        """Count the seconds from now on: there are some."""
        self._seen = time.monotonic()

    def gone(self, seconds: float) -> bool:
        """Return whether there have been none for so long; then none can come."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._seen = time.monotonic()
            return False
        if time.monotonic() - self._seen > seconds:
            return True
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return False


@dataclass
class _Process:
    """What the server knows of a process that it has forked."""

    workers: list[socket.socket]
    control: socket.socket | None = None
    """Through which connections come to a process of rows; closed once it has no workers."""
    gpus: bytes = b""
    killed_at: float = math.inf
    """When it is killed if it has not ended by itself, since its last worker has left."""

    def is_open(self, gpus: bytes) -> bool:
        """Return whether trials with these GPUs may become rows of it."""
        return self.control is not None and bool(self.workers) and self.gpus == gpus


class Server:
    """Forks a process for each worker that asks for one, tells how the process ended, and ends it with the worker.

    A process of rows has several workers, and ends with the last of them.
    """

    def __init__(self, listener: socket.socket, users: Users):
        """Serve the workers that connect to `listener`."""
        self._listener, self._users = listener, users
        self._selector = selectors.DefaultSelector()
        self._processes: dict[int, _Process] = {}
        self._woken, self._wake = socket.socketpair()

    def run(self) -> Connection | socket.socket | None:
        """Return None at the end, and in a forked process its connection, or what brings it those of its rows."""
        self._wake.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it wakes the selector
        for one in (self._listener, self._woken):
            self._selector.register(one, selectors.EVENT_READ)
        while self._processes or not self._users.gone(LINGER_SECONDS):
            for key, _ in self._selector.select(CHECK_SECONDS):
                asked: Any = key.fileobj
                if asked is self._listener:
                    self._selector.register(self._listener.accept()[0], selectors.EVENT_READ)
                elif asked is self._woken:
                    self._woken.recv(4096)
                elif (connection := self._heard(asked)) is not None:
                    return connection
            self._note_ended()
            self._kill_late()
            if self._processes:
                self._users.note()
        return None

    def _heard(self, worker: socket.socket) -> Connection | socket.socket | None:
        """Do what a worker asks. Return the connection of a process that is forked, in this process."""
        try:
            request, descriptors, _, _ = socket.recv_fds(worker, 1, 1)
            if request in (FORK, JOIN) and not descriptors:
                raise OSError("too many open files")
            most, gpus = JOINED.unpack(worker.recv(JOINED.size, socket.MSG_WAITALL)) if request == JOIN else (0, b"")
        except (OSError, struct.error):
            request, descriptors = b"", []
        if request == FORK:
            return self._fork(worker, Connection(descriptors[0]))
        if request == JOIN:
            return self._join(worker, Connection(descriptors[0]), most, gpus)
        for number, process in self._processes.items():
            if worker not in process.workers:
                continue
            if process.control is None:
                _kill_group(number)
            else:
                self._leave(process, worker)
        if not request:
            self._selector.unregister(worker)
            worker.close()
        return None

    def _join(self, worker: socket.socket, connection: Connection, most: int, gpus: bytes) -> socket.socket | None:
        """Give a connection to the process of rows with the fewest, or to a new one while there are less than most."""
        open_ = [process for process in self._processes.values() if process.is_open(gpus)]
        if len(open_) < most:
            ours, theirs = socket.socketpair()
            before = len(self._processes)
            if self._fork(worker, theirs, ours, gpus):
                connection.close()
                ours.close()
                return theirs
            if len(self._processes) == before:
                connection.close()
                return None
            open_ = [list(self._processes.values())[-1]]
        process = min(open_, key=lambda process: len(process.workers))
        if worker not in process.workers:
            process.workers.append(worker)
        assert process.control is not None
        with connection, suppress(OSError):  # it has died, which is noted later
            socket.send_fds(process.control, [CONNECTION], [connection.fileno()])
        return None

    def _leave(self, process: _Process, worker: socket.socket) -> None:
        """Take a worker from a process of rows, which ends with the last one."""
        process.workers.remove(worker)
        with suppress(OSError):  # it has ended
            worker.sendall(STATUS.pack(0))
        if not process.workers and process.control:
            process.control.close()
            process.killed_at = time.monotonic() + END_SECONDS

    def _fork(
        self, worker: socket.socket, end: Ended, control: socket.socket | None = None, gpus: bytes = b""
    ) -> Ended | None:
        """Fork a process for a worker; return its end of a connection in that process, after closing it in this one."""
        server = os.getpid()
        try:
            number = os.fork()
        except OSError:  # no memory, or too many processes: only this worker's trial has failed
            end.close()
            if control:
                control.close()
            with suppress(OSError):
                worker.sendall(STATUS.pack(os.EX_OSERR << 8))
            return None
        if number:
            end.close()
            self._processes[number] = _Process([worker], control, gpus)
            with suppress(OSError):
                os.setpgid(number, number)  # before it may be killed
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        end_with(server)
        for key in list(self._selector.get_map().values()):
            held: Any = key.fileobj
            held.close()
        self._selector.close()
        self._wake.close()
        for process in self._processes.values():
            if process.control:
                process.control.close()
        return end

    def _kill_late(self) -> None:
        """Kill the processes of rows that do not end, as where a thread of the user's code goes on."""
        for number, process in self._processes.items():
            if time.monotonic() > process.killed_at:
                _kill_group(number)

    def _note_ended(self) -> None:
        """Tell workers of the processes that have ended; what these have started ends with them."""
        while self._processes:
            number, status = os.waitpid(-1, os.WNOHANG)
            if not number:
                return
            process = self._processes.pop(number, None)
            if process is None:  # a child of the task's own code
                continue
            _kill_group(number)
            for worker in process.workers:
                with suppress(OSError):  # it has ended too
                    worker.sendall(STATUS.pack(status))
            if process.control:
                process.control.close()


def _kill_group(process: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def end_with(server: int) -> None:
    """Have this process killed when the server ends, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server:
            os._exit(1)
