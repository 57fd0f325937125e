"""Measures of the balance from D's raw scores and samples: pure functions of tensors that never wait for the device.

Scores are (N,) tensors of finite numbers, larger = more real. A logit's sigmoid is the probability of real, so
"within ε of 0 or 1" is |logit| > ln((1−ε)/ε): logits are compared, because float32 probabilities round to 1 from
logit 17 on.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILONS = (0.01, 0.05, 0.1)
BINS = 20
"""Bins of a histogram."""


def threshold(epsilon: float) -> float:
    """The logit whose probability is 1 − ε: ln((1−ε)/ε)."""
    return math.log((1 - epsilon) / epsilon)


def saturation_counts(logits: Tensor) -> list[Tensor]:
    """How many of (N,) logits are above 1 − ε, then below ε, for each of EPSILONS: six () tensors."""
    taus = [threshold(epsilon) for epsilon in EPSILONS]
    return [(logits > tau).sum() for tau in taus] + [(logits < -tau).sum() for tau in taus]


def histogram(logits: Tensor) -> Tensor:
    """How many of (N,) logits have their probability in each of 20 equal bins of [0, 1]: (20,) counts.

    The first bin counts outputs within .05 of 0, the last those within .05 of 1.
    """
    bins = (logits.sigmoid() * BINS).long().clamp(max=BINS - 1)
    return (bins.unsqueeze(1) == torch.arange(BINS, device=logits.device)).sum(0)


def per_sample(scores: Tensor) -> Tensor:
    """(B,) scores of (B, ...): means over the patches of each sample, which are no independent samples."""
    return scores.flatten(1).mean(1) if scores.dim() > 1 else scores


def separability(real: Tensor, fake: Tensor) -> Tensor:
    """Area under the ROC curve of (N,) real against (M,) fake scores, ties counted half: () in [0, 1].

    Mann–Whitney: P(real > fake) + P(real = fake) / 2.
    """
    ordered = fake.sort().values
    below = torch.searchsorted(ordered, real, right=False) + torch.searchsorted(ordered, real, right=True)
    return below.sum() / (2.0 * real.numel() * fake.numel())


def rounded(scores: Tensor, resolution: Tensor | float) -> Tensor:
    """(N,) scores rounded to multiples of `resolution`, so that insignificant differences become ties."""
    return (scores / resolution).round() * resolution


def relativistic(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of the relativistic average D: σ(D(real) − E D(fake)) and the other way round.

    Jolicoeur-Martineau 2018 (arXiv 1807.00734), equations 13 and 14.
    """
    return real - fake.mean(), fake - real.mean()


def calibrate(real: Tensor, fake: Tensor, steps: int = 12) -> tuple[Tensor, Tensor]:
    """Logits for critics without a probability: Platt's a·s + b (1999), fitted on the even half of the scores.

    Returns the odd halves as logits, (N/2,) and (M/2,), which the fit has not seen. Fitted on standardised scores by
    Newton's method with a slight ridge, so that separable scores keep a finite slope.
    """
    both = torch.cat([real[::2], fake[::2]])
    target = torch.cat([torch.ones_like(real[::2]), torch.zeros_like(fake[::2])])
    mean, scale = both.mean(), both.std(correction=0).clamp_min(1e-12)
    x = torch.stack([(both - mean) / scale, torch.ones_like(both)], 1)  # (n, 2)
    # Platt's prior-corrected targets keep the slope finite where the scores separate perfectly.
    n_real, n_fake = target.sum(), (1 - target).sum()
    target = target * (n_real + 1) / (n_real + 2) + (1 - target) / (n_fake + 2)
    w = x.new_zeros(2)
    ridge = 1e-5 * torch.eye(2, device=x.device, dtype=x.dtype)
    for _ in range(steps):
        p = torch.sigmoid(x @ w)
        curvature = (x * (p * (1 - p))[:, None]).T @ x / len(x) + ridge
        a, b, d = curvature[0, 0], curvature[0, 1], curvature[1, 1]
        g = x.T @ (p - target) / len(x) + ridge[0, 0] * w
        w = w - torch.stack([d * g[0] - b * g[1], a * g[1] - b * g[0]]) / (a * d - b * b)
    # Larger means more real whatever the fitted sign: a critic that ranks fakes above reals is confident and wrong.
    slope = w[0].abs() / scale
    return slope * (real[1::2] - mean) + w[1], slope * (fake[1::2] - mean) + w[1]


