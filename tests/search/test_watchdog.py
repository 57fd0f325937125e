"""Trials that hang are found, tried again and given up; what is silent for a good reason is left alone."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import ray
from ray.tune.experiment import Trial

from gansearch.experiment import Experiment
from gansearch.search import watchdog as module
from gansearch.search.sweep import sweep
from gansearch.search.watchdog import Patience, Watchdog
from gansearch.store.folder import Folder
from tests.search.worker.test_trial import PROBES


def test_patience_is_what_is_asked_and_never_less_than_what_was_seen():
    patience = Patience(10)
    assert patience.seconds == 6000  # nothing was seen as yet: it may be loading data
    patience.note(5)
    assert patience.seconds == 600
    patience.note(120)
    patience.note(1)
    assert patience.seconds == 1200
    patience.factor = 3.0  # a confirmation with three times the updates
    assert patience.seconds == 3600
    assert Patience(None).seconds == math.inf


def test_null_stays_null_in_a_file(make_tiny, tmp_path):
    (tmp_path / "e.yaml").write_text(make_tiny(limits={"stalled_minutes": None}).to_yaml())
    assert Experiment.load(tmp_path / "e.yaml").limits.stalled_minutes is None


class Worked:
    """A trial as Ray Tune has it, whose worker is known by its name."""

    def __init__(self, name, status=Trial.RUNNING):
        self.status, self.max_failures, self.temporary_state = status, 2, SimpleNamespace(ray_actor=name)


def test_only_a_trial_that_trains_and_is_silent_is_ended(monkeypatch, pretend):
    now, killed = [0], []
    pretend(module, monotonic=lambda: now[0])
    monkeypatch.setattr(ray, "kill", killed.append)
    silent, lively, paused = Worked("silent"), Worked("lively"), Worked("paused", Trial.PAUSED)
    watchdog = Watchdog(Patience(1))

    def minutes(count):
        for _ in range(count):
            now[0] += 60
            watchdog.reported(lively)
            watchdog.check()

    for one in (silent, lively, paused):
        watchdog.started(one)
    minutes(10)
    assert killed == []  # ten times a minute, the longest silence, are not over
    minutes(2)
    assert killed == [], "the driver may have been away"
    minutes(1)
    assert killed == ["silent"]
    assert silent.max_failures == 2
    minutes(20)
    watchdog.started(silent)
    minutes(13)
    assert killed == ["silent"] * 2
    assert silent.max_failures == 0
    assert "reported nothing for 13 min 0 s (limits.stalled_minutes), twice" in watchdog.reason(silent)


def test_a_driver_that_was_suspended_kills_nobody_whose_report_waits(monkeypatch, pretend):
    now, killed = [0.0], []
    pretend(module, monotonic=lambda: now[0])
    monkeypatch.setattr(ray, "kill", killed.append)
    watchdog, trial = Watchdog(Patience(10)), Worked("trial")
    watchdog.started(trial)
    watchdog.reported(trial)
    for _ in range(3):
        now[0] += 80_000.0
        watchdog.check()
        watchdog.reported(trial)
        now[0] += 1.0
        watchdog.check()
    assert killed == []


def test_a_pause_of_the_driver_is_no_silence_of_the_trials(pretend):
    now, patience = [0.0], Patience(10)
    pretend(module, monotonic=lambda: now[0])
    watchdog, trials = Watchdog(patience), [Worked("one"), Worked("other")]

    def report(trial, after):
        while after:
            now[0] += min(after, 1.0)
            after -= min(after, 1.0)
            watchdog.check()
        watchdog.reported(trial)

    for trial in trials:
        watchdog.started(trial)
        report(trial, 5.0)
    now[0] += 300.0  # suspended, for less than its patience
    for trial in trials:
        watchdog.check()
        watchdog.reported(trial)
    assert (patience.longest, patience.seconds) == (5.0, 600.0)
    report(trials[0], 80.0)
    assert patience.seconds == 800.0, "it learns again from what it sees"


class Clock:
    """Time that passes only while a worker hangs, ten minutes a call: a busy machine makes no trial silent."""

    def __init__(self, hung):
        self.hung, self.now = hung, 0.0

    def monotonic(self):
        self.now += 600 * self.hung.exists()
        return self.now


@pytest.fixture
def hanging(tiny, monkeypatch, pretend, tmp_path):
    """Makes an experiment whose trials save often, some of which hang."""
    hung = tmp_path / "turns" / "hung"
    kill_worker = module.kill_worker
    pretend(module, monotonic=Clock(hung).monotonic)
    monkeypatch.setattr(module, "kill_worker", lambda trial: (hung.unlink(), kill_worker(trial)))

    def make(does, trials):
        plain = tiny(does, seconds=1.2, trials=trials, prune=False, checkpoints={"seconds": 0.1})
        return plain.model_copy(update={"task": plain.task.replace(":Tiny", ":Saved")})

    return make


def test_a_trial_that_hangs_goes_on_from_its_checkpoint_once(ray_session, hanging, tmp_path):
    records = sweep(hanging({"1": "hang", "2": "", "3": "hang", "4": "hang again"}, trials=3), tmp_path / "out").records
    assert [record.status for record in records] == ["complete", "failed", "complete"]
    assert "limits.stalled_minutes), twice; its worker was killed" in records[1].error
    curves = pd.read_parquet(Folder(tmp_path / "out").curves)
    assert curves.loc[curves["number"] == 0, "update"].tolist() == PROBES
    looks = (tmp_path / "turns" / "looks").read_text().splitlines()
    assert len(looks) == 1 + 4 + 2 + 4  # the first one in the process that trials are forked from
