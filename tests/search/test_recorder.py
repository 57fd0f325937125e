"""Which deaths of its worker are a trial's own, and which are its node's."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import ray

from gansearch.interrupts import Interrupts
from gansearch.search.callbacks.listener import Listeners
from gansearch.search.recorder import FAILURES, Recorder
from gansearch.search.watchdog import Silence
from gansearch.search.worker.trial import Ending
from gansearch.store.folder import Folder
from gansearch.store.trial_files import CURVE_COLUMNS


class Worked:
    """A trial as Ray Tune has it."""

    def __init__(self):
        self.config = {"number": 0, "params": {}}
        self.max_failures = FAILURES
        self.temporary_state = SimpleNamespace(ray_actor="its worker")


@pytest.fixture
def recorder(tmp_path, make_tiny):
    nodes = SimpleNamespace(trusts=lambda node: node != "new", is_there=lambda node: node != "gone")
    return Recorder(
        *(Folder(tmp_path), make_tiny(), None, Listeners([]), Interrupts(), [], {}),
        *(nodes, Silence(None)),
    )


def test_what_fails_on_a_node_that_has_not_answered_is_tried_elsewhere(recorder, monkeypatch):
    killed, trial, now = [], Worked(), datetime.now(UTC)
    monkeypatch.setattr(ray, "kill", killed.append)
    recorder.on_trial_start(trial)
    failed = Ending([], None, now, now, "192.0.2.9", "ModuleNotFoundError: No module named 'mine'", "")
    recorder.on_trial_result(trial, {"rows": [], "on": "new", "ending": failed})
    assert killed == ["its worker"]
    assert recorder.records == []
    recorder.on_trial_recover(trial)
    assert trial.max_failures == FAILURES + 1


def test_what_a_trial_did_before_it_failed_was_work(recorder, monkeypatch):
    trial, now = Worked(), datetime.now(UTC)
    recorder.searcher = SimpleNamespace(tell=lambda *given: None)
    recorder.folder.records.mkdir()
    recorder.on_trial_start(trial)
    rows = [{**dict.fromkeys(CURVE_COLUMNS, 0.0), "seed": seed, "update": n} for seed in (0, 1) for n in (20, 40)]
    recorder.on_trial_result(trial, {"rows": rows, "on": "there"})
    began = now - timedelta(seconds=9)
    failed = Ending([], None, began, now, "192.0.2.9", "RuntimeError: in the middle", "")
    recorder.on_trial_result(trial, {"rows": [], "on": "there", "ending": failed})
    (record,) = recorder.records
    assert (record.status, record.updates, record.train_seconds) == ("failed", 80, 9.0)


def test_a_node_that_vanishes_is_no_failure_of_the_trial(recorder):
    trial = Worked()
    for node, failures in (("there", 0), ("gone", 1), ("", 1), *(("gone", n) for n in range(2, 21)), ("gone", 20)):
        recorder.on_trial_start(trial)
        if node:
            recorder.on_trial_result(trial, {"rows": [], "on": node})
        recorder.on_trial_recover(trial)
        assert trial.max_failures == FAILURES + failures
