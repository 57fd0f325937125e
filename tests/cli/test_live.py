"""The view of a sweep, in a terminal and in a log; and watching one from elsewhere."""

import fcntl
import io
import math
import os
import pty
import time

import pandas as pd
import pytest
from rich.console import Console

from gansearch import Experiment
from gansearch.cli import live, view
from gansearch.cli.live import LiveView, watch
from gansearch.cli.view import _params, beliefs, line, picture
from gansearch.store.folder import Folder, StudyError
from gansearch.store.trial_files import read_record
from gansearch.study.figures.palette import SYMBOLS
from gansearch.study.status import status
from gansearch.study.study import load_study
from tests.study.test_status import PROBE, write_progress
from tests.synthetic import write_study

NEWS = {**PROBE, "node": "10.0.0.7", "gpus": "3", "stability": 0.66}
NODES = [{"node": f"10.0.0.{n}", "cpus": 8.0, "gpus": 4.0} for n in (1, 7)]


@pytest.fixture
def folder(tmp_path):
    """Ten trials of a sweep that wants 40, held by somebody."""
    folder = write_study(tmp_path / "digits", trials=10, confirmed=False)
    with folder.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        yield folder


def running(numbers):
    now = time.time()
    told = {
        "started": now - 4,
        "heard": now,
        "updates": 100,
        "updates_per_second": 50.0,
        "probe": NEWS,
        "distance": 0.105,
    }
    return [{"number": number, **told} for number in numbers]


def shown(folder, width, height=40):
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(picture(status(load_study(folder.path)), width, height))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 200])
def test_the_picture_of_a_sweep_fits_its_terminal(folder, width):
    write_progress(folder, running=running([10, 11]), nodes=NODES)
    text = shown(folder, width)
    assert max(len(row) for row in text.splitlines()) <= width
    trials = load_study(folder.path).trials
    for verdict, count in trials["verdict"].value_counts().items():
        assert f"{count} {verdict.replace('_', ' ')}" in " ".join(text.split())
    row = next(row for row in text.splitlines() if row.strip().startswith("10 "))
    start = 2 if width == 80 else 3  # there is no room for the seed
    assert row.split()[: start - 1] == ["10", "0"][: start - 1]
    assert row.split()[start : start + 5] == ["0.66", "0.105", "100/4000", "50", "3"]
    assert row.index("▿") < row.index("▾")
    assert ("10.0.0.7" in row, "30%" in row) == (width == 200, width == 200)
    assert "best so far: trial" in text


def test_a_sweep_that_is_over_shows_what_it_exports(tmp_path):
    folder = write_study(tmp_path / "digits", trials=40)
    best = load_study(folder.path).best
    told = f"best-balanced: trial {best.number}, stability {best.stability:.2f}, distance {best.distance:.4g}"
    assert told in " ".join(shown(folder, 200).split())


def test_verdicts_can_be_told_apart_without_colour(folder):
    write_progress(folder)
    marks = {verdict: view._MARKS[symbol] for verdict, symbol in SYMBOLS.items()}
    assert len(set(marks.values())) == len(SYMBOLS)
    text = " ".join(shown(folder, 200).split())
    for verdict, count in load_study(folder.path).trials["verdict"].value_counts().items():
        assert f"{marks[verdict]} {count} {verdict.replace('_', ' ')}" in text


def test_the_tables_are_the_last_thing_to_do(tmp_path):
    whole = write_study(tmp_path / "digits", trials=40)
    with whole.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(whole, state="confirming", running=running([39]), confirmation={"running": 0, "done": 20})
        assert "20 of 20 runs on fresh seeds, writing the tables" in " ".join(shown(whole, 80).split())


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("width", [60, 80, 100, 130, 200])
def test_distance_stays_in_narrow_terminals(width, several):
    wide = view._columns(200, 4000, several, True)
    found = view._columns(width, 4000, several, True)
    assert [name for name in wide if name in found] == found
    assert {"trial", "stability", "distance", "update"} <= set(found)
    alone = view._columns(80, 1500, several, False)
    assert "updates/s" in alone
    assert "node" not in alone
    assert width < 80 or sum(max(view._COLUMNS[name], len(name)) + 2 for name in found) - 2 <= width


