"""How a command ends that raises."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from gansearch.cli.group import Commands
from gansearch.experiment import ExperimentError
from gansearch.interrupts import Interrupted
from gansearch.search.errors import SweepFailed


@pytest.fixture
def end(monkeypatch):
    """Runs a command that raises an exception. Returns its exit status and what it printed to stderr."""
    words = ["gansearch", "sweep", "a b.yaml", "--resume", "--seed", "1"]
    monkeypatch.setattr("sys.argv", words)

    def run(error):
        app = typer.Typer(cls=Commands)

        @app.command()
        def sweep():
            raise error

        @app.command()
        def other():
            """Without a second command there would be no group."""

        result = CliRunner().invoke(app, ["sweep"])
        if not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.stdout == ""
        return result.exit_code, result.stderr

    return run


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            ExperimentError("ring.yaml", {"trials": "must be positive"}),
            2,
            "error: ring.yaml: trials: must be positive\n",
        ),
        (SweepFailed(Path("out"), "every trial failed"), 1, "error: every trial failed\n"),
        (KeyboardInterrupt(), 130, ""),
        (KeyboardInterrupt("nothing was written"), 130, "\nnothing was written\n"),
    ],
)
def test_an_expected_error_is_a_message_and_a_status(end, error, status, text):
    assert end(error) == (status, text)


def test_an_interrupt_names_the_command_that_resumes_on_a_line_of_its_own(end):
    status, text = end(Interrupted(Path("results/ring")))
    assert status == 130
    assert text.splitlines()[1:] == [
        "interrupted; the finished trials are in results/ring",
        "go on with:",
        "gansearch sweep 'a b.yaml' --seed 1 --resume",
    ]


def test_an_unexpected_error_has_its_traceback(end):
    with pytest.raises(ZeroDivisionError):
        end(ZeroDivisionError())


def test_another_exit_keeps_its_status(end):
    assert end(typer.Exit(3)) == (3, "")


def test_what_breaks_on_a_folder_is_told_in_a_sentence(monkeypatch):
    app = typer.Typer(cls=Commands)

    @app.command()
    def report():
        raise TypeError("unhashable\ntype: 'list'")

    @app.command()
    def check():
        raise TypeError("ours")

    result = CliRunner().invoke(app, ["report"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: TypeError at test_group.py:")
    assert "unhashable type: 'list'; the folder holds what no sweep has written, or this is a fault" in result.stderr
    assert result.stderr.count("\n") == 1
    monkeypatch.setattr("sys.flags", SimpleNamespace(dev_mode=True))
    with pytest.raises(TypeError, match="unhashable"):
        CliRunner().invoke(app, ["report"], catch_exceptions=False)
    with pytest.raises(TypeError, match="ours"):
        CliRunner().invoke(app, ["check"], catch_exceptions=False)
