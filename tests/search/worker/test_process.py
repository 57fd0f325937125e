"""Calls in processes of their own: what they return, how they end, and what ends with them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from gansearch.search.worker import process as module
from gansearch.search.worker.process import Origin, ProcessDied, ProcessRaised, call
from tests.search.worker import calls

HERE = "tests.search.worker.calls"
SECONDS = 60


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """Of a task that notes in which process it reads its data; its server is started by the first call."""
    folder = tmp_path_factory.mktemp("read")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANSEARCH_TEST_READ", str(folder / "read"))
        one = Origin(f"{calls.__file__}:Mine", {})
        yield one
        if one.key in module._servers:
            module._servers.pop(one.key).close()
        assert len((folder / "read").read_text().splitlines()) == 1, "each process has the data that the server read"


def gone(*pids):
    """Whether these processes end within a minute."""
    by = time.monotonic() + SECONDS
    alive = set(pids)
    while alive and time.monotonic() < by:
        alive = {pid for pid in alive if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"}
        time.sleep(0.05)
    return not alive


def test_each_call_has_a_process_of_its_own_that_has_ended_when_it_returns(origin):
    pids = {call(origin, f"{HERE}:pid", (), {}) for _ in range(3)}
    assert len(pids - {os.getpid()}) == 3
    assert not any(map(psutil.pid_exists, pids))


def test_a_process_asks_what_its_caller_knows(origin):
    assert call(origin, f"{HERE}:asks", (3,), {"double": lambda number: 2 * number}) == [6, 12]


def test_what_a_function_raises_is_raised_with_its_traceback(origin):
    with pytest.raises(ProcessRaised) as raised:
        call(origin, f"{HERE}:raises", (), {})
    assert str(raised.value).strip().endswith("ValueError: no such luck")
    assert "calls.py" in str(raised.value)


@pytest.mark.parametrize(
    ("function", "args", "why"),
    [("exits", (3,), "exit status 3"), ("exits", (0,), "exit status 0"), ("kills_itself", (), "ended by SIGSEGV")],
)
def test_how_a_process_ended_without_a_result_is_said(origin, function, args, why):
    with pytest.raises(ProcessDied, match=why):
        call(origin, f"{HERE}:{function}", args, {})
    assert call(origin, f"{HERE}:pid", (), {})


def test_what_a_caller_raises_stops_the_process_which_may_clean_up(origin, tmp_path):
    def stop():
        raise SystemExit(0)

    with pytest.raises(SystemExit):
        call(origin, f"{HERE}:stopped", (tmp_path / "cleaned",), {"stop": stop})
    assert (tmp_path / "cleaned").exists()


def test_functions_for_the_end_are_called_and_what_was_started_ends_too(origin, tmp_path):
    started = call(origin, f"{HERE}:leaves", (tmp_path / "ended",), {})
    assert (tmp_path / "ended").exists()
    assert gone(started)


def test_what_a_killed_loop_leaves_is_in_the_folder_that_the_server_removes(origin, tmp_path):
    with pytest.raises(ProcessDied, match="SIGKILL"):
        call(origin, f"{HERE}:dies_with_files", (tmp_path / "folder",), {})
    left = Path((tmp_path / "folder").read_text())
    assert (left / "weights.pt").exists()
    assert left.parent == origin.folder


@pytest.mark.slow
def test_a_process_ends_with_its_caller_and_the_server_after_the_last_one(tmp_path):
    """The caller is killed, so that nothing of its own can see to it."""
    script = (
        "import sys; from gansearch.search.worker import fork_server; "
        "from gansearch.search.worker.process import Origin, call; one = Origin('ring', {}); "
        "print(one.folder, flush=True); "
        f"call(one, '{HERE}:never_ends', (sys.argv[1],), {{}})"
    )
    path = tmp_path / "pids"
    caller = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        folder = Path(caller.stdout.readline().strip())
        by = time.monotonic() + SECONDS
        while not path.exists() or not path.read_text():
            assert time.monotonic() < by
            time.sleep(0.05)
        pids = [int(word) for word in path.read_text().split()]
        server = psutil.Process(pids[0]).parent()
        assert all(map(psutil.pid_exists, [*pids, server.pid]))
    finally:
        caller.kill()
        caller.wait()
    assert gone(*pids)
    assert gone(server.pid)
    assert not folder.exists()


def test_a_server_that_was_killed_is_replaced():
    origin = Origin("ring", {})
    try:
        servers = []
        for _ in range(3):  # the one that has loaded the task, the one that has not, and a new one
            servers.append(call(origin, f"{HERE}:parent", (), {}))
            os.kill(servers[-1], signal.SIGKILL)
            assert gone(servers[-1])
        assert len(set(servers)) == 3
    finally:
        module._servers.pop(origin.key).close()


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(module.os, "getuid", lambda: 12345)
    with pytest.raises(PermissionError, match="somebody else"):
        call(Origin("ring", {}), f"{HERE}:pid", (), {})


def test_a_folder_is_where_a_socket_can_be(monkeypatch, tmp_path):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path / ("x" * 90)))
    assert Origin("ring", {}).folder.parent == Path("/tmp")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: "/home/" + "ы" * 40)  # two bytes each
    assert Origin("ring", {}).folder.parent == Path("/tmp")
