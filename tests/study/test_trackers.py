"""Trials in MLflow, in a store of files; what an experiment may say of trackers."""

import importlib.util

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from gansearch.experiment import Experiment, ExperimentError, load_yaml
from gansearch.study.tables import read_record
from gansearch.study.tensorboard import TAGS
from gansearch.study.trackers import MLflowLog, check_trackers, trackers

from .synthetic import curve, draw, experiment, write_study

PARAMS = draw(np.random.default_rng(0))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The address of an empty store."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlruns").as_uri()


def logged(folder, store, replicas=1, cut=False):
    """Logs trial 0 of a folder, up to its end or not; the one run that MLflow has of it."""
    record = read_record(folder, 0)
    (log,) = trackers(experiment(replicas=replicas, trackers={"mlflow": {"tracking_uri": store}}))
    log.begin(experiment(replicas=replicas), folder, 2, 0)
    log.started(0, PARAMS)
    rng = np.random.default_rng(0)
    rows = [row for seed in record["seeds"] for row in curve(0, PARAMS, seed, rng)]
    log.probes(0, rows[:4])
    log.probes(0, rows[4:])
    if not cut:
        log.ended(record)
    log.close()
    client = MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    return client, run, record, rows


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_trial_is_a_run_with_its_params_curves_and_ending(tmp_path, store, replicas):
    folder = write_study(tmp_path / "digits", trials=1, replicas=replicas, confirmed=False)
    client, run, record, rows = logged(folder, store, replicas)
    row = record["row"]
    assert run.info.run_name == "trial-00000"
    assert run.info.status == ("FAILED" if row["status"] == "failed" else "FINISHED")
    assert run.data.params == {name: str(value) for name, value in PARAMS.items()}
    assert (run.data.tags["verdict"], run.data.tags["status"]) == (row["verdict"], row["status"])
    assert run.data.tags["sentence"]
    assert run.data.metrics["stability/score"] == pytest.approx(row["stability"])
    assert run.data.metrics["quality/distance"] == pytest.approx(row["distance"])
    for seed in range(replicas):
        name = (f"seed-{seed}/" if replicas > 1 else "") + TAGS["p_real"]
        history = client.get_metric_history(run.info.run_id, name)
        mine = [(one["update"], one["p_real"]) for one in rows if one["seed"] == seed]
        assert [(metric.step, metric.value) for metric in history] == mine


def test_a_trial_that_is_cut_short_is_killed(finished, store):
    assert logged(finished, store, cut=True)[1].info.status == "KILLED"


def test_a_store_that_is_not_there_is_told_once_and_harms_nothing(finished, caplog):
    (log,) = trackers(experiment(trackers={"mlflow": {"tracking_uri": "nonsense://nowhere"}}))
    log.begin(experiment(), finished, 2, 0)
    for number in range(3):
        log.started(number, PARAMS)
    log.close()
    assert caplog.text.count("MLflow is told no more of this sweep") == 1


def test_names_and_options():
    assert trackers(experiment()) == []
    assert experiment(trackers=["mlflow"]).trackers.mlflow.tracking_uri is None
    kept = experiment(trackers={"mlflow": {"experiment_name": "mine"}})
    assert isinstance(trackers(kept)[0], MLflowLog)
    for one in (kept, experiment(trackers=["mlflow"]), experiment()):
        assert Experiment.parse(load_yaml(one.to_yaml())).trackers == one.trackers
    with pytest.raises(ExperimentError, match=r'trackers.mlfow: unknown field; did you mean "mlflow"\?'):
        experiment(trackers=["mlfow"])
    with pytest.raises(ExperimentError, match=r'trackers.mlflow.tracking_url: .* mean "tracking_uri"\?'):
        experiment(trackers={"mlflow": {"tracking_url": "x"}})


def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch):
    check_trackers(experiment(trackers=["mlflow"]))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_trackers(experiment())
    with pytest.raises(ExperimentError, match=r"trackers.mlflow: .* pip install 'gansearch\[mlflow\]'"):
        check_trackers(experiment(trackers=["mlflow"]))
