"""Quality measures of samples that need no download. All take float32 tensors on the CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gansearch.stability.measures import distances


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


def joint(real: Tensor, fake: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(M, ...) reals and fakes, or features of them, beside the conditions that both have: (M, D + k) each.

    A distance between these is one of the joint distributions, which is 0 where fakes are right under each condition
    (the Fréchet joint distance of DeVries et al. 2019, arXiv 1907.08175). Conditions, classes as one-hot vectors, are
    scaled to the mean norm of the reals.
    """
    classes = labels.dim() == 1 and not labels.is_floating_point()
    conditions = (torch.nn.functional.one_hot(labels) if classes else labels).float().view(len(labels), -1)
    flat = real.flatten(1)
    scale = flat.norm(dim=1).mean() / conditions.norm(dim=1).mean().clamp_min(1e-12)
    return torch.cat([flat, scale * conditions], 1), torch.cat([fake.flatten(1), scale * conditions], 1)


def frechet(real: Tensor, fake: Tensor) -> float:
    """Fréchet distance of two (N, D) sets of features taken as Gaussians (Heusel et al. 2017, equation 6).

    |μ₁ − μ₂|² + tr(C₁ + C₂ − 2(C₁C₂)^½), in 64 bits. The trace of the root is the sum of the roots of the eigenvalues
    of C₁^½ C₂ C₁^½, which is symmetric as C₁C₂ is not.
    """
    real, fake = real.double(), fake.double()
    c1, c2 = torch.cov(real.T).reshape(real.shape[1], -1), torch.cov(fake.T).reshape(real.shape[1], -1)
    values, vectors = torch.linalg.eigh(c1)
    half = vectors * values.clamp_min(0).sqrt() @ vectors.T
    root = torch.linalg.eigvalsh(half @ c2 @ half).clamp_min(0).sqrt().sum()
    return float((real.mean(0) - fake.mean(0)).square().sum() + c1.trace() + c2.trace() - 2 * root)


def coverage(real: Tensor, fake: Tensor, k: int = 5) -> float:
    """Share of (N, ...) reals with a fake nearer than their k-th real neighbour (Naeem et al. 2020, equation 9)."""
    radius = distances(real).kthvalue(k + 1, dim=1).values  # the point itself is its own nearest
    return float((distances(real, fake).amin(1) < radius).float().mean())


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


def gram_divergence(real: Tensor, fake: Tensor, n: int) -> float:
    """Jensen-Shannon divergence, in bits, between the shares of all runs of n codes in (N, L) and (M, L) sequences.

    Lin 1991, equation 4.1 with equal weights: 0 for the same shares, 1 where the two have no run in common.
    """
    base = 1 + max(int(codes.max()) for codes in (real, fake))
    powers = base ** torch.arange(n)
    runs = [(codes.long().unfold(1, n, 1) * powers).sum(-1).flatten() for codes in (real, fake)]
    _, kind = torch.cat(runs).unique(return_inverse=True)
    kinds = kind.split([len(part) for part in runs])
    p, q = (torch.bincount(part, minlength=int(kind.max()) + 1).double() / len(part) for part in kinds)
    middle = (p + q) / 2
    return float((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).sum() / (2 * math.log(2)))


def marginal_distance(real: Tensor, fake: Tensor) -> float:
    """Distance of one column of (N, W) real and (M, W) fake rows.

    Of numbers (W = 1) it is the 1-Wasserstein distance, in their units; of one-hot categories the total variation, half
    the sum of the shares' differences.
    """
    from scipy.stats import wasserstein_distance

    if real.shape[1] == 1:
        return float(wasserstein_distance(real[:, 0].numpy(), fake[:, 0].numpy()))
    return float((real.mean(0) - fake.mean(0)).abs().sum() / 2)


def correlation_distance(real: Sequence[Tensor], fake: Sequence[Tensor]) -> float:
    """Mean over all pairs of columns, (N, W) and (M, W) each, of the mean absolute difference of their correlations.

    Pearson's correlation, between each pair of numbers of the two columns; 0 with a constant, and for a single column.
    """
    r, f = (torch.corrcoef(torch.cat(list(part), 1).double().T).nan_to_num(0.0) for part in (real, fake))
    shares = torch.block_diag(*(torch.full((block.shape[1], 1), 1 / block.shape[1]) for block in real)).double()
    pairs = shares.T @ (r - f).abs() @ shares if len(real) > 1 else torch.zeros(1, 1)
    return float(pairs.triu(1).sum() / max(1, len(real) * (len(real) - 1) / 2))


def two_sample_auc(real: np.ndarray, fake: np.ndarray, most: int = 1_000) -> float:
    """Area under the ROC curve of a classifier of (N, W) real against (M, W) fake rows; 0.5: they cannot be separated.

    A classifier two-sample test (Lopez-Paz & Oquab 2017): the out-of-bag votes of a random forest, on at most `most`
    rows of each kind.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    rows = np.concatenate([real[:most], fake[:most]])
    labels = np.repeat([1, 0], [len(real[:most]), len(fake[:most])])
    forest = RandomForestClassifier(100, min_samples_leaf=3, oob_score=True, random_state=0).fit(rows, labels)
    return float(roc_auc_score(labels, np.nan_to_num(forest.oob_decision_function_[:, 1], nan=0.5)))
