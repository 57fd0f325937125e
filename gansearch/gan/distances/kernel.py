"""Squared maximum mean discrepancies by kernels, estimated without bias."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan.distances.estimate import Estimate

Kernel = Callable[[Tensor, Tensor], Tensor]
"""(N, D) and (M, D) features -> (N, M)."""
_BANDWIDTH, _SCALE = 10.0, 1_000.0
_AT_ONCE = 512
"""Rows of a matrix of the kernel that are in memory."""


def cubic(x: Tensor, y: Tensor) -> Tensor:
    """Returns (x·y/D + 1)³, the kernel of the KID (Bińkowski et al. 2018, arXiv 1801.01401, section 4)."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def gaussian(x: Tensor, y: Tensor) -> Tensor:
    """Returns 1000 exp(−|x − y|²/(2·10²)) of unit vectors, the kernel of CMMD (Jayasumana et al. 2024, 2401.09603)."""
    x, y = F.normalize(x, dim=1), F.normalize(y, dim=1)
    return _SCALE * ((x @ y.T - 1) / _BANDWIDTH**2).exp()  # |x − y|² = 2 − 2 x·y


def mmd(real: Tensor, fake: Tensor, kernel: Kernel) -> Estimate:
    """Returns the unbiased estimate of MMD², of the first min(N, M) of (N, D) and (M, D) features.

    The value is equation 3 of Gretton et al. 2012 (JMLR 13). Its variance is that of the U-statistic of
    h_ij = k(x_i, x_j) + k(y_i, y_j) − k(x_i, y_j) − k(x_j, y_i), [4(n − 2) ζ₁ + 2 ζ₂] / (n(n − 1)), where ζ₂ is the
    variance of h_ij and ζ₁ that of its mean over j: it holds for equal distributions too, where ζ₁ is 0.
    """
    n = min(len(real), len(fake))
    x, y = real[:n].double(), fake[:n].double()
    sums, squares, across, paired = torch.zeros(n, dtype=torch.float64), 0.0, 0.0, 0.0
    for start in range(0, n, _AT_ONCE):
        end = min(start + _AT_ONCE, n)
        # h is symmetric: columns before these rows are known, and those behind them count twice.
        between, turned = kernel(x[start:end], y[start:]), kernel(y[start:end], x[start:])
        h = kernel(x[start:end], x[start:]) + kernel(y[start:end], y[start:]) - between - turned
        across += float(between.sum() + turned[:, end - start :].sum())
        paired += float(between.diagonal().sum())
        h.diagonal().zero_()
        sums[start:end] += h.sum(1)
        sums[end:] += h[:, end - start :].sum(0)
        squares += float(h.square().sum() + h[:, end - start :].square().sum())
    pairs = n * (n - 1)
    u = float(sums.sum()) / pairs
    zeta2 = max(0.0, squares / pairs - u**2)
    zeta1 = max(0.0, (float(sums.var()) / (n - 1) - zeta2) / (n - 2))
    value = u + 2 * (across - paired) / pairs - 2 * across / n**2  # x_i is compared with y_i too
    return Estimate(value, math.sqrt((4 * (n - 2) * zeta1 + 2 * zeta2) / pairs))


def kid(real: Tensor, fake: Tensor) -> Estimate:
    """Returns the estimate with the kernel of the KID."""
    return mmd(real, fake, cubic)


def cmmd(real: Tensor, fake: Tensor) -> Estimate:
    """Returns the estimate with the kernel of CMMD, whose paper takes the biased one; with its factor of 1000."""
    return mmd(real, fake, gaussian)
