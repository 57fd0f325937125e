"""Trials in MLflow, in a store of files, and in W&B, offline; what an experiment may say of trackers."""

import importlib.util
import json
import struct
import time

import numpy as np
import pytest
import wandb
from mlflow.tracking import MlflowClient
from wandb.proto.wandb_internal_pb2 import Record

from gansearch.experiment import Experiment, ExperimentError, load_yaml
from gansearch.search.callbacks.tensorboard import TAGS
from gansearch.search.callbacks.trackers import MLflowLog, WandbLog, check_trackers, trackers
from gansearch.store.folder import Folder
from gansearch.store.trial_files import read_record
from tests.synthetic import curve, draw, experiment, write_study

PARAMS = draw(np.random.default_rng(0))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The address of an empty store."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlruns").as_uri()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """W&B with nothing of its own in the user's home."""
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    yield
    wandb.teardown()


def logged_trial(folder, options, replicas=1, cut=False):
    """Log trial 0 of a folder to a tracker, up to its end or not; return what was logged."""
    record = read_record(folder, 0)
    (log,) = trackers(experiment(replicas=replicas, trackers=options))
    log.begin(experiment(replicas=replicas), folder, 2, 0)
    log.started(0, PARAMS)
    rng = np.random.default_rng(0)
    rows = [row for seed in record.seeds for row in curve(0, PARAMS, seed, rng)]
    log.probes(0, rows[:4])
    log.probes(0, rows[4:])
    if not cut:
        log.ended(record, "")
    log.close()
    return record, rows


def logged(folder, store, replicas=1, cut=False):
    """The one run that MLflow has of trial 0."""
    record, rows = logged_trial(folder, {"mlflow": {"tracking_uri": store}}, replicas, cut)
    client = MlflowClient(store)
    (run,) = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    return client, run, record, rows


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_trial_is_a_run_with_its_params_curves_and_ending(tmp_path, store, replicas):
    folder = write_study(tmp_path / "digits", trials=1, replicas=replicas, confirmed=False)
    client, run, record, rows = logged(folder, store, replicas)
    assert run.info.run_name == "trial-00000"
    assert run.info.status == ("FAILED" if record.status == "failed" else "FINISHED")
    assert run.data.params == {name: str(value) for name, value in PARAMS.items()}
    assert (run.data.tags["verdict"], run.data.tags["status"]) == (record.verdict, record.status)
    assert run.data.tags["sentence"]
    assert run.data.metrics["stability/score"] == pytest.approx(record.stability)
    assert run.data.metrics["quality/distance"] == pytest.approx(record.distance)
    for seed in range(replicas):
        name = (f"seed-{seed}/" if replicas > 1 else "") + TAGS["p_real"]
        history = client.get_metric_history(run.info.run_id, name)
        mine = [(one["update"], one["p_real"]) for one in rows if one["seed"] == seed]
        assert [(metric.step, metric.value) for metric in history] == mine


def test_a_trial_that_is_cut_short_is_killed(finished, store):
    assert logged(finished, store, cut=True)[1].info.status == "KILLED"


def records(folder):
    """What W&B wrote of its one run: a log in blocks of 32 kB (LevelDB's format) after seven bytes, of messages."""
    (path,) = folder.path.glob("wandb/offline-run-*/run-*.wandb")
    data, offset, part = path.read_bytes(), 7, b""
    while offset + 7 <= len(data):
        if 32768 - offset % 32768 < 7:
            offset += 32768 - offset % 32768
            continue
        length, kind = struct.unpack("<HB", data[offset + 4 : offset + 7])
        if offset + 7 + length > len(data):
            return  # it is being written
        part += data[offset + 7 : offset + 7 + length]
        offset += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = Record()
            record.ParseFromString(part)
            yield record
            part = b""


def whole(folder):
    """The same, once the service that writes it, a process of its own, has come to the run's exit."""
    deadline = time.monotonic() + 60
    while True:
        written = list(records(folder))
        if any(one.HasField("exit") for one in written):
            return written
        assert time.monotonic() < deadline
        time.sleep(0.1)


def plain(items):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}


