"""How good samples are: distances and counts that need no download. All take float32 tensors on the CPU."""

from __future__ import annotations

import torch
from torch import Tensor


def sliced_wasserstein(real: Tensor, fake: Tensor, projections: int = 128) -> float:
    """Sliced 2-Wasserstein distance of (N, ...) and (M, ...) samples, in the data's units.

    Bonneel et al. 2015, equation 12, over fixed random directions and the first min(N, M) samples: in one dimension
    sorted samples are the optimal pairs. For a shift δ in 2-D it is δ/√2.
    """
    real, fake = real.flatten(1), fake.flatten(1)
    count = min(len(real), len(fake))
    directions = torch.randn(real.shape[1], projections, generator=torch.Generator().manual_seed(0))
    directions = directions / directions.norm(dim=0)
    ordered = [(samples[:count] @ directions).T.sort().values for samples in (real, fake)]
    return float((ordered[0] - ordered[1]).square().mean().sqrt())


def frechet(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance of two (N, D) sets of features taken as Gaussians (Heusel et al. 2017, equation 6).

    |μ₁ − μ₂|² + tr(C₁ + C₂ − 2(C₁C₂)^½); the trace of the root is the sum of the roots of C₁C₂'s eigenvalues.
    """
    real, fake = real.double(), fake.double()
    c1, c2 = torch.cov(real.T), torch.cov(fake.T)
    root = torch.linalg.eigvals(c1 @ c2).real.clamp_min(0).sqrt().sum()
    return float((real.mean(0) - fake.mean(0)).square().sum() + c1.trace() + c2.trace() - 2 * root)


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """Share of (N, ...) reals with a fake nearer than their k-th real neighbour (Naeem et al. 2020, equation 9)."""
    real, fake = real.flatten(1), fake.flatten(1)
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=1).values  # the point itself is its own nearest
    return float((torch.cdist(real, fake).min(1).values < radius).float().mean())


def label_kl(real_labels: Tensor, fake_labels: Tensor, classes: int) -> float:
    """KL(fake ‖ real) in nats between the shares of labels, (N,) and (M,) whole numbers below `classes`.

    Classes are counted with half a sample more, so that a class missing among the reals stays finite.
    """
    p, q = (torch.bincount(labels, minlength=classes).double() + 0.5 for labels in (fake_labels, real_labels))
    p, q = p / p.sum(), q / q.sum()
    return float((p * (p / q).log()).sum())


def modes(fake: Tensor, centres: Tensor, std: float) -> dict[str, float]:
    """How (M, 2) samples fall on a mixture with (K, 2) centres; high quality is within 3 std (PacGAN's protocol).

    `modes_hit` counts modes with at least one high-quality sample, `modes_2pct` those with at least 2% of all.
    """
    distance, nearest = torch.cdist(fake, centres).min(1)
    good = distance <= 3 * std
    share = torch.bincount(nearest[good], minlength=len(centres)) / len(fake)
    return {
        "modes_hit": float((share > 0).sum()),
        "modes_2pct": float((share >= 0.02).sum()),
        "high_quality": float(good.float().mean()),
    }
