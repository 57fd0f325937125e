"""Sweeps in a process of their own, with their own Ray: signals, a killed driver, fractions of a GPU."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from optuna.trial import TrialState

from gansearch.search.sampling.searcher import open_study
from gansearch.search.sweep import sweep
from gansearch.store.folder import Folder
from gansearch.study.status import status
from gansearch.study.study import load_study

pytestmark = pytest.mark.ray

SCRIPT = """
import json, sys
from gansearch.experiment import Experiment
from gansearch.interrupts import Interrupted
from gansearch.search.sweep import sweep
from gansearch.store.folder import StudyError
from tests.workers import fork_workers
fork_workers()
out, gpus = sys.argv[1], int(sys.argv[2])
import ray
if gpus:
    ray.init("local", num_cpus=2, num_gpus=gpus, include_dashboard=False, log_to_driver=False, logging_level="error")
try:
    sweep(Experiment.parse(json.load(sys.stdin)), out)
except Interrupted:
    sys.exit(130)
except StudyError as error:
    sys.exit(str(error))
"""


def start(experiment, out, gpus=0):
    """A driver of its own; what a trial asks for is left to the experiment."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(out), str(gpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    process.stdin.write(json.dumps(experiment.model_dump(mode="json", exclude_unset=True)))
    process.stdin.close()
    return process


def wait_for_trials(process, out, count):
    """Until so many trials have a record."""
    for _ in range(2400):
        if len(list(Path(out).glob("trials/*/result.json"))) >= count:
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    raise AssertionError("no trial has ended within four minutes")


def test_ctrl_c_ends_a_sweep_before_its_trials_have_run(make_tiny, tmp_path):
    process = start(make_tiny(seconds=1.0, trials=40), tmp_path / "out")
    wait_for_trials(process, tmp_path / "out", 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=120) == 130
    assert 1 <= len(pd.read_parquet(tmp_path / "out" / "trials.parquet")) < 40
    assert process.stdout.read() == ""


def test_of_two_drivers_of_one_folder_one_runs_until_slurm_ends_it(make_tiny, tmp_path):
    out = tmp_path / "out"
    drivers = [start(make_tiny(seconds=1.0, trials=40), out) for _ in range(2)]
    while all(driver.poll() is None for driver in drivers):
        time.sleep(0.1)
    refused, running = sorted(drivers, key=lambda driver: driver.poll() is None)
    assert refused.wait() == 1
    assert refused.stdout.read() == f"{out}: another sweep is writing to it; wait for it, or stop it first\n"
    wait_for_trials(running, out, 1)
    os.killpg(running.pid, signal.SIGUSR1)  # Slurm signals every process of a job, Ray's too
    assert running.wait(timeout=120) == 130
    trials = pd.read_parquet(out / "trials.parquet")
    assert 1 <= len(trials) < 40
    assert trials["number"].is_unique
    assert running.stdout.read() == ""


def test_two_trials_share_one_gpu_until_sigterm_ends_their_sweep(make_tiny, tmp_path):
    experiment = make_tiny(seconds=1.0, trials=40, resources={"cpus": 0.5, "gpus": 0.5})
    process = start(experiment, tmp_path / "out", gpus=1)
    wait_for_trials(process, tmp_path / "out", 2)
    process.terminate()
    assert process.wait(timeout=120) == 130
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    assert 2 <= len(trials) < 40
    assert set(trials["status"]) == {"complete"}, trials["error"].tolist()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["slots"] == 2
    assert process.stdout.read() == ""


def test_a_killed_driver_loses_nothing(ray_session, make_tiny, tmp_path):
    experiment = make_tiny(seconds=1.0, trials=5)
    process = start(experiment, tmp_path / "out")
    wait_for_trials(process, tmp_path / "out", 1)
    time.sleep(0.5)
    process.kill()
    process.wait()
    left = status(load_study(tmp_path / "out"))
    assert (left.state, left.running) == ("died", [])
    assert left.next.endswith("--resume")
    kept = {path.parent.name: path.read_bytes() for path in tmp_path.glob("out/trials/*/result.json")}
    sweep(experiment, tmp_path / "out", resume=True)
    trials = pd.read_parquet(tmp_path / "out" / "trials.parquet")
    study = open_study(Folder(tmp_path / "out"), experiment).trials
    assert len(trials) == 5
    assert all((tmp_path / "out" / "trials" / n / "result.json").read_bytes() == kept[n] for n in kept)
    assert [t.number for t in study if t.state is not TrialState.FAIL] == trials["number"].tolist()
    assert all("continued_as" in t.user_attrs for t in study if t.state is TrialState.FAIL)
