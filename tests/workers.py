"""Ray workers in a fraction of the time: forked from a process that has imported what they import.

The imports of a worker (torch, Ray Tune, gansearch) take three seconds of a CPU, and the tests start hundreds of
workers. Ray starts each with the `py_executable` of its runtime environment. Here that is a client, `python workers.py
SOCKET SCRIPT ...`, which asks a server for a fork of itself that runs the script, and lives as long as the fork. The
first client starts the server: Ray's library reads RAY_JOB_ID and RAY_RAYLET_PID of a worker when it is loaded.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 2**16


@contextlib.contextmanager
def forked_workers() -> Iterator[str]:
    """The `py_executable` whose workers are forks."""
    with tempfile.TemporaryDirectory(prefix="workers-", dir="/tmp") as folder:  # the path of a socket must be short
        yield f"{sys.executable} -S -E {__file__} {folder}/socket"


def _request(path: Path) -> None:
    """Has a worker forked with the arguments, environment, folder and streams of this process; waits for its end."""
    with socket.socket(socket.AF_UNIX) as connection:
        with path.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                _start_server(path)
        connection.connect(str(path))
        message = json.dumps({"argv": sys.argv[2:], "env": dict(os.environ), "cwd": str(Path.cwd())}).encode()
        socket.send_fds(connection, [len(message).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(message)
        connection.recv(1)


def _start_server(path: Path) -> None:
    """Returns when the server listens at `path`."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # no thread before a fork
    command = [sys.executable, "-P", __file__, str(path)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert server.stdout is not None
    if server.stdout.readline() != b"ready\n":
        sys.exit("the server of workers did not start")


def _serve(path: Path) -> None:
    """Imports what workers import, then forks one for each request until the raylet has ended."""
    import gansearch.search.worker.trial  # noqa: F401

    raylet = Path("/proc", os.environ["RAY_RAYLET_PID"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended forks need no wait
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(1.0)
        os.write(1, b"ready\n")
        while raylet.exists():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listener.close()
                _become_worker(connection)
            connection.close()


def _become_worker(connection: socket.socket) -> None:
    """Runs the script of a request as a new interpreter would. The connection stays open as long as the process."""
    import runpy

    import numpy as np

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    message = b""
    while len(message) < int.from_bytes(length, "big"):
        message += connection.recv(_CHUNK)
    request = json.loads(message)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    np.random.seed()
    sys.argv = request["argv"]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _serve(Path(sys.argv[1]))
    else:
        _request(Path(sys.argv[1]))
