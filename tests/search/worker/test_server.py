"""Processes of rows: who shares one, and who is left when a worker or the process ends."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from gansearch.search.worker.process import Origin, ProcessDied, call
from tests.search.worker.test_process import HERE, gone


@pytest.fixture(scope="module")
def origin():
    return Origin("ring", {})


class Workers:
    """Calls in threads of this process, each of which waits for an event in the middle."""

    def __init__(self, origin, count, most=1):
        self.go = [threading.Event() for _ in range(count)]
        self.there = threading.Barrier(count + 1)
        self.pids, self.stops = [0] * count, None
        self._pool = ThreadPoolExecutor(count)
        self.calls = [self._pool.submit(self._call, origin, number, most) for number in range(count)]
        self.there.wait(60)

    def _call(self, origin, number, most):
        def meet(pid):
            self.pids[number] = pid
            self.there.wait(60)
            self.go[number].wait(60)
            if number == self.stops:
                raise KeyboardInterrupt

        return call(origin, f"{HERE}:meets", (number,), {"meet": meet}, at_once=True, rows=most)


def test_workers_share_a_process_which_ends_with_the_last_of_them(origin):
    workers = Workers(origin, 3)
    (process,) = set(workers.pids)
    for number in (1, 0):
        workers.go[number].set()
        assert workers.calls[number].result(60) == number
        assert psutil.pid_exists(process)
    workers.go[2].set()
    assert workers.calls[2].result(60) == 2
    assert gone(process)


def test_a_node_has_as_many_processes_as_its_cpus_are_for(origin):
    workers = Workers(origin, 4, most=2)
    assert sorted(map(workers.pids.count, set(workers.pids))) == [2, 2]
    for event in workers.go:
        event.set()
    assert [one.result(60) for one in workers.calls] == [0, 1, 2, 3]


def test_processes_of_other_gpus_are_not_shared(origin, monkeypatch):
    first = Workers(origin, 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    second = Workers(origin, 1)
    assert first.pids != second.pids
    for one in (first, second):
        one.go[0].set()
        assert one.calls[0].result(60) == 0


def test_a_worker_that_stops_leaves_the_others_their_process(origin):
    workers = Workers(origin, 2)
    workers.stops = 0
    for event in workers.go:
        event.set()
    with pytest.raises(KeyboardInterrupt):
        workers.calls[0].result(60)
    assert workers.calls[1].result(60) == 1
    assert gone(workers.pids[1])


def test_all_workers_of_a_process_that_dies_are_told(origin):
    workers = Workers(origin, 2)
    psutil.Process(workers.pids[0]).kill()
    for event in workers.go:
        event.set()
    for one in workers.calls:
        with pytest.raises(ProcessDied, match="SIGKILL"):
            one.result(60)
    (other,) = (later := Workers(origin, 1)).pids
    assert other not in workers.pids
    later.go[0].set()
    assert later.calls[0].result(60) == 0


def test_a_child_of_the_tasks_own_code_does_not_end_the_server():
    code = """
import os, signal
from gansearch.search.worker import server

known, own = (os.posix_spawn("/bin/sleep", ["sleep", seconds], {}) for seconds in ("60", "0"))
one = object.__new__(server.Server)
one._processes = {known: server._Process([], None, "")}
os.waitid(os.P_PID, own, os.WEXITED | os.WNOWAIT)
one._note_ended()
assert list(one._processes) == [known]
os.kill(known, signal.SIGKILL)
os.waitid(os.P_PID, known, os.WEXITED | os.WNOWAIT)
one._note_ended()
assert one._processes == {}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_process_that_cannot_be_forked_fails_its_own_worker_alone():
    code = """
import os, socket
from multiprocessing.connection import Pipe
from gansearch.search.worker import server

def full():
    raise BlockingIOError("too many processes")

os.fork = full
one, (ours, theirs) = object.__new__(server.Server), socket.socketpair()
one._processes = {}
for ask in (lambda end: one._fork(ours, end), lambda end: one._join(ours, end, 1, b"")):
    assert ask(Pipe()[0]) is None
    assert os.waitstatus_to_exitcode(*server.STATUS.unpack(theirs.recv(server.STATUS.size))) == os.EX_OSERR
assert one._processes == {}
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_process_of_rows_that_does_not_end_is_killed():
    code = """
import os, socket
from gansearch.search.worker import server

(ours, theirs), (control, _) = socket.socketpair(), socket.socketpair()
number = os.posix_spawn("/bin/sleep", ["sleep", "60"], {}, setpgroup=0)
one, process = object.__new__(server.Server), server._Process([ours], control)
one._processes = {number: process}
one._leave(process, ours)
one._kill_late()
assert os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None, "it has some seconds"
process.killed_at -= server.END_SECONDS
one._kill_late()
os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
one._note_ended()
assert one._processes == {}
"""
    subprocess.run([sys.executable, "-c", code], check=True)
