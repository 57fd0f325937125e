import os
import signal
import sys
from pathlib import Path

import pytest

from gansearch.scripts.run.process import Ended, Process


def run(code: str, tmp_path: Path) -> Process:
    process = Process([sys.executable, "-c", code], dict(os.environ), tmp_path, token="process")
    assert process.wait(20) is not None
    process.close()
    return process


def test_its_output_and_its_exit_status_are_known(tmp_path: Path) -> None:
    process = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", tmp_path)
    assert process.ended == Ended(3)
    assert process.output.stdout.kept() == b"out\n"
    assert process.output.stderr.kept() == b"err\n"


@pytest.mark.parametrize(
    ("ended", "text"),
    [
        (Ended(0), "it ended with exit status 0"),
        (Ended(-signal.SIGKILL), "it was ended by SIGKILL, as the system does where memory is short"),
        (Ended(-signal.SIGSEGV), "it was ended by SIGSEGV"),
        (Ended(-40), "it was ended by signal 40"),
        (Ended(None), "its supervisor was killed"),
        (Ended(None, "No such file or directory: nope"), "it cannot be started (No such file or directory: nope)"),
    ],
)
def test_how_it_ended_is_said_in_words(ended: Ended, text: str) -> None:
    assert str(ended) == text


def test_a_program_that_does_not_exist_is_said(tmp_path: Path) -> None:
    process = Process(["no-such-program"], dict(os.environ), tmp_path, token="none")
    ended = process.wait(20)
    process.close()
    assert ended is not None
    assert "No such file or directory: no-such-program" in str(ended)
    assert not ended.is_success


def test_its_environment_is_what_it_is_given(tmp_path: Path) -> None:
    code = "import os; print(sorted(n for n in os.environ if n[:2] in ('GA', 'MY')))"
    process = Process([sys.executable, "-c", code], {"MY": "x"}, tmp_path, token="environment")
    process.wait(20)
    process.close()
    assert process.output.stdout.kept() == b"['GANSEARCH_TRIAL', 'MY']\n"
