"""What the trainer asks of a network that somebody else has written."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansearch.gan.still import Still
from gansearch.gan.task import Task


class Scored(nn.Module):
    """A discriminator of which the task's `score` takes the scores out of what it gives, (B, ...) -> (B,) or (B, 1)."""

    def __init__(self, network: nn.Module, task: Task):
        super().__init__()
        self.network = network
        self._score = task.score

    def forward(self, samples: Tensor) -> Tensor:
        return self._score(self.network(samples))


def discriminator_of(task: Task) -> nn.Module:
    """A fresh discriminator of the task that gives scores and nothing else."""
    network = task.discriminator()
    return network if type(task).score is Task.score else Scored(network, task)


def scores_samples_alone(discriminator: nn.Module, samples: Tensor) -> bool:
    """Whether D scores a sample the same whoever stands beside it (no batch norm, no minibatch statistics).

    Tried on (N, ...) samples, in training mode. Real and fake can then go through it in one pass, which is faster.
    """
    with torch.no_grad(), Still(discriminator, dropout=False):
        together = discriminator(samples).flatten()
        apart = torch.cat([discriminator(part).flatten() for part in samples.chunk(2)])
    return bool(torch.allclose(together, apart, rtol=1e-3, atol=1e-4 * float(together.abs().mean()) + 1e-6))


def gradient_norm(network: nn.Module) -> Tensor | None:
    """The 2-norm of a network's last gradient, () on its device, or None where it has none yet."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return nn.utils.get_total_norm(gradients) if gradients else None
