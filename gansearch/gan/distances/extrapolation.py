"""The Fréchet distance of infinitely many samples, from few."""

from __future__ import annotations

import math
import statistics

import torch
from torch import Tensor

from gansearch.gan.distances.estimate import Estimate
from gansearch.gan.quality import frechet

GROUPS = 5


def frechet_infinity(real: Tensor, fake: Tensor) -> Estimate:
    """Returns the Fréchet distance of (N, D) features extrapolated to N = ∞, with its standard error.

    A Fréchet distance of N samples is larger by about c/N, with a c that differs from generator to generator (Chong &
    Forsyth 2020, arXiv 1911.07023, section 4). They draw a line over 1/N through random parts of the samples; this is
    the line through all samples and the five parts that lack a fifth, which is the jackknife (Quenouille 1956): it has
    half the error, and tells it (Tukey 1958). Right to the error from N = 2 D on.
    """
    n = min(len(real), len(fake))
    real, fake = real[:n], fake[:n]
    group = torch.arange(n) % GROUPS
    without = [frechet(real[group != one], fake[group != one]) for one in range(GROUPS)]
    value = GROUPS * frechet(real, fake) - (GROUPS - 1) * statistics.fmean(without)
    return Estimate(value, (GROUPS - 1) / math.sqrt(GROUPS) * statistics.stdev(without))
