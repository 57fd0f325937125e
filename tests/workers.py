"""Ray workers in a fraction of the time: forked from a process that has imported what they import.

The imports of a worker (torch, Ray Tune, gansearch) take seconds of a CPU, and the tests start hundreds of workers.
Ray starts each by a script, `setup_worker.py`. Here that script is this file. It asks a server for a fork that becomes
the worker, and lives as long as the fork. Each Ray has such a server, because Ray's library reads RAY_JOB_ID and
RAY_RAYLET_PID when it is loaded, and the first of its workers starts it. The server that gansearch forks trials from is
such a fork too. The servers themselves are forks of one process for all tests, which has imported the rest.
"""

import argparse
import errno
import fcntl
import importlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RUN = "GANSEARCH_TESTS"
"""The environment variable with the process of the run of tests."""
_CHUNK = 2**16
_LISTENER = 100


def fork_workers() -> None:
    """Let every Ray that this process starts fork its workers."""
    from ray._private import ray_constants

    # An absolute path replaces the folder that this is joined to (Ray 2.60, ray/_private/node.py).
    ray_constants.SETUP_WORKER_FILENAME = __file__
    # Workers that Ray starts before there is a job would be forked by a server of their own, which imports all again.
    os.environ["RAY_prestart_worker_first_driver"] = "0"  # noqa: SIM112


@contextmanager
def local_ray(gpus: int = 0) -> Iterator[None]:
    """Ray with two CPUs, whose workers are forks, and GPUs that are not there."""
    import ray

    from gansearch.search.cluster.ray_patches import without_watchers

    fork_workers()
    os.environ["REPORTER_UPDATE_INTERVAL_MS"] = "60000"  # of what every worker takes, which nobody looks at
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    handler = signal.getsignal(signal.SIGTERM)
    with without_watchers():
        ray.init("local", num_cpus=2, num_gpus=gpus, object_store_memory=10**8, **quiet)
    signal.signal(signal.SIGTERM, handler)  # Ray takes it
    yield
    ray.shutdown()


def _request(argv: list[str]) -> None:
    """Have a worker forked with the arguments, environment, folder and streams of this process; wait for its end."""
    parser = argparse.ArgumentParser()
    for option in ("--raylet-name", "--serialized-runtime-env-context", "--language"):
        parser.add_argument(option, default="")
    options, passed = parser.parse_known_args(argv)
    if not options.raylet_name:  # the server of Ray Client, which is no worker
        os.execv(sys.executable, [sys.executable, *passed])
    context = json.loads(options.serialized_runtime_env_context or "{}")
    variables = {name: os.path.expandvars(value) for name, value in context.get("env_vars", {}).items()}
    enter = " ".join([*context.get("command_prefix", ()), "pwd"])  # of a working directory: cd FOLDER &&
    path = Path(options.raylet_name).with_name(f"workers-{os.environ['RAY_JOB_ID']}")
    request = {
        "server": str(path),
        "argv": [*passed, f"--raylet-name={options.raylet_name}"],
        "environment": {**os.environ, **variables},
        "folder": subprocess.check_output(["bash", "-c", enter], text=True).rstrip("\n"),
    }
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _start_server(path)
    _ask(str(path), request, [0, 1, 2])


def _ask(address: str, request: dict, descriptors: list[int]) -> None:
    """Send a request to the server there, and return once the fork has ended, or has closed the connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        message = json.dumps(request).encode()
        socket.send_fds(connection, [len(message).to_bytes(4, "big")], descriptors)
        connection.sendall(message)
        connection.recv(1)


def _start_server(path: Path) -> None:
    """Have the server of this Ray forked, and return when it listens at `path`."""
    request = {"workers": str(path), "environment": dict(os.environ)}
    common = None
    while True:
        try:
            return _ask(_common(), request, [0, 1, 2])
        except ConnectionRefusedError:
            if common is None or common.poll() == 0:  # another Ray's was faster; it is there, or has failed
                common = _start_common()
            elif common.poll():
                sys.exit("the process of which the servers of workers are forks has failed")
            time.sleep(0.1)


def _common() -> str:
    """The address of the process that is common to all Rays of a run of tests; it needs no file."""
    return f"\0gansearch-tests-{os.environ[RUN]}"


def _start_common() -> subprocess.Popen[bytes]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # no thread before a fork
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen([sys.executable, "-P", __file__, "serve"], env=environment, start_new_session=True, **quiet)


def _serve() -> None:
    """Import what all workers import but for Ray, then fork a server for each Ray until the run of tests has ended."""
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(_common())
        except OSError as error:
            if error.errno == errno.EADDRINUSE:  # that of another Ray was faster
                return
            raise
        listener.listen()  # who asks from now on waits for the imports
        for module in ("optuna", "pandas", "pyarrow.fs", "pyarrow.parquet", "gansearch.search.worker.trial"):
            importlib.import_module(module)
        import torch

        torch.optim.SGD([torch.zeros(1)])  # the first optimizer of a process imports 800 modules of torch's compiler
        _fork_for_each_request(listener, Path("/proc", os.environ[RUN]))


def _fork_for_each_request(listener: socket.socket, user: Path) -> None:
    """Until the user, a process, has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended forks need no wait
    listener.settimeout(1.0)
    while user.exists():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            listener.close()
            _answer(connection)
        connection.close()


def _answer(connection: socket.socket) -> None:
    """Become what is asked for: the server of a Ray, one of its workers, or what forks a worker's trials."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    length, streams, _, _ = socket.recv_fds(connection, 4, 4)
    message = b""
    while len(message) < int.from_bytes(length, "big"):
        message += connection.recv(_CHUNK)
    request = json.loads(message)
    if "forks" in request:
        os.dup2(streams.pop(), _LISTENER)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if "workers" in request:
        _serve_workers(request, connection)
    else:
        _become_worker(request, connection)


def _serve_workers(request: dict, connection: socket.socket) -> None:
    """Import Ray, then fork a worker for each request until the raylet has ended."""
    os.environ.clear()
    os.environ.update(request["environment"])
    importlib.import_module("gansearch.search.worker.worker")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(request["workers"])
        listener.listen()
        connection.close()
        _fork_for_each_request(listener, Path("/proc", os.environ["RAY_RAYLET_PID"]))
    os._exit(0)


def _become_worker(request: dict, connection: socket.socket) -> None:
    """Run Ray's script of a worker as a new interpreter would. The connection stays open as long as the process."""
    import runpy

    import numpy as np
    from ray import ObjectRef

    from gansearch.search.worker import fork_server, process

    # Forks go on with the random numbers of their server. Of two workers whose first objects have one name one crashes,
    # and an actor that was to live there waits for a minute.
    for _ in range(os.getpid() % 256 * 32):
        ObjectRef.from_random()

    def launch(listener: int, *given) -> bool:
        forks = pickle.dumps((sys.path, str(Path.cwd()), dict(os.environ), (_LISTENER, *given)))
        _ask(request["server"], {"forks": forks.hex()}, [0, 1, 2, listener])
        return True

    process.launch = launch
    if "forks" in request:
        connection.close()
        sys.path[:], folder, environment, given = pickle.loads(bytes.fromhex(request["forks"]))  # noqa: S301
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        fork_server.main(*given)
        os._exit(0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    np.random.seed()
    sys.argv = request["argv"]
    sent = os.environ.get("PYTHONPATH", "").split(os.pathsep)  # code that a cluster was sent is there
    sys.path[:0] = [str(Path(sys.argv[0]).parent), *filter(None, sent)]
    runpy.run_path(sys.argv[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        _request(sys.argv[1:])
