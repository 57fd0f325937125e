"""The task and the loop of the results folders kept here. They must not change: the folders hold their numbers."""

import torch
from torch import nn

from gansearch import Task


class Points(Task):
    """Points of a standard normal distribution. G starts as the identity, so that a small rate stays balanced."""

    latent_dim = 2

    def real(self):
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        network = nn.Linear(2, 2)
        nn.init.eye_(network.weight)
        nn.init.zeros_(network.bias)
        return network

    def discriminator(self):
        return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

    def quality(self, real, fake):
        return {"distance": float((real.mean(0) - fake.mean(0)).norm())}


def loop(trial):
    """A training loop whose separability grows with its parameter `gap`."""
    for step in range(1, trial.updates + 1):
        if step % 4:
            continue
        draws = torch.Generator().manual_seed(1000 * trial.seed + step)
        real, fake = (torch.randn(200, generator=draws) for _ in range(2))
        trial.monitor.update(real + trial.params["gap"], fake)
        trial.report(step=step, distance=1 + trial.params["gap"])
        if trial.should_stop():
            return