@pytest.mark.parametrize("replicas", [1, 2])
def test_a_trial_is_a_run_of_weights_and_biases(tmp_path, offline, replicas):
    folder = write_study(tmp_path / "digits", trials=1, replicas=replicas, confirmed=False)
    record, rows = logged_trial(folder, {"wandb": {"mode": "offline"}}, replicas)
    written = whole(folder)
    (run,) = [one.run for one in written if one.HasField("run")][:1]
    assert (run.display_name, run.project, run.run_group) == ("trial-00000", "digits", "digits")
    config = plain(run.config.update)
    assert {name: config[name] for name in PARAMS} == PARAMS
    history = [plain(one.history.item) for one in written if one.HasField("history")]
    for seed in range(replicas):
        name = (f"seed-{seed}/" if replicas > 1 else "") + TAGS["p_real"]
        mine = [(one["update"], one["p_real"]) for one in rows if one["seed"] == seed]
        assert [(one["update"], one[name]) for one in history if name in one] == mine
    assert history[-1]["stability/score"] == pytest.approx(record.stability)
    summary = {}
    for one in written:
        summary |= plain(one.summary.update)
    assert (summary["verdict"], summary["status"]) == (record.verdict, record.status)
    assert summary["sentence"]
    (code,) = [one.exit.exit_code for one in written if one.HasField("exit")]
    assert code == (record.status == "failed")


def test_a_run_of_weights_and_biases_that_is_cut_short_has_not_succeeded(finished, tmp_path, offline):
    folder = Folder(tmp_path)
    (log,) = trackers(experiment(trackers={"wandb": {"mode": "offline", "project": "mine"}}))
    log.begin(experiment(), folder, 2, 0)
    log.started(0, PARAMS)
    log.close()
    written = whole(folder)
    assert next(one.run.project for one in written if one.HasField("run")) == "mine"
    assert [one.exit.exit_code for one in written if one.HasField("exit")] == [130]


def test_nobody_is_asked_for_a_key_in_the_middle_of_a_sweep(offline, monkeypatch):
    asked = []
    monkeypatch.setattr(wandb, "login", lambda **how: asked.append(how) or False)
    check_trackers(experiment(trackers={"wandb": {"mode": "offline"}}))
    with pytest.raises(ExperimentError, match=r"trackers.wandb: no key .* wandb login .* {wandb: {mode: offline}}"):
        check_trackers(experiment(trackers=["wandb"]))
    assert asked == [{"prompt": False}]
    monkeypatch.setenv("WANDB_MODE", "offline")
    check_trackers(experiment(trackers=["wandb"]))


def test_a_store_that_cannot_be_reached_is_one_warning(finished, caplog):
    (log,) = trackers(experiment(trackers={"mlflow": {"tracking_uri": "nonsense://nowhere"}}))
    log.begin(experiment(), finished, 2, 0)
    for number in range(3):
        log.started(number, PARAMS)
    log.close()
    assert caplog.text.count("MLflow logs no more of this sweep") == 1


def test_a_trial_whose_worker_never_began_is_logged_and_so_are_the_next(finished, store):
    (log,) = trackers(experiment(trackers={"mlflow": {"tracking_uri": store}}))
    log.begin(experiment(), finished, 2, 0)
    log.ended(read_record(finished, 0), "")
    log.started(1, PARAMS)
    log.ended(read_record(finished, 1), "")
    log.close()
    client = MlflowClient(store)
    runs = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert {run.info.run_name for run in runs} == {"trial-00000", "trial-00001"}


def test_names_and_options():
    assert trackers(experiment()) == []
    assert experiment(trackers=["mlflow"]).trackers.mlflow.tracking_uri is None
    named = experiment(trackers={"mlflow": {"experiment_name": "mine"}})
    assert isinstance(trackers(named)[0], MLflowLog)
    both = experiment(trackers=["wandb", "mlflow"])
    assert [type(log) for log in trackers(both)] == [MLflowLog, WandbLog]
    for one in (named, both, experiment(trackers=["mlflow"]), experiment()):
        assert Experiment.parse(load_yaml(one.to_yaml())).trackers == one.trackers
    with pytest.raises(ExperimentError, match=r'trackers.mlfow: unknown field; did you mean "mlflow"\?'):
        experiment(trackers=["mlfow"])
    with pytest.raises(ExperimentError, match=r'trackers.mlflow.tracking_url: .* mean "tracking_uri"\?'):
        experiment(trackers={"mlflow": {"tracking_url": "x"}})


def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch):
    check_trackers(experiment(trackers=["mlflow"]))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_trackers(experiment())
    for name in ("mlflow", "wandb"):
        with pytest.raises(ExperimentError, match=rf"trackers.{name}: .* pip install 'gansearch\[{name}\]'"):
            check_trackers(experiment(trackers=[name]))
