"""Whether a discriminator's scores are bounded, found by training it: a sigmoid may be anywhere, in any form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_STEPS = 20
_RATE = 0.1
_MOVED = 0.5
"""Least distance of the highest and the lowest score: what does not learn says nothing."""


def stay_between(discriminator: nn.Module, real: Tensor, fake: Tensor, *conditions: Tensor) -> tuple[int, int] | None:
    """Returns (0, 1) or (-1, 1) where no training takes D's scores out of it, else None.

    D is trained to give higher, and then from its first weights lower, scores to (B, ...) real and fake samples alike,
    with their conditions if any; raw ones leave [-1, 1] within a few steps. Its weights are changed.
    """
    parameters = [p for p in discriminator.parameters() if p.requires_grad]
    before = [p.detach().clone() for p in parameters]
    lowest, highest = torch.inf, -torch.inf
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for parameter, values in zip(parameters, before, strict=True):
                parameter.copy_(values)
        optimizer = torch.optim.Adam(parameters, _RATE)
        for _ in range(_STEPS):
            scores = torch.cat([discriminator(samples, *conditions).flatten() for samples in (real, fake)])
            lowest, highest = min(lowest, float(scores.detach().min())), max(highest, float(scores.detach().max()))
            if not -1 <= lowest <= highest <= 1:
                return None
            optimizer.zero_grad()
            (-sign * scores.mean()).backward()
            optimizer.step()
    if highest - lowest < _MOVED or highest <= 0:
        return None
    return (0, 1) if lowest >= 0 else (-1, 1)
