"""What the commands print at their end, and the progress of a training."""

import json
import sys
from types import SimpleNamespace

import pytest

from gansearch.cli import summaries
from gansearch.cli.summaries import print_progress, print_summary
from gansearch.formatting import error_line
from gansearch.study.study import load_study

PROBE = {"p_real": 0.6, "p_fake": 0.4, "separability": 0.7}


@pytest.fixture
def watch(monkeypatch, pretend):
    """Returns a function that reports an update at a time, to a terminal or not."""

    def begin(terminal):
        now = [0.0]
        pretend(summaries, monotonic=lambda: now[0])
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
        report = print_progress(1000)

        def at(seconds, update):
            now[0] = seconds
            report(20_000, SimpleNamespace(update=update, **PROBE))

        return at

    return begin


def test_a_terminal_has_one_line_that_is_rewritten(watch, capsys):
    at = watch(terminal=True)
    at(0, 400)  # a resumed run
    at(10, 600)
    at(30, 1000)
    first, second, last = capsys.readouterr().err.split("\r\x1b[K")[1:]
    assert "left" not in first
    assert second.startswith("seed 20000: update 600 of 1,000, about 20 s left; D(real) 0.60, D(fake) 0.40, separab")
    assert "\n" not in first + second
    assert "left" not in last
    assert last.endswith("\n")


def test_a_log_has_a_line_every_thirty_seconds(watch, capsys):
    at = watch(terminal=False)
    for seconds in range(0, 100, 10):
        at(seconds, 100 + seconds)
    at(200, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in lines] == [f"seed 20000: update {update}" for update in (130, 160, 190)]


def test_a_summary_says_what_was_found_and_what_comes_next(finished, capsys):
    study = load_study(finished.path)
    print_summary(study, finished.report)
    lines = capsys.readouterr().out.splitlines()
    counts = study.counts
    assert lines[0].startswith(f"40 of 40 trials ({counts['pruned']} pruned")
    assert any(line.startswith(f"best-balanced: trial {study.best.number}, ") for line in lines)
    assert lines[-2:] == [
        f"export it:  gansearch export {finished.path} -o best.yaml",
        f"report:     {finished.report}",
    ]


def test_a_summary_says_what_a_sweep_cost_of_gpus(folder, capsys):
    print_summary(load_study(folder.path))
    assert "GPU-hours" not in capsys.readouterr().out
    folder.run.write_text(json.dumps({"gpu_hours": 12.3}))
    print_summary(load_study(folder.path))
    assert "cost: 12 GPU-hours" in capsys.readouterr().out


def test_a_summary_says_why_trials_failed(finished, capsys):
    study = load_study(finished.path)
    failed = study.trials[study.trials["status"] == "failed"]
    print_summary(study)
    lines = [line for line in capsys.readouterr().out.splitlines() if " failed: " in line]
    assert 0 < len(lines) <= 3
    assert sum(int(line.split()[0]) for line in lines) <= len(failed)
    first = failed["error"].map(error_line).value_counts().index[0]
    assert lines[0].endswith(f" failed: {first}")
