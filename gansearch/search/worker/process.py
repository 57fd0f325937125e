"""Calls of functions in processes of their own, each forked from one that has torch and the task in memory.

There is one such fork server for each node and sweep. The first worker that needs it starts it, and it ends some
seconds after the last one has. `gansearch.search.worker.fork_server` is its program.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any
from uuid import uuid4

from gansearch.experiment import Experiment
from gansearch.search.worker.link import answer

FORK, JOIN, KILL = b"f", b"j", b"k"
"""What a worker asks of the server: a process, with one end of a connection to it; to be one of the workers of a
process of rows, with the same; to end its part of either."""
JOINED = struct.Struct("!H16s")
"""What follows JOIN: how many such processes there may be, and the GPUs that they use, in 16 bytes."""
STATUS = struct.Struct("!i")
"""What the server tells of a process that has ended: its status, as os.waitpid gives it."""
USERS = "users"
"""The file of a server's folder that each worker which may need it holds locked."""
_SOCKET, _LOCK = "socket", "lock"
_END_SECONDS = 10.0
"""In which a process that has returned its result, or that was stopped, ends by itself."""
_LONGEST_PATH = 90
"""Characters of a socket's path; Linux takes 107, macOS 103."""
_PROGRAM = (
    "import pickle, sys; sys.path[:], given = pickle.load(sys.stdin.buffer); "
    "from gansearch.search.worker.fork_server import main; main(*given)"
)


class ProcessDied(RuntimeError):
    """The process of a call ended before it returned: killed, or ended by the code that it ran."""


class ProcessRaised(RuntimeError):
    """The function of a call raised; the message is its traceback."""


@dataclass(frozen=True)
class Origin:
    """What the processes of a sweep are forked from: torch, and its task with the data that this has read."""

    task: str
    options: Mapping[str, Any]
    key: str = field(default_factory=lambda: uuid4().hex[:16])
    """Nobody else can guess where the server listens."""

    @classmethod
    def of(cls, experiment: Experiment) -> Origin:
        """Return the origin of a sweep's processes."""
        return cls(experiment.task_name, dict(experiment.task_options))

    @property
    def folder(self) -> Path:
        """The server's folder on this node."""
        folder = Path(tempfile.gettempdir(), f"gansearch-{self.key}")
        return folder if len(os.fsencode(folder)) < _LONGEST_PATH else Path("/tmp", folder.name)


def call(
    origin: Origin,
    function: str,
    args: tuple[Any, ...],
    known: Mapping[str, Callable[..., Any]],
    at_once: bool = False,
    rows: int = 0,
) -> Any:
    """Return what `module:function` returns for (link, *args) in a new process; `known` is what its link may call.

    Only calls that are said to be `at_once` may be made by several threads at the same time. With `rows` the process
    may have other workers as well, as in `gansearch.search.worker.rows`: a node has so many of these for each GPU.

    Raises:
        ProcessDied: The process ended without a result.
        ProcessRaised: The function raised.
        BaseException: What a known function raises, after which the process is given time to end.
    """
    with _process(origin, at_once, rows) as (connection, server):
        try:
            with suppress(OSError):  # it has died
                connection.send((function, args, dict(os.environ)))
            while isinstance((message := _received(connection, server))[0], str):
                answer(connection, known[message[0]], message[1])
        finally:
            server.wait(0 if rows else _END_SECONDS)
        raised, result = message
    if raised:
        raise ProcessRaised(result)
    return result