def test_a_loop_is_told_by_its_own_names():
    search = {
        "g_lr": {"low": 1e-4, "high": 1e-2},
        "optim": {"choices": ["adam", "sgd"]},
        "steps": {"low": 1, "high": 8},
    }
    loop = Experiment(name="loop", task="./my_loop.py:train", search=search)
    row = pd.Series({"g_lr": 0.0012345, "optim": "adam", "steps": math.nan, "lr_d": math.nan}, dtype=object)
    assert _params(loop, row) == ["g_lr 0.00123", "optim adam"]


def test_what_trains_on_fresh_seeds(folder):
    began = time.time() - 12
    runs = [{"number": number, "seed": 10_000 + n, "started": began} for n, number in enumerate((3, None, 4, 4, 5, 6))]
    write_progress(folder, state="confirming", running=[], confirmation={"running": 6, "done": 2, "runs": runs})
    text = " ".join(shown(folder, 80).split())
    assert "training trial 3 on seed 10000, for 12 s; default settings on seed 10001, for 12 s; " in text
    assert text.count("on seed") == 4
    assert "and 2 more" in text


def test_what_stopping_early_saved(tmp_path):
    folder = write_study(tmp_path / "digits", trials=30, confirmed=False)
    pruned = (load_study(folder.path).trials["status"] == "pruned").sum()
    assert pruned
    # Pruned trials did 1,000 of 4,000 updates, in 8 s.
    saving = f"which saved {pruned * 0.75 / 30:.0%} of the updates"
    assert f"{pruned} stopped early, {saving}" in " ".join(shown(folder, 80).split())


def test_what_is_not_known_is_not_said(tmp_path):
    empty = write_study(tmp_path / "empty", trials=0, confirmed=False)
    with empty.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        write_progress(empty, running=[])
        text = shown(empty, 80)
        assert "0 of 40 trials, workers are starting" in " ".join(text.split())
        assert not any(word in text for word in ("left", "best", "stopped early"))
        write_progress(empty, running=[{**running([0])[0], "updates_per_second": None}])
        assert "0 of 40 trials, no trial has ended yet" in " ".join(shown(empty, 80).split())
        write_progress(empty, running=running([0]))
        assert "left if none is stopped early" in line(status(load_study(empty.path)))


def test_a_large_cluster_does_not_fill_more_than_the_terminal(folder):
    write_progress(folder, running=running(range(10, 74)), slots=64)
    text = shown(folder, 100, height=24)
    assert "and 52 more" in text
    assert len(text.splitlines()) <= 24


def test_warnings_are_said_in_both_and_in_a_log_once(folder, monkeypatch):
    stuck = {**running([10])[0], "heard": time.time() - 900}
    write_progress(folder, running=[stuck], in_turn=["its networks are large"])
    text = " ".join(shown(folder, 200).split())
    assert "warning: trial 10 has told nothing for 15 min 0 s" in text
    assert "warning: seeds are trained in turn, not at once: its networks are large" in text
    console = Console(file=io.StringIO(), width=60)
    monkeypatch.setattr(live, "_FIRST", 0.0)
    view = LiveView(console)
    study = load_study(folder.path)
    view.begin(study.experiment, Folder(folder.path), 2, 10)
    for _ in range(3):
        view.ended(read_record(folder, 0), "")
    view.close()
    view.ended(read_record(folder, 0), "")
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("digits: 40 trials, 2 at a time, into ")
    assert [row.count("10 of 40 trials") for row in lines[1:]] == [1, 0, 0, 1, 1, 1]  # the last one at its close
    assert "\x1b" not in console.file.getvalue()


