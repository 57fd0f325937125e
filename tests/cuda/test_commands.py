"""Commands on a machine with a pretended GPU."""

import json
import os

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from gansearch.cli.main import app
from gansearch.stability.referee import referee

RING = """
name: ring
task: ring
task_options: {samples: 400, width: 16}
training: {updates: 30, batch_size: 16, ema: 0.9}
search: {lr: {low: 1e-3, high: 1e-2, log: true}}
trials: 2
replicas: 2
confirm: null
resources: {cpus: 1, gpus: 1}
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a folder that holds ring.yaml; gives what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(referee.__kwdefaults__, "steps", 20)
    (tmp_path / "ring.yaml").write_text(RING)

    def invoke(*words: str, output: str = "stdout") -> str:
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return getattr(result, output)

    return invoke


def test_train_trains_on_the_gpu_what_it_trains_on_the_cpu(cuda, run, tmp_path):
    found = {}
    for gpus in (1, 0):
        with cuda.waits() as seen:
            printed = run("train", "ring.yaml", "--json", "--out", str(gpus), "--set", f"resources.gpus={gpus}")
        assert bool(seen) == bool(gpus)
        found[gpus] = json.loads(printed)["seeds"][0]
    assert found[1]["verdict"] == found[0]["verdict"]
    assert found[1]["distance"] == pytest.approx(found[0]["distance"], rel=1e-3)
    one, other = (load_file(next((tmp_path / name).glob("seed-*/generator.safetensors"))) for name in "10")
    assert all(torch.allclose(value, other[key], rtol=1e-3, atol=1e-4) for key, value in one.items())


def test_what_was_begun_on_the_gpu_goes_on_on_the_cpu(cuda, run):
    run("train", "ring.yaml", "--out", "out")
    further = ["--set", "training.updates=40", "--set", "resources.gpus=0"]
    printed = run("train", "ring.yaml", "--out", "out", "--resume", "--json", *further)
    assert len(json.loads(printed)["seeds"]) == 1


def test_check_times_a_trial_on_the_gpu(cuda, run, monkeypatch):
    monkeypatch.setattr("gansearch.search.dry_run.measuring._MOST_SECONDS", 0.0)
    with cuda.waits() as seen:
        printed = run("check", "ring.yaml")
    assert seen
    assert "pretended" in printed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replicas=1"], ""),
        (["replicas=2"], ""),
        (["replicas=1", "resources.gpus=0"], "they are for a GPU, and this is a CPU"),
        (["replicas=1", "training.precision=fp16"], "precision: fp16 goes without"),
    ],
)
def test_check_says_what_goes_without_graphs(cuda, run, monkeypatch, words, told):
    monkeypatch.setattr("gansearch.search.dry_run.measuring._MOST_SECONDS", 0.0)
    changes = [word for change in ("training.graph=true", *words) for word in ("--set", change)]
    printed = run("check", "ring.yaml", *changes, output="output")
    assert ("training.graph" in printed) == bool(told)
    assert told in printed


OWN = """
import os
from pathlib import Path

import torch
from torch import nn

import gansearch


class Noting(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = nn.Linear(inputs, outputs)

    def forward(self, x):
        with Path(__file__).with_name("devices").open("a") as file:
            file.write(f"{os.getpid()} {x.device.type}\\n")
        return self.layer(x)


class Own(gansearch.Task):
    latent_dim = 4

    def real(self):
        return torch.randn(400, 2)

    def generator(self):
        return Noting(4, 2)

    def discriminator(self):
        return Noting(2, 1)
"""


@pytest.mark.ray
def test_trials_of_a_sweep_train_on_the_gpu_that_ray_gives_them(cuda, run, tmp_path, ray_with_a_gpu):
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "own.yaml").write_text(RING.replace("task: ring", "task: ./own.py:Own").replace("task_options", "#"))
    run("sweep", "own.yaml", "--out", "out", "--quiet")
    trials = json.loads(run("report", "out", "--json"))["trials"]
    assert (trials["complete"] + trials["pruned"], trials["failed"]) == (2, 0)
    lines = {tuple(line.split()) for line in (tmp_path / "devices").read_text().splitlines()}
    trained = {(process, device) for process, device in lines if process != str(os.getpid())}
    assert len(trained) == 2
    assert {device for _, device in trained} == {"cuda"}
