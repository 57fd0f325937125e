"""The fork server of a node: it has imported torch and loaded the sweep's task, and forks a process for each call.

A process that is forked must not have threads, nor have asked for CUDA. Torch's import does neither, but the user's
code may: so a fork of the server reads the data, a fork of that one measures the quality of some samples, with all
that this imports and keeps, and a fork of that one observes them. Each takes over only where it may be forked itself;
else what it has loaded is loaded by each process on its own.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import math
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

import gansearch.search.worker.trial  # noqa: F401 (so that no process imports it)
from gansearch.gan.conditions import quality_of
from gansearch.gan.data import data_of
from gansearch.gan.loop import trainer
from gansearch.gan.loop.main_thread import beside
from gansearch.gan.task import Task, TaskError
from gansearch.search.worker.link import Link
from gansearch.search.worker.process import USERS
from gansearch.search.worker.rows import Call, serve
from gansearch.search.worker.seed import load_once
from gansearch.search.worker.server import CHECK_SECONDS, LINGER_SECONDS, Server, Users, end_with

_MEASURE_SECONDS = 20.0
"""In which that is done, or each process does it on its own; reading data may take as long as it takes."""
_SOME = 200
"""Samples that are measured before the first trial."""
_ARROW_THREADS = "JE_ARROW_MALLOC_CONF"
"""How the allocator of pyarrow, which pandas imports and scikit-learn too, is told not to start a thread."""
_UNFIT = 3
"""Exit status of a process that must not be forked."""


def main(listener: int, folder: str, task: str, options: Mapping[str, Any]) -> None:
    """Serve workers that connect to a listening socket, until there are none any more."""
    if os.fork():
        os._exit(0)  # Ray kills the children of a worker that ends, but not their children
    environment = dict(os.environ)  # of the worker that has started this process
    sys.argv = [task.rpartition(":")[0]]
    torch.set_num_threads(1)  # so that no threads of OpenMP start
    torch.optim.Adam([torch.zeros(1)])  # the first optimizer of a process imports 800 modules
    users = Users(Path(folder, USERS))
    # What a killed process leaves there is removed with the folder. A long TMPDIR has the folder elsewhere.
    trainer.FOLDERS = folder if Path(folder).parent == Path(tempfile.gettempdir()) else None
    os.environ.setdefault(_ARROW_THREADS, "background_thread:false")
    if not prepare(task, options, users):
        return
    gc.collect()
    gc.freeze()  # what is in memory by now stays shared
    connection = Server(socket.socket(fileno=listener), users).run()
    if connection is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    answer = partial(_answer, environment)
    if isinstance(connection, Connection):
        answer(connection, lambda function, args: beside(function, Link(connection), *args).result())
    else:
        serve(connection, answer)
    _exit()


def prepare(task: str, options: Mapping[str, Any], users: Users) -> bool:
    """Prepare a task in forks, each of the last one. Return True in the one that shall serve, else False at the end."""
    for step, seconds in ((read, math.inf), (measure, _MEASURE_SECONDS), (observe, _MEASURE_SECONDS)):
        server, (ready, tell) = os.getpid(), os.pipe()
        prepared = os.fork()
        if prepared:
            os.close(tell)
            try:
                return not served(prepared, ready, seconds, users)
            finally:
                os.close(ready)
        end_with(server)
        if not fit(step, task, options):
            os._exit(_UNFIT)
        os.write(tell, b"r")
        os.close(ready)
        os.close(tell)
    return True


def fit(step: Callable[[Task], None], task: str, options: Mapping[str, Any]) -> bool:
    """Prepare a task, which is loaded, and return whether this process may be forked for each trial afterwards."""
    try:
        loaded = load_once(task, options)
        if isinstance(loaded, Task):
            step(loaded)
    except BaseException:  # noqa: BLE001 (the user's code may raise anything, and will again in each trial, which records it)
        return False
    # What asks forks, which ends the threads of OpenBLAS: it starts them again where they are needed.
    return not torch.cuda.is_initialized() and not _asked_for_cuda() and one_thread()


def read(task: Task) -> None:
    """Read a task's data."""
    data_of(task, torch.device("cpu"))


def measure(task: Task) -> None:
    """Have a task measure some held-out samples, as it will measure its fakes."""
    some, *conditions = _some(task)
    task.embedding(some)
    with suppress(TaskError):  # of so few samples a distance may say nothing: what it has loaded is kept all the same
        quality_of(task, some, some, *conditions)


def observe(task: Task) -> None:
    """Have a task observe some held-out samples."""
    some = _some(task)[0]
    task.observe(some, some)


def _some(task: Task) -> tuple[torch.Tensor, ...]:
    return data_of(task, torch.device("cpu")).first(_SOME)


def one_thread() -> bool:
    """Return whether this process has a single thread; False where that is not known."""
    return sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1


def _asked_for_cuda() -> bool:
    """Return whether a fork of this process could not use CUDA: `torch.cuda.is_available()` can be enough for that."""
    child = os.fork()
    if child == 0:
        os._exit(torch.cuda._is_in_bad_fork())
    return bool(os.waitpid(child, 0)[1])


def served(prepared: int, ready: int, seconds: float, users: Users) -> bool:
    """Wait for a process that prepares the task. Return whether it has served until there were no workers any more.

    It writes to the pipe `ready` when it is; one that has not done so after `seconds` hangs in the user's code.
    """
    by = time.monotonic() + seconds
    while True:
        process, status = os.waitpid(prepared, os.WNOHANG)
        if process:
            return status == 0
        hangs = time.monotonic() > by and not select.select([ready], [], [], 0)[0]
        if hangs or users.gone(2 * LINGER_SECONDS):
            os.kill(prepared, signal.SIGKILL)
        time.sleep(CHECK_SECONDS / 5)


def _answer(environment: Mapping[str, str], connection: Connection, run: Call) -> None:
    """Run, in a forked process, what the worker at the other end of the connection asks for; send what it returns.

    Loops of the user's own run in the main thread, as they do in a script.
    """
    function, args, own = connection.recv()
    for name in own.keys() | environment.keys():  # its GPUs, say; what the user's modules have set stays
        if own.get(name) != environment.get(name):
            os.environ.pop(name, None) if name not in own else os.environ.update({name: own[name]})

    module, _, name = function.partition(":")
    try:
        result = False, run(getattr(importlib.import_module(module), name), args)
    except BaseException:  # noqa: BLE001 (the worker raises it)
        result = True, traceback.format_exc()
    with suppress(OSError):
        connection.send(result)


def _exit() -> None:
    """End this process as Python does, but leave its memory to the system: taking down torch's modules takes 0.7 s.

    What Python does then has no public names (CPython, Py_FinalizeEx).
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(0)
