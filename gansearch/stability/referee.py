"""The referee: a fresh discriminator with a small fixed budget, which measures what could be separated.

A D that answers 0.5 can mean that the GAN has converged or that D has learned nothing. A second discriminator on the
same samples decides which.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.stability.classes import ClassRuling
from gansearch.stability.measures import (
    copies,
    distances,
    distinctness,
    diversity,
    energy,
    mean_distance,
    nearest,
    per_sample,
    rounded,
    separability,
)
from gansearch.stability.observer import Observation

STEPS = 300
RATE = 1e-3
SAMPLES = 1_000
"""Most samples of each kind whose distances are measured."""
EQUAL = 0.01
"""Distance to the nearest other sample, as a share of the reals' median, up to which it is the same again.

Samples that lie on lines, as those of small networks in the plane do, are often nearer than a tenth.
"""


@dataclass(frozen=True)
class Ruling:
    """A referee's measures of a generator's samples, independent of its discriminator."""

    separability: float
    """Of a fresh discriminator with a small budget: 0.5 cannot be separated."""
    apart: float
    """Root of the energy coefficient of samples and held-out reals: 0 the same distribution, 1 nothing in common."""
    diversity: float
    """Mean distance between samples over that between reals."""
    distinctness: float = 1.0
    """Mean distance from a sample to the nearest other one, over that among reals."""
    observation: Observation | None = None
    """What the strongest cheap observer tells; None where none was asked."""
    repeated: float = 0.0
    """Share of the samples that equal another one; 0 where reals do."""
    copied: float = 0.0
    """Share of the samples that are training samples; 0 where held-out reals are, and for data without end."""
    classes: tuple[ClassRuling, ...] = ()
    """The rulings on the samples of each class, of a generator that is given classes."""

    @property
    def told(self) -> float:
        """The separability of the samples: the referee's, or that of an observer who tells more, and surely."""
        if self.observation is None or not self.observation.tells:
            return self.separability
        return max(self.separability, self.observation.auc)


def rule(separability: float, held_out: Tensor, fake: Tensor) -> Ruling:
    """The ruling on (M, ...) fakes and (N, ...) held-out reals, with a fresh discriminator's separability."""
    held_out, fake = held_out[:SAMPLES], fake[:SAMPLES].to(held_out.device)
    among_real, among_fake = distances(held_out), distances(fake)
    apart = energy(distances(held_out, fake).mean(), mean_distance(among_real), mean_distance(among_fake))
    count = min(len(held_out), len(fake))
    among = among_real[:count, :count], among_fake[:count, :count]
    return Ruling(
        separability,
        apart=math.sqrt(float(apart)),
        diversity=float(diversity(among_real, among_fake)),
        distinctness=float(distinctness(*among)),
        repeated=float(copies(nearest(among[0]), nearest(among[1]), EQUAL)),
    )


def referee(
    discriminator: nn.Module,
    real: Sequence[Tensor],
    fake: Sequence[Tensor],
    held_out: Sequence[Tensor],
    fresh: Sequence[Tensor],
    *,
    generator: torch.Generator,
    batch_size: int = 64,
    steps: int = STEPS,
) -> float:
    """Trains a fresh D on real and fake samples; returns its separability on others, 0.5 where it has found nothing.

    All samples are (x,), or (x, y) with their conditions where D takes them.

    Args:
        discriminator: Untrained, (B, ...) -> (B,) or (B, 1) logits. It is changed.
        real: (N, ...) training samples, on any device.
        fake: (M, ...) training samples, on any device.
        held_out: (K, ...) other reals, on the discriminator's device.
        fresh: (L, ...) other fakes, on the discriminator's device.
        generator: Draws the batches; on the discriminator's device.
        batch_size: Samples of each kind in a step.
        steps: Steps of binary cross-entropy, by Adam at a rate of 1e-3.
    """
    optimizer = torch.optim.Adam(discriminator.parameters(), RATE)
    discriminator.train()
    for _ in range(steps):
        logits = []
        for samples in (real, fake):
            rows = torch.randint(len(samples[0]), (batch_size,), generator=generator, device=generator.device)
            batch = (part[rows.to(part.device)].to(generator.device) for part in samples)
            logits.append(discriminator(*batch).flatten())
        loss = F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    discriminator.eval()
    with torch.no_grad():
        # Logits that differ by less than .001 count as equal.
        scores = [rounded(per_sample(discriminator(*samples)), 1e-3) for samples in (held_out, fresh)]
        return float(separability(*scores))
