"""progress.json while a sweep runs, and at its end."""

import json
import math
import time

import pytest

from gansearch.interrupts import Interrupted
from gansearch.search.callbacks import progress as module
from gansearch.search.callbacks.listener import Listener
from gansearch.search.callbacks.progress import Progress, mark_finished
from gansearch.search.sweep import sweep
from gansearch.search.watchdog import Patience
from gansearch.store.folder import Folder
from gansearch.store.lock import read_progress
from gansearch.study.status import status
from gansearch.study.study import load_study


class Reader(Listener):
    """Reads the status at the first probe; asks for an interrupt after so many trials."""

    def __init__(self, until=None):
        self.until, self.statuses = until, []

    def begin(self, experiment, folder, slots, done):
        self.folder = folder

    def probes(self, number, rows):
        if self.statuses:
            return
        deadline = time.monotonic() + 60
        while not any(one["number"] == number and one["probe"] for one in read_progress(self.folder)["running"]):
            assert time.monotonic() < deadline  # the thread has not written it
            time.sleep(0.02)
        current = status(load_study(self.folder.path))
        if current.running:  # not at the last report, when the trial has ended
            self.statuses.append(current)

    def ended(self, record, in_turn):
        if self.until == record.number + 1:
            import signal

            signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "EVERY", 0.05)


def test_the_status_shows_what_runs_until_the_sweep_is_finished(ray_session, tiny, tmp_path):
    reader = Reader()
    experiment = tiny(seconds=1.0, trials=1)
    often = experiment.model_copy(update={"task": experiment.task.replace(":Tiny", ":Saved")})  # reports often
    sweep(often, tmp_path / "out", listeners=[reader])
    assert reader.statuses
    assert {one.state for one in reader.statuses} == {"running"}
    facts = reader.statuses[0].summary()
    assert facts["running"][0]["probe"]["update"] == facts["running"][0]["updates"] > 0
    assert facts["nodes"][0]["cpus"] == 2
    assert facts["trials"]["running"] == 1
    end = status(load_study(tmp_path / "out"))
    assert end.state == "finished"
    assert end.summary()["trials"]["waiting"] == 0


def test_an_interrupted_sweep_is_stopped(ray_session, tiny, tmp_path):
    with pytest.raises(Interrupted):
        sweep(tiny(trials=2), tmp_path / "out", address="auto", listeners=[Reader(until=1)])
    end = status(load_study(tmp_path / "out"))
    assert (end.state, end.running) == ("stopped", [])
    assert "--address auto --resume" in end.next


def test_updates_a_second_are_counted_from_the_first_probe(ray_session, tiny, tmp_path, pretend):
    now = [0.0]
    pretend(module, time=lambda: now[0])
    folder = Folder(tmp_path)
    shares = dict.fromkeys(("p_real", "p_fake", "separability", "saturated_right", "saturated_wrong"), 0.5)
    progress = Progress(None, Patience(None))
    progress.begin(tiny(), folder, 1, 0)
    progress.started(3, {})
    now[0] = 5.0
    progress.probes(3, [{"seed": 0, "update": 10, "distance": 8.0}, {"seed": 1, "update": 10, "distance": math.nan}])
    now[0] = 7.0
    progress.probes(3, [{"seed": 0, "update": 30, "distance": math.nan, "outputs": {"real": [1]}, **shares}])
    progress._write()
    (one,) = read_progress(folder)["running"]
    assert one["updates"] == 40
    assert one["updates_per_second"] == 10
    assert (one["probe"]["update"], one["distance"]) == (30, 8.0)
    assert "outputs" not in one["probe"]
    progress.close()
    assert read_progress(folder)["state"] == "stopped"


def test_a_full_disk_does_not_end_the_thread_that_writes(ray_session, tiny, tmp_path, monkeypatch, caplog):
    written, full = [], []

    def write(path, text):
        written.append(path)
        if len(written) < 3 or full:
            raise OSError("no space left")

    monkeypatch.setattr(module, "write_whole", write)
    progress = Progress(None, Patience(None))
    progress.begin(tiny(), Folder(tmp_path), 1, 0)
    deadline = time.monotonic() + 60
    while len(written) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    full.append(True)
    progress.close()  # the error of the sweep is what its user sees
    assert len(written) >= 4
    assert caplog.text.count("progress.json is not written: no space left") == 2


def test_a_driver_that_died_before_its_last_write_was_finished_all_the_same(tmp_path):
    folder = Folder(tmp_path)
    mark_finished(folder)
    assert not folder.progress.exists()
    facts = {"written": time.time(), "every": 2.0, "host": "here", "pid": 1, "state": "confirming", "slots": 2}
    folder.progress.write_text(json.dumps(facts))
    mark_finished(folder)
    assert read_progress(folder)["state"] == "finished"
    assert read_progress(folder)["slots"] == 2
