"""A user's folder with a task, its data and its experiment."""

import pytest

TASK = """
import os
import time

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
        time.sleep(1)  # so that no node has trained them all before the other has begun
        node = os.environ.get("RAY_RAYLET_PID", 0)
        return {"distance": float((real.mean(0) - fake.mean(0)).norm()), "node": int(node)}
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
