"""Which runs a confirmation does, in which order, and what is written of them; whole ones are in test_sweep.py."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from gansearch.search import confirm
from gansearch.search.callbacks.listener import Listener
from gansearch.search.confirm import ConfirmationRecorder, FreshRun, ListSearcher, missing
from gansearch.search.worker.run import Ending
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import read_confirmation, read_default
from gansearch.store.folder import Folder
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
    return SimpleNamespace(config={"number": number, "seed": seed})


def ending(seed, error=""):
    seeds = [] if error else [SeedResult(seed=seed, verdict="balanced", stability=0.9, distance=0.1)]
    return Ending(seeds, None, None, datetime.now(UTC), "192.0.2.9", error)


def test_runs_are_missing_until_they_are_recorded_with_the_same_budget(recorder, make_tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(confirm, "candidates", lambda trials, top: trials["number"].tolist()[:top])
    experiment, folder = make_tiny(confirm={"top": 1, "replicas": 2}), Folder(tmp_path)
    records = [replace(a_record(3, "complete", "balanced", 0.9, 0.1), params={"lr": 1e-3, "betas": [0, 0.9]})]
    runs = [FreshRun(number, seed) for number in (3, None) for seed in (10_000, 10_001)]
    assert missing(folder, experiment, records) == runs
    for run in (runs[0], runs[3]):
        recorder.on_trial_start(tune_trial(run.number, run.seed))
        recorder.on_trial_result(tune_trial(run.number, run.seed), {"rows": [], "ending": ending(run.seed)})
    assert missing(folder, experiment, records) == runs[1:3]
    longer = make_tiny(confirm={"top": 1, "replicas": 2, "updates": 160})
    assert missing(folder, longer, records) == runs
    assert missing(folder, make_tiny(), records) == []


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


def test_no_more_runs_are_given_than_may_be_under_way():
    searcher = ListSearcher([{"name": "first"}, {"name": "second"}, {"name": "third"}])
    searcher.most = 2
    assert [searcher.suggest("a"), searcher.suggest("b"), searcher.suggest("c")] == [
        {"name": "first"},
        {"name": "second"},
        None,
    ]
    searcher.on_trial_complete("a", error=True)
    assert searcher.suggest("c") == {"name": "third"}
    assert searcher.suggest("d") == searcher.FINISHED
