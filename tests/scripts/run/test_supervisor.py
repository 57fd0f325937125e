import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gansearch.scripts.run import supervisor
from gansearch.scripts.run.process import Process
from tests.scripts.conftest import gone

DOUBLE_FORK = """
import os, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(1000)
"""


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A supervisor that waits for tenths of seconds, in a file of its own: it is a program."""
    text = Path(supervisor.__file__).read_text()
    for name in ("PATIENCE_SECONDS = 10.0", "TERM_SECONDS = 2.0"):
        assert name in text
        text = text.replace(name, f"{name.split()[0]} = 0.4")
    file = tmp_path / "supervisor.py"
    file.write_text(text)
    monkeypatch.setattr(supervisor, "__file__", str(file))


def started(code: str, token: str, tmp_path: Path, **options: object) -> Process:
    process = Process([sys.executable, "-c", code], dict(os.environ), tmp_path, token=token, **options)  # type: ignore[arg-type]
    return process


def waited_for(process: Process, text: bytes) -> None:
    by = time.monotonic() + 60
    while text not in process.output.stdout.kept():
        assert time.monotonic() < by
        time.sleep(0.02)


def test_a_script_that_ignores_sigterm_and_forks_twice_leaves_nothing(patience: None, tmp_path: Path) -> None:
    code = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.run([sys.executable, "-c", {DOUBLE_FORK!r}])
print("ready", flush=True)
time.sleep(1000)
"""
    process = started(code, "ignores", tmp_path)
    waited_for(process, b"ready")
    assert len(supervisor.members(-1, "ignores")) == 2
    process.stop()
    ended = process.close()
    assert ended.code == -signal.SIGKILL
    assert ended.left == ()
    assert gone("ignores")


def test_the_signal_goes_to_the_script_alone_first(patience: None, tmp_path: Path) -> None:
    code = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
def end(*_):
    print("child", child.poll(), flush=True)
    child.terminate()
    raise SystemExit(7)
signal.signal(signal.SIGINT, end)
print("ready", flush=True)
time.sleep(1000)
"""
    process = started(code, "alone", tmp_path, stop_signal=signal.SIGINT)
    waited_for(process, b"ready")
    process.stop()
    assert process.close().code == 7
    assert b"child None" in process.output.stdout.kept()


def test_what_outlives_a_script_that_ended_by_itself_is_ended(patience: None, tmp_path: Path) -> None:
    # It leaves its session, its parent and the variables of its environment behind.
    code = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {DOUBLE_FORK!r}], env={{}})"
    process = started(code, "outlives", tmp_path)
    ended = process.wait(20)
    assert ended is not None
    assert ended.is_success
    process.close()
    assert gone("outlives")


def test_a_worker_that_is_killed_leaves_neither_processes_nor_its_folder(patience: None, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "script.py").write_text(
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {DOUBLE_FORK!r}]); "
        "open(__file__ + '.forked', 'w'); time.sleep(1000)"
    )
    program = f"""
import os, sys, time
from pathlib import Path
from gansearch.scripts.run import supervisor
from gansearch.scripts.run.process import Process
supervisor.__file__ = {supervisor.__file__!r}
folder = Path({str(folder)!r})
words = [sys.executable, str(folder.parent / "script.py")]
process = Process(words, dict(os.environ), folder, token="killed", folder=folder)
while not Path(words[1] + ".forked").exists() and not process.wait(0.02):
    pass
print("ready", flush=True)
time.sleep(30)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"ready\n"
        assert len(supervisor.members(-1, "killed")) == 2
        worker.kill()
    by = time.monotonic() + 60
    while (supervisor.members(-1, "killed") or folder.exists()) and time.monotonic() < by:
        time.sleep(0.05)
    assert supervisor.members(-1, "killed") == []
    assert not folder.exists()


def test_a_script_has_a_session_and_no_input_and_the_usual_signals(patience: None, tmp_path: Path) -> None:
    code = """
import os, signal, sys
print(os.getsid(0) == os.getpid(), repr(sys.stdin.read()), [signal.getsignal(n) for n in (2, 13, 15)])
os.write(1, open("/proc/self/status").read().split("SigIgn:")[1].split()[0].encode())
"""
    process = started(code, "session", tmp_path)
    assert process.wait(20) is not None
    process.close()
    # Python itself ignores SIGPIPE (13), which is bit 12, and SIGXFSZ (25).
    assert b"True ''" in process.output.stdout.kept()
    ignored = int(process.output.stdout.kept().splitlines()[-1], 16)
    assert ignored & 0x7FFFFFFF == 0x1001000  # beyond are those of the C library


def test_it_starts_without_torch_and_at_once() -> None:
    source = Path(supervisor.__file__).read_text()
    assert "import gansearch" not in source
    assert "from gansearch" not in source
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", supervisor.__file__],
        input=b"x",
        capture_output=True,
        check=False,
    )
    assert b"numpy" not in run.stderr
    assert b"subprocess" not in run.stderr
