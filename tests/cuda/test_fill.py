"""Sweeps whose trials share a pretended GPU, by processes or in one: what is measured there, and what they train."""

import json

import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.stacking import measured_stack
from gansearch.search.sweep import sweep


@pytest.fixture
def ring():
    """Makes an experiment with resources."""

    def make(**resources):
        return Experiment(
            name="ring",
            task="ring",
            task_options={"samples": 400, "width": 16},
            training={"updates": 30, "batch_size": 16},
            search={"lr": {"low": 1e-3, "high": 1e-2, "log": True}},
            trials=2,
            confirm=None,
            resources={"cpus": 0.5, **resources},
        )

    return make


@pytest.mark.ray
def test_a_sweep_measures_how_many_trials_fill_the_gpu(cuda, ring, tmp_path, ray_with_a_gpu):
    experiment = ring(gpus="fill")
    assert {record.status for record in sweep(experiment, tmp_path / "out").records} <= {"complete", "pruned"}
    fill = json.loads((tmp_path / "out" / "run.json").read_text())["fill"]
    (card,) = fill["cards"]
    assert (card["name"], sorted(card["rates"])) == ("pretended", ["1", "2"])
    assert card["rates"][str(fill["at_once"])] == max(card["rates"].values())
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert (trials["gpu_seconds"] > 0).all()
    assert (trials["gpu_memory"] == 2**30).all()


@pytest.mark.ray
def test_trials_at_once_in_one_process_share_its_gpu(cuda, ring, tmp_path, ray_with_a_gpu):
    measured = measured_stack(ring(stack="auto"), Cluster(({"CPU": 2.0, "GPU": 1.0},)), False)
    assert (measured.device, set(measured.rates)) == ("pretended", {1, 2})
    records = sweep(ring(stack=2), tmp_path / "out").records
    assert {record.status for record in records} <= {"complete", "pruned"}
    assert {record.gpu_memory for record in records} == {2**30}
    first, second = sorted(records, key=lambda record: record.started)
    assert second.started < first.ended, "both had half of the only GPU"
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (run["stack"]["at_once"], run["slots"]) == (2, 2)
