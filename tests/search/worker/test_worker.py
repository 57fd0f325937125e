"""What a Ray worker passes on between a trial's process and the rest of the sweep."""

import pickle
import subprocess
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from ray.exceptions import ActorDiedError

from gansearch.search.worker import worker as module
from gansearch.search.worker.link import FAILED
from gansearch.search.worker.worker import _Worker


@pytest.fixture
def reports(monkeypatch):
    """What Tune is given; a report with a checkpoint meets a full disk."""
    given = []

    def report(news, checkpoint=None):
        if checkpoint:
            raise OSError("No space left on device")
        given.append(pickle.loads(pickle.dumps(news)))  # noqa: S301 (as it comes to the driver)

    monkeypatch.setattr(module.tune, "report", report)
    monkeypatch.setattr(
        module.ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: "node-1"), raising=False
    )
    monkeypatch.setattr(module.ray, "get_gpu_ids", lambda: [0, 1])
    return given


def test_a_report_comes_to_the_driver_as_the_process_made_it(reports):
    _Worker(None, None).report({"stability": 0.5, "rows": pickle.dumps([{"seed": 0}])})
    assert reports == [{"on": "node-1", "gpus": "0, 1", "stability": 0.5, "rows": [{"seed": 0}]}]


@pytest.mark.parametrize(
    ("failed", "gpus", "fit", "raises"),
    [
        (False, 0.5, [], False),
        (True, 0.5, ["node-1"], True),
        (True, 1.0, ["node-1"], False),
        (True, 0.0, ["node-2"], True),
    ],
)
def test_the_worker_of_a_trial_that_may_be_tried_again_raises(reports, monkeypatch, failed, gpus, fit, raises):
    bundle = {"CPU": 1.0, "GPU": gpus}
    context = SimpleNamespace(get_trial_resources=lambda: SimpleNamespace(bundles=[bundle]))
    monkeypatch.setattr(module.tune, "get_context", lambda: context)
    monkeypatch.setattr(module.tune, "get_checkpoint", lambda: None)
    monkeypatch.setattr(module, "call", lambda *given, rows: (b"", {"rows": pickle.dumps([]), FAILED: failed}))
    with pytest.raises(RuntimeError, match="the trial failed") if raises else nullcontext():
        module.run_trial(None, b"", {"number": 0, "params": {}, "checkpoints": [], "fit": fit})
    assert reports == [{"on": "node-1", "gpus": "0, 1", "rows": []}]


@pytest.mark.parametrize(
    ("bundle", "config", "processes"),
    [
        ({"CPU": 0.25}, {}, 2),  # of one CPU each on a node of two
        ({"CPU": 0.5}, {}, 1),
        ({"CPU": 0.25, "GPU": 0.25}, {}, 1),
        ({"CPU": 0.25}, {"alone": True}, 0),
    ],
)
def test_trials_that_share_a_process_say_how_many_of_these_there_may_be(
    reports, monkeypatch, bundle, config, processes
):
    asked = []
    context = SimpleNamespace(get_trial_resources=lambda: SimpleNamespace(bundles=[bundle]))
    monkeypatch.setattr(module.tune, "get_context", lambda: context)
    monkeypatch.setattr(module.tune, "get_checkpoint", lambda: None)
    monkeypatch.setattr(module.ray, "nodes", lambda: [{"NodeID": "node-1", "Resources": {"CPU": 2.0}}], raising=False)

    def call(origin, program, given, known, rows):
        asked.append((rows, given[1][2]))
        return b"", {"rows": pickle.dumps([])}

    monkeypatch.setattr(module, "call", call)
    for rows in (4, 1):
        module.run_trial(None, b"", {"number": 0, "params": {}, "checkpoints": [], **config}, rows=rows)
    assert asked == [(processes, 4 * bundle["CPU"]), (0, bundle["CPU"])]


def test_why_a_checkpoint_cannot_be_kept_is_told_to_the_process(reports, tmp_path):
    assert "No space left" in _Worker(None, None).report({"rows": pickle.dumps([])}, str(tmp_path))


def test_an_actor_that_is_not_there_or_is_gone_decides_nothing(reports, monkeypatch):
    def gone(reference):
        raise ActorDiedError

    monkeypatch.setattr(module.ray, "get", gone)
    asked = SimpleNamespace(remote=lambda *given: None)
    actor = SimpleNamespace(reach=asked, another=asked)
    for worker in (_Worker(None, None), _Worker(actor, actor)):
        assert worker.reach(pickle.dumps(1), 0) == ("", False)
        assert not worker.another(0, pickle.dumps([]))


def test_a_worker_imports_no_torch():
    code = "import gansearch.search.worker.worker, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