class _Server:
    """This worker's connection to the fork server of its node, and the process that it has of it."""

    def __init__(self, origin: Origin):
        """Start the server if there is none."""
        self.status: int | None = None
        """How the process ended; None while it lives, or where the server is gone."""
        origin.folder.mkdir(mode=0o700, exist_ok=True)
        if origin.folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{origin.folder} belongs to somebody else")
        self._users = _locked(origin.folder / USERS, fcntl.LOCK_SH)
        with os.fdopen(_locked(origin.folder / _LOCK, fcntl.LOCK_EX)):
            self._socket = _connected(origin.folder / _SOCKET) or _started(origin)

    def fork(self, end: socket.socket, rows: int) -> None:
        """Have a process forked, or be one of its workers, as `call` says, with one end of a connection.

        Raises OSError where the server is gone.
        """
        self.status = None
        visible = ",".join(os.environ.get(f"{kind}_VISIBLE_DEVICES", "") for kind in ("CUDA", "HIP", "ROCR"))
        gpus = hashlib.md5(visible.encode(), usedforsecurity=False).digest()
        asked = [JOIN, JOINED.pack(rows, gpus)] if rows else [FORK]
        socket.send_fds(self._socket, asked, [end.fileno()])

    def fileno(self) -> int:
        """Return what is readable once the process has ended, or the server."""
        return self._socket.fileno()

    def wait(self, seconds: float) -> None:
        """Wait until the process has ended. After `seconds` it is killed, or left to its other workers."""
        if self.status is not None or self.fileno() < 0:
            return
        told = b""
        with suppress(OSError):  # the server is gone
            if not wait([self.fileno()], seconds):
                self._socket.sendall(KILL)
            told = self._socket.recv(STATUS.size, socket.MSG_WAITALL)
        if told:
            self.status = STATUS.unpack(told)[0]
        else:
            self.close()

    def close(self) -> None:
        """Leave the server, which ends the process."""
        self._socket.close()
        if self._users >= 0:
            os.close(self._users)
            self._users = -1


_servers: dict[str, _Server] = {}
"""That of the last origin, as long as this worker lives."""


@contextmanager
def _process(origin: Origin, at_once: bool, rows: int) -> Iterator[tuple[Connection, _Server]]:
    """Yield the connection to a process, and its server. The process has ended afterwards, or is left to others."""
    connected = _Server if at_once else _server
    ours, theirs = socket.socketpair()
    with Connection(ours.detach()) as connection:
        with theirs:
            server = connected(origin)
            try:
                server.fork(theirs, rows)
            except OSError:  # it has ended since the last call
                server.close()
                server = connected(origin)
                server.fork(theirs, rows)
        try:
            yield connection, server
        finally:
            server.wait(0)
            if at_once:
                server.close()


def _server(origin: Origin) -> _Server:
    server = _servers.get(origin.key)
    if server is None or server.fileno() < 0:
        for other in _servers.values():
            other.close()
        _servers.clear()
        server = _servers[origin.key] = _Server(origin)
    return server


def _received(connection: Connection, server: _Server) -> tuple[Any, Any]:
    """Return the next message of a process. Raises ProcessDied where it has ended without one."""
    with suppress(EOFError, OSError):
        if connection in wait([connection, server.fileno()]) or connection.poll():
            message: tuple[Any, Any] = connection.recv()
            return message
    server.wait(_END_SECONDS)
    raise ProcessDied(_why(server.status))


def _why(status: int | None) -> str:
    if status is None:
        return "the process that trials are forked from ended, and its trials with it"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"its process ended with exit status {code}"
    memory = ", as the system does where memory is short" if code == -signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-code).name}{memory}"


def _locked(path: Path, mode: int) -> int:
    """Return the descriptor of a file that is locked as long as it is open."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(descriptor, mode)
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        os.close(descriptor)  # a server that has ended has removed it
        path.parent.mkdir(mode=0o700, exist_ok=True)


def _connected(path: Path) -> socket.socket | None:
    """Return a connection to the server; None where there is none."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _started(origin: Origin) -> socket.socket:
    """Start the server, and return a connection to it. It is served once torch is imported and the task is loaded."""
    path = origin.folder / _SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(socket.SOMAXCONN)
        started = launch(listener.fileno(), str(origin.folder), origin.task, origin.options)
    connection = _connected(path) if started else None
    if connection is None:
        path.unlink(missing_ok=True)
        raise ProcessDied("the process that trials are forked from did not start; Ray's logs have its error")
    return connection


def launch(listener: int, *given: Any) -> bool:
    """Start the program of a server, which goes on as a daemon. Return whether it has come so far."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, pass_fds=[listener], start_new_session=True
    )
    process.communicate(pickle.dumps((sys.path, (listener, *given))))
    return process.returncode == 0
