"""Whole sweeps of a training loop of the user's own: its names, its endings, going on, exporting and training."""

import json
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from gansearch import api
from gansearch.experiment import Experiment, ExperimentError
from gansearch.interrupts import Interrupted
from gansearch.search.callbacks.listener import Listener
from gansearch.search.sweep import sweep
from gansearch.store.folder import Folder
from gansearch.store.record import BALANCE
from gansearch.study.study import load_study

LOOPS = Path(__file__).parents[1] / "loops.py"
SEARCH = {
    "lr": {"low": 0.3, "high": 0.6},  # a name of ours, with another meaning
    "layers": {"low": 1, "high": 9, "when": {"kind": ["plain", "deep"]}},
    "kind": {"choices": ["plain", "deep"]},
}


def loop(**fields):
    defaults = {
        "name": "my loop",
        "task": f"{LOOPS}:train",
        "training": {"updates": 40},
        "search": SEARCH,
        "trials": 4,
        "sampler": "random",
        "confirm": None,
        "checkpoints": {"seconds": 0.1},
        "limits": {"concurrent": 1},
    }
    return Experiment.parse({**defaults, **fields})


@pytest.fixture(scope="module")
def finished(ray_session, tmp_path_factory):
    """A sweep of four trials, confirmed, with its report and best.yaml."""
    out = tmp_path_factory.mktemp("loop") / "out"
    return api.sweep(loop(replicas=2, confirm={"top": 1, "replicas": 2, "updates": 60}), out)


def test_the_table_has_the_names_of_the_user(finished):
    trials = finished.trials
    assert set(trials["status"]) == {"complete"}
    assert trials["lr"].between(0.3, 0.6).all()
    assert trials[[name for name in BALANCE if name != "lr"]].isna().all(axis=None)
    assert set(trials["layers"]) <= set(range(1, 10))
    assert trials["updates"].tolist() == [80] * 4
    assert np.allclose(trials["distance"], 1 + trials["lr"])
    assert finished.curves.groupby(["number", "seed"])["update"].apply(list).tolist() == [list(range(4, 41, 4))] * 8


def test_the_report_and_the_exports_have_them_too(finished):
    assert "layers" in finished.folder.report.read_text()
    best = yaml.safe_load(finished.folder.best.read_text())
    assert best["training"] == {"updates": 60}
    assert set(best["params"]) == set(SEARCH)
    assert isinstance(best["params"]["layers"], int)
    assert "search" not in best or best["search"] == {}
    assert json.loads(finished.export(format="json"))["params"] == best["params"]
    names = {}
    exec(finished.export(format="python"), names)
    assert (names["params"], names["updates"]) == (best["params"], 60)


def test_what_is_exported_is_trained(finished, tmp_path):
    result = api.train(Experiment.load(finished.folder.best, ["training.updates=20"]), seeds=1, out=tmp_path)
    assert result.seeds[0].updates == 20
    assert result.distance == pytest.approx(1 + finished.best.params["lr"])
    assert (tmp_path / "seed-20000" / "checkpoint" / "last.json").read_text() == "20"
    assert len(pd.read_parquet(tmp_path / "seed-20000" / "curves.parquet")) == 5


def test_what_is_searched_has_no_default(finished):
    assert "There is none for lr, layers, kind." in finished.folder.report.read_text()
    with pytest.raises(ExperimentError, match=r"params: lr, layers, kind: searched"):
        api.train(Experiment.load(finished.folder.experiment))


def test_a_worker_that_dies_is_gone_on_for_and_what_raises_leaves_its_own_traceback(ray_session, tmp_path):
    search = {"lr": 0.4, "kind": {"choices": ["die", "raise"]}}
    one = loop(search=search, trials=2, task_options={"turns": str(tmp_path), "seconds": 1.5})
    died, raised = sorted(sweep(one, tmp_path / "out").records, key=lambda record: record.params["kind"])
    assert (died.status, died.updates) == ("complete", 40)
    curves = pd.read_parquet(Folder(tmp_path / "out").curves)
    assert curves["update"].tolist() == list(range(4, 41, 4))
    assert 40 < len((tmp_path / "steps").read_text().splitlines()) < 64  # not from the beginning
    assert raised.status == "failed"
    assert "loops.py" in raised.error.splitlines()[0]
    assert "no such luck" in raised.error


def test_a_trial_cut_short_goes_on_in_a_resumed_sweep(ray_session, tmp_path):
    class Cut(Listener):
        def probes(self, number, rows):
            if rows[-1]["update"] >= 16 and list((tmp_path / "out" / "trials").glob("ray/*/checkpoint_*")):
                signal.raise_signal(signal.SIGINT)

    one = loop(search={"lr": 0.4, "kind": "plain"}, trials=1, task_options={"turns": str(tmp_path), "seconds": 2})
    with pytest.raises(Interrupted):
        sweep(one, tmp_path / "out", listeners=[Cut()])
    sweep(one, tmp_path / "out", resume=True)
    study = load_study(tmp_path / "out")
    assert study.trials["status"].tolist() == ["complete"]
    assert study.curves["update"].tolist() == list(range(4, 41, 4))
    assert len((tmp_path / "steps").read_text().splitlines()) < 65
