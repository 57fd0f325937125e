"""The picture and the line of a sweep that runs."""

import fcntl
import io
import math
import time

import pandas as pd
import pytest
from rich.console import Console

from gansearch import Experiment
from gansearch.cli import view
from gansearch.cli.view import belief_bar, line, picture
from gansearch.store.nan_json import read_json, to_json
from gansearch.study.figures.palette import SYMBOLS
from gansearch.study.status import status
from gansearch.study.study import load_study
from tests.cli.running import running
from tests.study.test_status import write_progress
from tests.synthetic import write_study

NODES = [{"node": f"10.0.0.{n}", "cpus": 8.0, "gpus": 4.0} for n in (1, 7)]


def drawn(folder, width, height=40):
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(picture(status(load_study(folder.path)), width, height))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_the_picture_fits_its_terminal(running_sweep, width):
    write_progress(running_sweep, running=running([10, 11]), nodes=NODES)
    text = drawn(running_sweep, width)
    assert max(len(row) for row in text.splitlines()) <= width
    trials = load_study(running_sweep.path).trials
    for verdict, count in trials["verdict"].value_counts().items():
        assert f"{count} {verdict.replace('_', ' ')}" in " ".join(text.split())
    row = next(row for row in text.splitlines() if row.strip().startswith("10 "))
    start = 2 if width == 80 else 3  # there is no room for the seed
    assert row.split()[: start - 1] == ["10", "0"][: start - 1]
    assert row.split()[start : start + 5] == ["0.66", "0.105", "100/4000", "50", "3"]
    assert row.index("▿") < row.index("▾")
    assert ("10.0.0.7" in row, "30%" in row) == (width == 200, width == 200)
    assert "best so far: trial" in text


def test_a_gpu_is_shown_where_there_is_one(running_sweep):
    write_progress(running_sweep, running=running([10]), nodes=NODES[:1])
    assert "GPU memory" not in drawn(running_sweep, 200)
    trials = running([10])
    trials[0]["probe"] |= {"gpu_memory": 2.1e9, "gpu_utilisation": 0.83}
    write_progress(running_sweep, running=trials, nodes=NODES[:1])
    rows = drawn(running_sweep, 200).splitlines()
    assert any("GPU memory  GPU busy" in row for row in rows)
    assert any("2.1 GB" in row and "83%" in row for row in rows)


def test_a_finished_sweep_shows_the_trial_that_it_exports(tmp_path):
    folder = write_study(tmp_path / "digits", trials=40)
    best = load_study(folder.path).best
    text = f"best-balanced: trial {best.number}, stability {best.stability:.2f}, distance {best.distance:.4g}"
    assert text in " ".join(drawn(folder, 200).split())


def test_verdicts_differ_without_colour(running_sweep):
    write_progress(running_sweep)
    marks = {verdict: view._MARKS[symbol] for verdict, symbol in SYMBOLS.items()}
    assert len(set(marks.values())) == len(SYMBOLS)
    text = " ".join(drawn(running_sweep, 200).split())
    for verdict, count in load_study(running_sweep.path).trials["verdict"].value_counts().items():
        assert f"{marks[verdict]} {count} {verdict.replace('_', ' ')}" in text


def test_the_picture_says_that_the_tables_are_written(tmp_path):
    whole = write_study(tmp_path / "digits", trials=40)
    with whole.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(whole, state="confirming", running=running([39]), confirmation={"running": 0, "done": 20})
        assert "20 of 20 runs on fresh seeds, writing the tables" in " ".join(drawn(whole, 80).split())
        whole.default.unlink()
        assert "20 of about 23 runs on fresh seeds, about" in " ".join(drawn(whole, 80).split())


def test_the_picture_says_what_more_trials_would_bring(tmp_path):
    whole = write_study(tmp_path / "digits", trials=80, confirmed=False)
    with whole.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(whole)
        gain = status(load_study(whole.path)).expected_gain
        assert 0 < gain < 1
        assert f"; 20 more trials would bring about {gain:.0%}" in line(status(load_study(whole.path)))
        auto = load_study(whole.path).experiment.model_copy(update={"trials": "auto"})
        whole.experiment.write_text(auto.to_yaml())
        assert "digits: 80 trials;" in line(status(load_study(whole.path)))
        assert "digits: 80 trials\n" in drawn(whole, 200).replace(" \n", "\n")
        write_progress(whole, state="confirming", running=[])
        assert "would bring" not in line(status(load_study(whole.path)))


