"""The referee: a fresh discriminator with a small fixed budget, which tells what could have been told apart.

A D that answers 0.5 has either nothing left to tell (the GAN has converged) or has learned nothing. Only somebody
else's look at the same samples can say which.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.stability.measures import separability

STEPS = 300
RATE = 1e-3


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
            discriminator(samples[pick.to(samples.device)]).flatten()
            for samples, pick in zip((real, fake), picks, strict=True)
        ]
        loss = F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    discriminator.eval()
    with torch.no_grad():
        return float(separability(discriminator(held_out).flatten(), discriminator(fresh).flatten()))
