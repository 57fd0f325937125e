"""The live view of a sweep in a terminal and in a log; watching a sweep from elsewhere."""

import contextlib
import io
import os
import pty
import threading
import time

import pytest
from rich.console import Console

from gansearch.cli import live
from gansearch.cli.live import LiveView, watch
from gansearch.store.folder import Folder, StudyError
from gansearch.store.trial_files import read_record
from gansearch.study.study import load_study
from tests.cli.running import running
from tests.study.test_status import write_progress
from tests.synthetic import write_study


@contextlib.contextmanager
def terminal():
    """A console on a pseudo-terminal, and a list that holds what was written once the context has ended.

    Text reaches the reading end some time after it was written, and in pieces: it is read to its end, by a thread, so
    that a full buffer does not block the view.
    """
    reading_end, writing_end = pty.openpty()
    pieces = []

    def read():
        with contextlib.suppress(OSError):  # EIO: the other end is closed, and everything was read
            while piece := os.read(reading_end, 65536):
                pieces.append(piece)

    reader = threading.Thread(target=read)
    with os.fdopen(writing_end, "w") as file:
        reader.start()
        yield Console(file=file, force_terminal=True, width=100, height=24), pieces
    reader.join()
    os.close(reading_end)


def test_a_log_has_each_warning_once(running_sweep, monkeypatch):
    stuck = {**running([10])[0], "heard": time.time() - 900}
    write_progress(running_sweep, running=[stuck], in_turn=["its networks are large"])
    console = Console(file=io.StringIO(), width=60)
    monkeypatch.setattr(live, "_FIRST_PAUSE", 0.0)
    view = LiveView(console)
    study = load_study(running_sweep.path)
    view.begin(study.experiment, Folder(running_sweep.path), 2, 10)
    for _ in range(3):
        view.ended(read_record(running_sweep, 0), "")
    view.close()
    view.ended(read_record(running_sweep, 0), "")
    lines = console.file.getvalue().splitlines()
    assert lines[0].startswith("digits: 40 trials, 2 at a time, into ")
    assert [row.count("10 of 40 trials") for row in lines[1:]] == [1, 0, 0, 1, 1, 1]  # the last one at its close
    assert "\x1b" not in console.file.getvalue()


def test_the_last_picture_stays_on_the_screen(running_sweep):
    write_progress(running_sweep, running=running([10]))
    with terminal() as (console, pieces):
        view = LiveView(console)
        view.doing("starting Ray")
        view.begin(load_study(running_sweep.path).experiment, Folder(running_sweep.path), 2, 10)
        write_progress(running_sweep, state="finished", running=[])
        view.close()
        view.doing("writing the report")
    text = b"".join(pieces).decode()
    assert text.index("starting Ray") < text.index("40 trials, 2 at a time")
    last = text[text.rindex("\x1b[2K") :]  # after the live picture was erased
    assert "10 of 40 trials, finished" in last
    assert "balanced" in last
    assert last.rstrip().endswith("writing the report")


def test_the_lines_of_a_log_become_rarer(running_sweep, pretend):
    now = [0.0]
    pretend(live, monotonic=lambda: now[0])
    write_progress(running_sweep)
    console = Console(file=io.StringIO(), width=80)
    view = LiveView(console)
    view.begin(load_study(running_sweep.path).experiment, running_sweep, 2, 10)
    for _ in range(3600):
        now[0] += 1
        view.probes(10, [])
    assert 8 <= len(console.file.getvalue().splitlines()) <= 25


def test_a_watch_ends_with_its_sweep_and_names_the_next_command(running_sweep, pretend):
    write_progress(running_sweep)

    def finish(seconds):
        write_progress(running_sweep, state="finished", running=[])

    pretend(live, sleep=finish)
    console = Console(file=io.StringIO(), width=80)
    watch(running_sweep.path, console)
    first, last, following = console.file.getvalue().splitlines()
    assert "10 of 40 trials, about" in first
    assert "10 of 40 trials, finished" in last
    assert following == f"next: gansearch export {running_sweep.path} -o best.yaml"


def test_a_watch_waits_for_the_folder_of_a_sweep_that_starts(tmp_path, pretend):
    def begin(seconds):
        if not (tmp_path / "digits").exists():
            write_progress(write_study(tmp_path / "digits", trials=40), state="finished", running=[])

    pretend(live, sleep=begin)
    console = Console(file=io.StringIO(), width=80)
    watch(tmp_path / "digits", console)
    first, last, _ = console.file.getvalue().splitlines()
    assert first == f"{tmp_path}/digits: no results yet; waiting up to 30 s for a sweep that starts"
    assert "40 of 40 trials, finished" in last


def test_a_watch_waits_for_thirty_seconds_at_most(tmp_path, monkeypatch, pretend):
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


def test_ctrl_c_ends_a_watch_in_a_terminal(running_sweep, pretend):
    write_progress(running_sweep)

    def interrupt(seconds):
        raise KeyboardInterrupt

    pretend(live, sleep=interrupt)
    with terminal() as (console, pieces), pytest.raises(KeyboardInterrupt):
        watch(running_sweep.path, console)
    text = b"".join(pieces).decode()
    assert "10 of 40 trials" in text
    assert "next:" not in text