def test_the_picture_says_why_a_sweep_ended_early(tmp_path):
    whole = write_study(tmp_path / "digits", trials=40)
    assert "ended early" not in drawn(whole, 200)
    whole.run.write_text(to_json({**read_json(whole.run), "ended": "its 8 hours are over"}))
    assert "ended early (its 8 hours are over)" in " ".join(drawn(whole, 200).split())


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_narrow_terminals_keep_the_distance(width, several):
    wide = view._columns(200, 4000, {"node": several})
    found = view._columns(width, 4000, {"node": several})
    assert [name for name in wide if name in found] == found
    assert {"trial", "stability", "distance", "update"} <= set(found)
    alone = view._columns(80, 1500, {"node": several, "GPU": False, "GPU memory": False, "GPU busy": False})
    assert "updates/s" in alone
    assert "node" not in alone
    assert width < 80 or sum(max(view._COLUMN_WIDTHS[name], len(name)) + 2 for name in found) - 2 <= width


def test_the_parameters_of_a_loop_have_its_names():
    search = {
        "g_lr": {"low": 1e-4, "high": 1e-2},
        "optim": {"choices": ["adam", "sgd"]},
        "steps": {"low": 1, "high": 8},
    }
    loop = Experiment(name="loop", task="./my_loop.py:train", search=search)
    row = pd.Series({"g_lr": 0.0012345, "optim": "adam", "steps": math.nan, "lr_d": math.nan}, dtype=object)
    assert view._params(loop, row) == ["g_lr 0.00123", "optim adam"]


def test_the_picture_lists_runs_on_fresh_seeds(running_sweep):
    began = time.time() - 12
    runs = [{"number": number, "seed": 10_000 + n, "started": began} for n, number in enumerate((3, None, 4, 4, 5, 6))]
    write_progress(running_sweep, state="confirming", running=[], confirmation={"running": 6, "done": 2, "runs": runs})
    text = " ".join(drawn(running_sweep, 80).split())
    assert "training trial 3 on seed 10000, for 12 s; default settings on seed 10001, for 12 s; " in text
    assert text.count("on seed") == 4
    assert "and 2 more" in text


def test_the_picture_says_what_stopping_early_saved(tmp_path):
    folder = write_study(tmp_path / "digits", trials=30, confirmed=False)
    pruned = (load_study(folder.path).trials["status"] == "pruned").sum()
    assert pruned
    # Pruned trials did 1,000 of 4,000 updates, in 8 s.
    saving = f"which saved {pruned * 0.75 / 30:.0%} of the updates"
    assert f"{pruned} stopped early, {saving}" in " ".join(drawn(folder, 80).split())


def test_unknown_facts_are_left_out(tmp_path):
    empty = write_study(tmp_path / "empty", trials=0, confirmed=False)
    with empty.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(empty, running=[])
        text = drawn(empty, 80)
        assert "0 of 40 trials, workers are starting" in " ".join(text.split())
        assert not any(word in text for word in ("left", "best", "stopped early"))
        write_progress(empty, running=[{**running([0])[0], "updates_per_second": None}])
        assert "0 of 40 trials, no trial has ended yet" in " ".join(drawn(empty, 80).split())
        write_progress(empty, running=running([0]))
        assert "left if none is stopped early" in line(status(load_study(empty.path)))


def test_numbers_of_a_running_trial_that_are_unknown_are_left_out():
    (trial,) = running([10])
    unknown = dict.fromkeys(("separability", "saturated_right", "saturated_wrong", "reconstruction"), math.nan)
    trial = {**trial, "distance": math.nan, "probe": {**trial["probe"], **unknown, "update": 10 / 3}}
    cells = view._cells(trial, 20, time.time())
    assert cells["update"] == "3.333/20"
    assert [cells[name] for name in ("distance", "separability", "saturated", "reconstruction")] == [""] * 4


def test_a_large_cluster_fits_the_terminal(running_sweep):
    write_progress(running_sweep, running=running(range(10, 74)), slots=64)
    text = drawn(running_sweep, 100, height=24)
    assert "and 52 more" in text
    assert len(text.splitlines()) <= 24


def test_warnings_are_part_of_the_picture(running_sweep):
    stuck = {**running([10])[0], "heard": time.time() - 900}
    write_progress(running_sweep, running=[stuck], in_turn=["its networks are large"])
    text = " ".join(drawn(running_sweep, 200).split())
    assert "warning: trial 10 has not reported for 15 min 0 s" in text
    assert "warning: seeds are trained in turn, not at once: its networks are large" in text


@pytest.mark.parametrize(
    ("p_real", "p_fake", "text"),
    [
        (1.0, 0.0, "▿···················▾"),
        (0.5, 0.5, "··········◆··········"),
        (float("nan"), 0.25, "·····▿···············"),
    ],
)
def test_the_belief_bar_marks_two_probabilities(p_real, p_fake, text):
    assert belief_bar(p_real, p_fake).plain == text
