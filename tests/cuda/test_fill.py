"""A sweep that fills a pretended GPU: what is measured there, in processes that are forked as those of trials are."""

import json

import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.search.sweep import sweep


@pytest.mark.ray
def test_a_sweep_measures_how_many_trials_fill_the_gpu(cuda, tmp_path, ray_with_a_gpu):
    experiment = Experiment(
        name="ring",
        task="ring",
        task_options={"samples": 400, "width": 16},
        training={"updates": 30, "batch_size": 16},
        search={"lr": {"low": 1e-3, "high": 1e-2, "log": True}},
        trials=2,
        confirm=None,
        resources={"cpus": 0.5, "gpus": "fill"},
    )
    assert {record.status for record in sweep(experiment, tmp_path / "out").records} <= {"complete", "pruned"}
    fill = json.loads((tmp_path / "out" / "run.json").read_text())["fill"]
    (card,) = fill["cards"]
    assert (card["name"], sorted(card["rates"])) == ("pretended", ["1", "2"])
    assert card["rates"][str(fill["at_once"])] == max(card["rates"].values())
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert (trials["gpu_seconds"] > 0).all()
    assert (trials["gpu_memory"] == 2**30).all()
