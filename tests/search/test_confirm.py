"""Which runs a confirmation does, in which order, and what is written of them; whole ones are in test_sweep.py."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from gansearch.search.callbacks.listener import Listener
from gansearch.search.confirm import ConfirmationRecorder, RaceSearcher, _config, affordable, missing
from gansearch.search.sampling.total_time import TotalTime
from gansearch.search.worker.run import Ending
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import read_confirmation, read_default
from gansearch.store.folder import Folder, write_format
from gansearch.store.samples import read_moments
from gansearch.study.analysis.race import FreshRun
from tests.synthetic import a_record


@pytest.fixture
def recorder(make_tiny, tmp_path):
    class Log(Listener):
        def __init__(self):
            self.events = []

        def confirming(self, number, seed, result):
            self.events.append((number, seed, result and result.status))

    experiment = make_tiny(confirm={"top": 1, "replicas": 2})
    session = SimpleNamespace(folder=Folder(tmp_path), experiment=experiment, listener=Log())
    return ConfirmationRecorder(session, SimpleNamespace(failure=lambda trial: "the worker died 3 times"))


def tune_trial(number, seed):
    return SimpleNamespace(config={"name": f"confirm-{number}-{seed}", "number": number, "seed": seed})


def ending(seed, error=""):
    seeds = [] if error else [SeedResult(seed=seed, verdict="balanced", stability=0.9, distance=0.1)]
    return Ending(seeds, None, None, datetime.now(UTC), "192.0.2.9", error)


def trial(number, distance, **params):
    record = a_record(number, "complete", "balanced", 0.9, distance, updates=80)
    return replace(record, params={"lr": 1e-3, "betas": [0, 0.9], **params})


def ended(recorder, *runs):
    for run in runs:
        recorder.on_trial_start(tune_trial(run.number, run.seed))
        recorder.on_trial_result(tune_trial(run.number, run.seed), {"rows": [], "ending": ending(run.seed)})


def test_a_run_that_begins_anew_has_no_checkpoints_of_an_interrupted_one(recorder, tmp_path):
    run = tune_trial(7, 10_000)
    older = Folder(tmp_path).records / "ray" / run.config["name"] / "checkpoint_000005"
    older.mkdir(parents=True)
    recorder.on_trial_start(run)
    assert not older.exists()
    older.mkdir(parents=True)
    recorder.on_trial_start(run)  # after the death of its worker
    assert older.exists()


@pytest.mark.parametrize("races", [True, False])
def test_runs_are_missing_until_they_are_recorded_with_the_same_budget(recorder, make_tiny, tmp_path, races):
    if races:
        write_format(tmp_path)
    experiment, folder = make_tiny(confirm={"top": 1, "replicas": 2}), Folder(tmp_path)
    records = [trial(3, 0.1)]
    runs = [FreshRun(number, seed) for number in (3, None) for seed in (10_000, 10_001)]
    assert missing(folder, experiment, records) == runs
    assert missing(folder, experiment, records, runs[:3]) == runs[3:]
    ended(recorder, runs[0], runs[3])
    assert missing(folder, experiment, records) == runs[1:3]
    longer = make_tiny(confirm={"top": 1, "replicas": 2, "updates": 160})
    assert missing(folder, longer, records) == runs
    assert missing(folder, make_tiny(), records) == []
    assert missing(folder, experiment, []) == []


def test_the_first_fresh_seed_of_a_configuration_keeps_samples_of_its_moments(recorder, tmp_path):
    assert [_config(FreshRun(3, seed), {}, 10_000)["moments"] for seed in (10_000, 10_001)] == [True, False]
    moments = {"updates": [0, 9], "array": np.zeros((2, 4, 2), "float32"), "display": {}}
    recorder.on_trial_start(tune_trial(3, 10_000))
    done = replace(ending(10_000), moments=moments)
    recorder.on_trial_result(tune_trial(3, 10_000), {"rows": [], "ending": done})
    ended(recorder, FreshRun(None, 10_000))
    assert list(read_moments(Folder(tmp_path).record(3))) == [0, 9]
    assert read_moments(Folder(tmp_path).record(None)) == {}


def test_candidates_race_and_in_a_folder_begun_before_each_gets_all_its_seeds(make_tiny, tmp_path):
    experiment = make_tiny(trials=20, confirm={"top": 2, "replicas": 2, "default": False})
    records, folder = [trial(number, distance) for number, distance in enumerate((0.2, 0.1, 0.3))], Folder(tmp_path)
    records[2] = replace(records[2], stability=0.95)
    assert [run.number for run in missing(folder, experiment, records)] == [1, 1, 2, 2], "the stabler one is next"
    write_format(tmp_path)
    assert missing(folder, experiment, records) == [(1, 10_000), (1, 10_001)], "nobody else is near"
    records[0] = replace(records[0], distance=0.11)
    race = missing(folder, experiment, [*records, *(trial(number, 9.0) for number in range(3, 20))])
    assert race == [(1, 10_000), (0, 10_000), (1, 10_001)], "15% of 20 trials"


def test_no_run_begins_that_is_not_expected_to_end_within_the_total_time(make_tiny, tmp_path):
    write_format(tmp_path)
    experiment = make_tiny(confirm={"top": 1, "replicas": 2}, limits={"total_hours": 1.0})
    record = trial(3, 0.1)
    records = [replace(record, ended=record.started + timedelta(minutes=10))]
    for minutes, starts in ((49, True), (51, False)):
        left = TotalTime(experiment, used=60 * minutes)
        session = SimpleNamespace(folder=Folder(tmp_path), experiment=experiment, total_time=left)
        assert bool(affordable(session, records)) == starts


def test_a_run_that_fails_is_recorded_with_its_error_and_once(recorder, tmp_path):
    raised, died = tune_trial(3, 10_000), tune_trial(None, 10_000)
    for trial in (raised, died):
        recorder.on_trial_start(trial)
    recorder.on_trial_result(raised, {"rows": [], "ending": ending(10_000, "RuntimeError: no such luck")})
    recorder.on_trial_start(raised)  # its worker died after that, and it was trained again
    recorder.on_trial_result(raised, {"rows": [], "ending": ending(10_000)})
    recorder.on_trial_error(died)
    (one,), (default,) = read_confirmation(Folder(tmp_path)), read_default(Folder(tmp_path))
    assert (one.status, one.error, one.verdict) == ("failed", "RuntimeError: no such luck", "diverged")
    assert math.isnan(one.distance)
    assert default.error == "the worker died 3 times"
    assert recorder._listener.events == [
        (3, 10_000, None),
        (None, 10_000, None),
        (3, 10_000, "failed"),
        (None, 10_000, "failed"),
    ]


def test_the_next_run_is_decided_when_one_has_ended_and_the_choice_is_told_before_the_default_settings_end():
    answers = [
        [FreshRun(1, 10_000), FreshRun(2, 10_000)],
        [FreshRun(1, 10_001)],
        [FreshRun(None, 10_000)],
        [FreshRun(None, 10_001)],
        [],
    ]
    asked, told = [], []

    def waiting(running):
        asked.append(sorted(running, key=str))
        return answers.pop(0)

    searcher = RaceSearcher(waiting, lambda run: {"name": run}, lambda: told.append(len(asked)))
    searcher.most = 1
    assert [searcher.suggest("a"), searcher.suggest("b")] == [{"name": (1, 10_000), "fit": []}, None]
    searcher.on_trial_complete("a", error=True)
    assert [searcher.suggest("b"), searcher.suggest("c")] == [{"name": (1, 10_001), "fit": []}, None]
    searcher.most = 2
    searcher.on_trial_complete("gone")
    assert [searcher.suggest("c"), searcher.suggest("d")] == [{"name": (None, 10_000), "fit": []}, None]
    assert asked == [[], [], [(1, 10_001)]]
    assert told == [], "a candidate still runs"
    searcher.on_trial_complete("b")
    assert searcher.suggest("d") == {"name": (None, 10_001), "fit": []}
    assert searcher.suggest("e") is None
    assert told == [4]
    searcher.on_trial_complete("d")
    searcher.on_trial_complete("c")
    assert searcher.suggest("e") == searcher.FINISHED
    assert told == [4]
    assert not searcher.ahead, "a run that waits could not be taken back"