def test_what_is_there_at_the_end_stays_on_the_screen(folder):
    write_progress(folder, running=running([10]))
    main, other = pty.openpty()
    with os.fdopen(other, "w") as terminal:
        console = Console(file=terminal, force_terminal=True, width=100, height=24)
        view = LiveView(console)
        view.doing("starting Ray")
        view.begin(load_study(folder.path).experiment, Folder(folder.path), 2, 10)
        write_progress(folder, state="finished", running=[])
        view.close()
        view.doing("writing the report")
        text = os.read(main, 65536).decode()
    os.close(main)
    assert text.index("starting Ray") < text.index("40 trials, 2 at a time")
    last = text[text.rindex("\x1b[2K") :]  # after the live picture was taken away
    assert "10 of 40 trials, finished" in last
    assert "balanced" in last
    assert last.rstrip().endswith("writing the report")


def test_lines_come_the_rarer_the_longer_it_takes(folder, pretend):
    now = [0.0]
    pretend(live, monotonic=lambda: now[0])
    write_progress(folder)
    console = Console(file=io.StringIO(), width=80)
    view = LiveView(console)
    view.begin(load_study(folder.path).experiment, folder, 2, 10)
    for _ in range(3600):
        now[0] += 1
        view.probes(10, [])
    assert 8 <= len(console.file.getvalue().splitlines()) <= 25


def test_a_watch_ends_with_its_sweep_and_says_what_comes_next(folder, pretend):
    write_progress(folder)

    def finish(seconds):
        write_progress(folder, state="finished", running=[])

    pretend(live, sleep=finish)
    console = Console(file=io.StringIO(), width=80)
    watch(folder.path, console)
    first, last, following = console.file.getvalue().splitlines()
    assert "10 of 40 trials, about" in first
    assert "10 of 40 trials, finished" in last
    assert following == f"next: gansearch export {folder.path} -o best.yaml"


def test_a_watch_waits_for_a_folder_that_is_about_to_be_there(tmp_path, pretend):
    def begin(seconds):
        if not (tmp_path / "digits").exists():
            write_progress(write_study(tmp_path / "digits", trials=40), state="finished", running=[])

    pretend(live, sleep=begin)
    console = Console(file=io.StringIO(), width=80)
    watch(tmp_path / "digits", console)
    first, last, _ = console.file.getvalue().splitlines()
    assert first == f"{tmp_path}/digits: no results yet; waiting up to 30 s for a sweep that starts"
    assert "40 of 40 trials, finished" in last


def test_a_watch_waits_no_longer_than_that(tmp_path, monkeypatch, pretend):
    slept = []
    pretend(live, sleep=slept.append, monotonic=lambda: float(len(slept)))
    console = Console(file=io.StringIO(), width=80)
    with pytest.raises(StudyError, match="no such results folder"):
        watch(tmp_path / "none", console)
    assert len(slept) == 30
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("dear")
    with pytest.raises(StudyError, match="not a results folder"):
        watch(tmp_path / "other", console)
    assert len(slept) == 30


def test_ctrl_c_ends_a_watch_in_a_terminal(folder, pretend):
    write_progress(folder)

    def interrupt(seconds):
        raise KeyboardInterrupt

    pretend(live, sleep=interrupt)
    main, other = pty.openpty()
    with os.fdopen(other, "w") as terminal:
        with pytest.raises(KeyboardInterrupt):
            watch(folder.path, Console(file=terminal, force_terminal=True, width=80, height=24))
        text = os.read(main, 65536).decode()
    os.close(main)
    assert "10 of 40 trials" in text
    assert "next:" not in text


@pytest.mark.parametrize(
    ("p_real", "p_fake", "text"),
    [
        (1.0, 0.0, "▿···················▾"),
        (0.5, 0.5, "··········◆··········"),
        (float("nan"), 0.25, "·····▿···············"),
    ],
)
def test_what_d_says_is_a_place_between_0_and_1(p_real, p_fake, text):
    assert beliefs(p_real, p_fake).plain == text
