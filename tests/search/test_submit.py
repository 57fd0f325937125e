"""A sweep as a job of a real cluster: sent, left alone, followed, and brought back through the dashboard."""

import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import heads
import pandas as pd
import pytest
from ray._private.runtime_env import packaging
from typer.testing import CliRunner

from gansearch.cli import app
from gansearch.experiment import Experiment
from gansearch.search import submit as submitting
from gansearch.search.errors import Detached, JobFailed, SweepError
from gansearch.search.fetch import fetch, find
from gansearch.search.jobs import Jobs
from gansearch.search.submit import follow, submit, submitted
from gansearch.study.folder import StudyError
from gansearch.study.study import load_study

TASK = """

import gansearch
import torch
from networks import small

class Mine(gansearch.Task):
    latent_dim = 2

    def real(self):
        return torch.tensor([[float(x) for x in line.split()] for line in open("data.txt")])

    def generator(self):
        return small(2)

    def discriminator(self):
        return small(1)

    def quality(self, real, fake):
        return {"distance": float((real.mean(0) - fake.mean(0)).norm())}
"""
EXPERIMENT = """
name: my gan
task: ./my_gan.py:Mine
training: {updates: 40, batch_size: 8}
search: {lr: {low: 1e-4, high: 1e-2, log: true}}
start_from: [settings.yaml]
trials: 2
sampler: random
prune: false
confirm: null
"""

@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The user's folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "my_gan.py").write_text(TASK)
    (folder / "networks.py").write_text("from torch import nn\n\n\ndef small(out):\n    return nn.Linear(2, out)\n")
    (folder / "data.txt").write_text("0.5 1.0\n-1.0 0.25\n" * 50)
    (folder / "settings.yaml").write_text("name: a\ntask: ring\ntraining: {lr: 5e-4}\n")
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(folder)
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever other tests have started
    return folder

@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_job_goes_on_without_us_and_its_results_come_back(mine, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # is about another cluster
    home = tmp_path / "home"
    home.mkdir()
    experiment = Experiment.load("experiment.yaml")
    with heads.head(home, token=False) as cluster:
        job = submit(experiment, cluster["dashboard"])
        monkeypatch.setattr(submitting.time, "sleep", interrupt)
        with pytest.raises(Detached, match=f"{job.id} goes on without us\nfollow it with: the command\n.*ray job stop"):
            follow(job, lambda text: None, "the command")
        monkeypatch.undo()
        monkeypatch.chdir(mine)
        monkeypatch.setattr("ray.is_initialized", lambda: False)

        said: list[str] = []
        follow(submitted(cluster["dashboard"], experiment), said.append, "")
        assert "2 of 2 trials" in "".join(said)
        brought = fetch(find(cluster["dashboard"]), tmp_path / "here")
        again = fetch(find(job.address), tmp_path / "here")
        assert (brought.files > 5, again.files) == (True, 0)

        study = load_study(tmp_path / "here")
        assert study.trials["status"].tolist() == ["complete"] * 2, study.trials["error"].tolist()
        assert study.trials["lr"].iloc[0] == pytest.approx(5e-4)
        assert study.experiment.task == f"{mine}/my_gan.py:Mine"  # an export can be trained here
        there = home / "results" / "my-gan"
        names = {p.relative_to(there) for p in there.rglob("*") if p.is_file() and not p.name.startswith(".")}
        assert {p.relative_to(tmp_path / "here") for p in (tmp_path / "here").rglob("*") if p.is_file()} == names | {
            Path("fetched.json")
        }

        with pytest.raises(SweepError, match=f"no job '{job.id[:-1]}'; there are: {job.id}"):
            find(job.address[:-1])
        with pytest.raises(StudyError, match="not empty, and was not fetched"):
            fetch(job, mine)
        failing = submit(experiment, cluster["dashboard"])
        with pytest.raises(JobFailed, match="failed; it said last:(.|\n)*holds a sweep already"):
            follow(failing, lambda text: None, "")

def interrupt(seconds):
    raise KeyboardInterrupt