def probability_logit(probability: Tensor) -> Tensor:
    """ln(p/(1−p)), finite at 0 and 1 (float32's smallest step from them); NaN outside [0, 1]."""
    tiny = torch.finfo(probability.dtype).eps / 2
    inside = (probability >= 0) & (probability <= 1)
    return torch.where(inside, probability.clamp(tiny, 1 - tiny).logit(), torch.nan)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """−E ln σ(real) − E ln(1 − σ(fake)); for the optimal D ln 4 − 2·JSD (Goodfellow et al. 2014, theorem 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    """(N, M) Euclidean distances of (N, ...) and (M, ...) samples; of the first among themselves without a second."""
    x = x.flatten(1).float()
    y = x if y is None else y.flatten(1).float()
    # Matrix products are fast but round; with many columns, and around the mean, too little to matter.
    few = x.shape[1] <= 16
    mean = 0.0 if few else y.mean(0)
    mode = "donot_use_mm_for_euclid_dist" if few else "use_mm_for_euclid_dist"
    between = torch.cdist(x - mean, y - mean, compute_mode=mode)
    return between.fill_diagonal_(0.0) if x is y else between


def mean_distance(among: Tensor) -> Tensor:
    """E‖X−X'‖ of (N, N) distances of samples among themselves: () ≥ 0; 0 for one sample."""
    return among.sum() / max(1, len(among) * (len(among) - 1))


def energy(between: Tensor, within_x: Tensor, within_y: Tensor) -> Tensor:
    """Energy coefficient of two distributions from () mean distances, in [0, 1]: 0 where they are equal.

    (2·E‖X−Y‖ − E‖X−X'‖ − E‖Y−Y'‖) / 2·E‖X−Y‖ (Székely & Rizzo 2013, section 2). Where all reals X are equal, which
    leaves no spread to compare with, the denominator is at least 1.
    """
    excess = 2 * between - within_x - within_y
    whole = torch.where(within_x > 0, 2 * between, (2 * between).clamp_min(1.0)).clamp_min(1e-12)
    return (excess / whole).clamp(0, 1)


def diversity(among_real: Tensor, among_fake: Tensor) -> Tensor:
    """Mean distance between fakes over that between reals, from (N, N) and (M, M) distances: 0 is one point.

    () ≥ 0; 1 where all reals are equal.
    """
    spread = mean_distance(among_real)
    return torch.where(spread > 0, mean_distance(among_fake) / spread.clamp_min(1e-12), 1.0)


def distinctness(among_real: Tensor, among_fake: Tensor) -> Tensor:
    """Mean distance to the nearest other fake, over that among as many reals: 0 is a few samples repeated.

    From (N, N) distances of both: () ≥ 0; 1 where each real has an equal one.
    """
    nearest_real, nearest_fake = (nearest(among).mean() for among in (among_real, among_fake))
    return torch.where(nearest_real > 0, nearest_fake / nearest_real.clamp_min(1e-12), 1.0)


def nearest(among: Tensor) -> Tensor:
    """(N,) distances to the nearest other sample, from (N, N) ones; 0 for one sample."""
    if len(among) < 2:
        return among.sum(1)
    return among.clone().fill_diagonal_(torch.inf).amin(1)


def copies(nearest_real: Tensor, nearest_fake: Tensor, within: float) -> Tensor:
    """Share of fakes nearer to their neighbour than `within` of the median distance of reals to theirs: () in [0, 1].

    From (N,) and (M,) distances. 0 where more than 5% of the reals are so near: data with copies say nothing of fakes.
    """
    limit = within * nearest_real.median()
    share = (nearest_fake <= limit).float().mean()
    return torch.where((nearest_real <= limit).float().mean() > 0.05, 0.0, share)
