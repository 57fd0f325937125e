"""A session on a cluster with GPUs: how full they are made, and what becomes of a trial that finds no room there."""

import json

import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.search import session
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.fill import Card, Fill
from gansearch.search.dry_run.stack import Stack
from gansearch.search.sweep import sweep
from gansearch.store.folder import Folder
from gansearch.study.study import load_study

FILL = Fill(2, (Card("H100", 2 * 10**9, 80 * 10**9, {1: 600.0, 2: 1000.0}),))
GPUS, CPUS = Cluster(({"CPU": 8.0, "GPU": 1.0},)), Cluster(({"CPU": 8.0},))


class Told(Listener):
    def __init__(self):
        self.lines = []

    def doing(self, what):
        self.lines.append(what)


@pytest.fixture
def fill(monkeypatch, tmp_path):
    """How full GPUs are made, what was said, and how often that was measured."""
    measured = []
    monkeypatch.setattr(session, "measure_fill", lambda *given: measured.append(given) or FILL)

    def decide(nodes, gpus="fill"):
        told = Told()
        experiment = Experiment(name="x", task="ring", resources={"gpus": gpus})
        return session._fill(experiment, nodes, Folder(tmp_path), told), told.lines, len(measured)

    return decide


def test_gpus_are_filled_by_what_is_measured_once(fill, tmp_path):
    measuring = "measuring how many trials at once fill a GPU"
    assert fill(GPUS) == (FILL, [measuring, str(FILL)], 1)
    (tmp_path / "run.json").write_text(json.dumps({"fill": {**FILL.as_dict(), "at_once": 1}}))
    kept, lines, measurements = fill(GPUS)
    assert (kept.at_once, lines, measurements) == (1, [str(kept)], 1), "as before in this folder"


def test_nothing_is_measured_where_nothing_is_filled(fill):
    assert fill(CPUS) == (None, ["GPU: there is none, so gpus: fill trains on the CPU, as auto does"], 0)
    assert fill(GPUS, gpus="auto") == fill(GPUS, gpus=0.5) == (None, [], 0)


def test_trials_of_a_process_are_measured_once_or_given(monkeypatch, tmp_path):
    measured, found = [], Stack(4, {1: 1.0, 4: 2.0})
    monkeypatch.setattr(session, "measured_stack", lambda *given: measured.append(given) or found)

    def decide(stack, **fields):
        told = Told()
        experiment = Experiment(**{"name": "x", "task": "ring", "resources": {"stack": stack}, **fields})
        return session._stack(experiment, CPUS, Folder(tmp_path), told), told.lines, len(measured)

    assert decide(1) == (None, [], 0)
    assert decide(3) == (Stack(3), ["3 trials at once in each process"], 0)
    (tmp_path / "loop.py").write_text("def train(trial): ...")
    own = {"task": f"{tmp_path}/loop.py:train", "training": {"updates": 10}}
    assert decide("auto", **own)[0].at_once == 4
    assert decide(2, **own)[1] == [f"each trial has a process of its own: {tmp_path}/loop.py:train trains by itself"]
    (tmp_path / "run.json").write_text(json.dumps({"stack": {**found.as_dict(), "at_once": 2}}))
    kept, lines, measurements = decide("auto")
    assert (kept.at_once, lines, measurements) == (2, [str(kept)], 1), "as before in this folder"


def test_a_trial_that_finds_no_room_on_its_gpu_is_trained_again_alone(ray_with_a_gpu, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "measure_fill", lambda *given: FILL)
    fields = {"resources": {"cpus": 0.5, "gpus": "fill"}, "limits": {}}
    experiment = tiny({"2": "no room"}, trials=4, seconds=0.5, **fields)
    swept = sweep(experiment, tmp_path / "out")
    assert [record.status for record in swept.records] == ["complete"] * 4, [one.error for one in swept.records]
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["fill"]["at_once"], run["slots"]) == (1, 2)
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert (trials["gpu_seconds"] > 0).all()
    assert run["gpu_hours"] == pytest.approx(trials["gpu_seconds"].sum() / 3600)
    assert load_study(tmp_path / "out").experiment.resources.gpus == "fill"
