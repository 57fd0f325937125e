"""Who may be forked, and how long the server waits for workers."""

import fcntl
import os
import sys
import threading
import time

import pytest
import torch

from gansearch.search.worker import fork_server
from gansearch.search.worker.fork_server import Users, fit, measure, observe, read
from gansearch.search.worker.process import Origin, call
from tests.gan.pictures import fill
from tests.search.worker import calls
from tests.search.worker.test_process import HERE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux counts threads")


@pytest.fixture
def alone(monkeypatch):
    """As in a process with one thread, which pytest's may not be."""
    monkeypatch.setattr(fork_server, "one_thread", lambda: True)


@pytest.mark.parametrize("prepare", [read, measure, observe])
def test_a_task_that_is_loaded_is_forked_for_each_trial(alone, prepare):
    assert fit(prepare, "ring", {})


def test_what_a_distance_of_too_few_samples_has_loaded_is_kept(alone, tmp_path):
    fill(tmp_path, 60)
    assert fit(measure, "images", {"path": str(tmp_path), "size": 16, "distance": "frechet"})


@pytest.mark.parametrize(("task", "options"), [("ring", {"std": -1}), ("./nothing.py:Task", {}), ("no.such:Task", {})])
def test_a_task_that_raises_is_left_to_each_trial(alone, task, options):
    assert not fit(read, task, options)


def test_what_has_threads_or_has_asked_for_cuda_is_not_forked(alone, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert not fit(read, "ring", {})
    monkeypatch.undo()
    monkeypatch.setattr(fork_server, "one_thread", lambda: True)
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: True)
    assert not fit(read, "ring", {})


def test_threads_are_counted():
    waits = threading.Event()
    thread = threading.Thread(target=waits.wait)
    thread.start()
    assert not fork_server.one_thread()
    waits.set()
    thread.join()


def test_a_task_that_leaves_a_thread_is_loaded_in_each_process(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSEARCH_TEST_READ", str(tmp_path / "read"))
    origin = Origin(f"{calls.__file__}:Threaded", {})
    assert len({call(origin, f"{HERE}:pid", (), {}) for _ in range(2)}) == 2
    read = (tmp_path / "read").read_text().splitlines()
    assert len(read) == 1, "the process that loaded it has ended, and the functions called have not"


def test_a_trial_finds_what_its_task_imports_and_keeps_for_its_measurements(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # threads of OpenBLAS are no hindrance, nor is pyarrow's
    assert call(Origin("digits", {}), f"{HERE}:kept", (), {}) == {"sklearn", "pyarrow", "load", "classifier"}


def test_measurements_that_leave_a_thread_are_made_in_each_process_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("GANSEARCH_TEST_READ", str(tmp_path / "read"))
    origin = Origin(f"{calls.__file__}:ThreadedMeasure", {})
    assert not call(origin, f"{HERE}:has_measured", (), {})
    assert len((tmp_path / "read").read_text().splitlines()) == 1


@pytest.mark.parametrize(("says", "serves"), [(True, True), (False, False)])
def test_a_process_that_hangs_before_it_is_ready_is_ended(tmp_path, says, serves):
    (tmp_path / "users").touch()
    ready, tell = os.pipe()
    process = os.fork()
    if process == 0:
        os.write(tell, b"r" if says else b"")
        time.sleep(2.0 if says else 3600)
        os._exit(0)
    start = time.monotonic()
    assert fork_server.served(process, ready, 0.5, Users(tmp_path / "users")) == serves
    assert time.monotonic() - start < 60
    with pytest.raises(ChildProcessError):
        os.waitpid(process, 0)
    os.close(ready)
    os.close(tell)


def test_users_are_gone_once_none_has_held_the_file_for_so_long(tmp_path, monkeypatch):
    (tmp_path / "users").touch()
    now = [0.0]
    monkeypatch.setattr(fork_server.time, "monotonic", lambda: now[0])
    users = Users(tmp_path / "users")
    with (tmp_path / "users").open() as worker:
        fcntl.flock(worker, fcntl.LOCK_SH)
        now[0] = 100.0
        assert not users.gone(15)
    assert not users.gone(15)
    now[0] = 116.0
    assert users.gone(15)
