"""What the commands print at their end, and the progress of a training."""

import json
import math
import sys
from types import SimpleNamespace

import pytest

from gansearch.cli import summaries
from gansearch.cli.summaries import print_progress, print_summary
from gansearch.formatting import error_line
from gansearch.store.nan_json import to_json
from gansearch.study.study import load_study

PROBE = {"p_real": 0.6, "p_fake": 0.4, "separability": 0.7}


@pytest.fixture
def watch(monkeypatch, pretend):
    """Returns a function that reports an update at a time, to a terminal or not."""

    def begin(terminal, columns=120, term="xterm"):
        now = [0.0]
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", term)
        pretend(summaries, monotonic=lambda: now[0])
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
        report = print_progress(1000)

        def at(seconds, update, **probe):
            now[0] = seconds
            report(20_000, SimpleNamespace(update=update, **{**PROBE, **probe}))

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


def test_the_line_of_a_terminal_is_never_wider_than_it(watch, capsys):
    watch(terminal=True, columns=60)(10, 600)
    line = capsys.readouterr().err.removeprefix("\r\x1b[K")
    assert len(line) == 59
    assert line.startswith("seed 20000: update 600 of 1,000")


def test_a_dumb_terminal_has_lines_without_escapes(watch, capsys):
    watch(terminal=True, term="dumb")(40, 600)
    assert capsys.readouterr().err == (
        "seed 20000: update 600 of 1,000; D(real) 0.60, D(fake) 0.40, separability 0.70\n"
    )


def test_numbers_that_are_unknown_are_left_out_and_fractions_are_short(watch, capsys):
    at = watch(terminal=False)
    at(40, 10 / 3, p_real=math.nan, separability=math.nan)
    at(80, 20 / 3, p_real=math.nan, p_fake=math.nan, separability=math.inf)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "seed 20000: update 3.333 of 1,000; D(fake) 0.40"
    assert second.startswith("seed 20000: update 6.667 of 1,000, about ")
    assert second.endswith(" left")


def test_default_settings_without_a_distance_have_none_in_the_summary(folder, capsys):
    data = {"seeds": [{"seed": 20_000, "verdict": "diverged", "stability": 0.0, "distance": math.nan}]}
    folder.default.write_text(to_json(data))
    print_summary(load_study(folder.path))
    assert "default settings: 0 of 1 balanced\n" in capsys.readouterr().out


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
