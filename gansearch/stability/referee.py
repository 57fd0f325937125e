"""The referee: a fresh discriminator with a small fixed budget, which tells what could have been told apart.

A D that answers 0.5 has either nothing left to tell (the GAN has converged) or has learned nothing. Only somebody
else's look at the same samples can say which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.stability.measures import (
    distances,
    distinctness,
    diversity,
    energy,
    mean_distance,
    rounded,
    separability,
)

STEPS = 300
RATE = 1e-3
SAMPLES = 1_000
"""Most samples of each kind that are measured against each other."""


@dataclass(frozen=True)
class Ruling:
    """What a referee says of a generator's samples, without asking its discriminator."""

    separability: float
    """Of a fresh discriminator with a small budget: 0.5 is not to be told apart."""
    apart: float
    """Root of the energy coefficient of samples and held-out reals: 0 the same distribution, 1 nothing in common."""
    diversity: float
    """Mean distance between samples over that between reals."""
    distinctness: float = 1.0
    """Mean distance from a sample to the nearest other one, over that among reals."""


def rule(separability: float, held_out: Tensor, fake: Tensor) -> Ruling:
    """The ruling on (M, ...) fakes and (N, ...) held-out reals, with a fresh discriminator's separability."""
    held_out, fake = held_out[:SAMPLES], fake[:SAMPLES].to(held_out.device)
    among_real, among_fake = distances(held_out), distances(fake)
    apart = energy(distances(held_out, fake).mean(), mean_distance(among_real), mean_distance(among_fake))
    count = min(len(held_out), len(fake))
    distinct = distinctness(among_real[:count, :count], among_fake[:count, :count])
    return Ruling(separability, math.sqrt(float(apart)), float(diversity(among_real, among_fake)), float(distinct))


def referee(
    discriminator: nn.Module,
    real: Tensor,
    fake: Tensor,
    held_out: Tensor,
    fresh: Tensor,
    *,
    generator: torch.Generator,
    batch_size: int = 64,
    steps: int = STEPS,
) -> float:
    """Separability on (M, ...) held-out reals and (M, ...) fresh fakes of a fresh D trained on the others.

    `discriminator` is untrained and is changed; `real` and `fake`, (N, ...), are what it learns from, with Adam at
    1e-3 for `steps` steps of binary cross-entropy. 0.5: not to be told apart.
    """
    optimizer = torch.optim.Adam(discriminator.parameters(), RATE)
    discriminator.train()
    for _ in range(steps):
        picks = [
            torch.randint(len(samples), (batch_size,), generator=generator, device=generator.device)
            for samples in (real, fake)
        ]
        logits = [
            discriminator(samples[pick.to(samples.device)].to(generator.device)).flatten()
            for samples, pick in zip((real, fake), picks, strict=True)
        ]
        loss = F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    discriminator.eval()
    with torch.no_grad():
        # Logits that differ by less than .001 say the same.
        scores = [rounded(discriminator(samples).flatten(), 1e-3) for samples in (held_out, fresh)]
        return float(separability(*scores))
