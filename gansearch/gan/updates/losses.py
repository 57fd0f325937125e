"""All adversarial losses and penalties, in their papers' terms.

`r` and `f` are D's raw scores of real and fake samples, (B,) each, larger = more real. σ is the logistic function, so
that softplus(−s) = −ln σ(s) and softplus(s) = −ln(1 − σ(s)). Everything may have a leading axis: R seeds have scores
(R, B) and losses (R,).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Loss(NamedTuple):
    """The losses of D and G of one kind of GAN."""

    d: Callable[[Tensor, Tensor, float], Tensor]
    """(r, f, label smoothing) -> D's loss. Losses without a target for real have nothing to smooth."""
    g: Callable[[Tensor, Tensor], Tensor]
    """(f, r) -> G's loss; where `paired` is False, f is passed as r."""
    ideal: Callable[[float], float]
    """label smoothing -> the loss of the best D where fakes are like reals: the best constant score's."""
    output: str
    """What D's scores are: "logit", "score" (no probability) or "relativistic" (logits of differences)."""
    paired: bool = False
    """G's loss needs D's scores of reals too."""
    middle: Callable[[Tensor, Tensor], Tensor | float] = lambda r, f: 0.0
    """(r, f) -> the score between real and fake, from which D's certainty is counted."""


def _logistic(r: Tensor, f: Tensor, smoothing: float) -> Tensor:
    loss = F.softplus(-r).mean(-1) + F.softplus(f).mean(-1)
    # −(1−s) ln σ(r) − s ln(1−σ(r)) = softplus(−r) + s·r: one-sided smoothing, Salimans et al. 2016, section 3.4.
    return loss + smoothing * r.mean(-1) if smoothing else loss


def _ideal_logistic(smoothing: float) -> float:
    real = (1 - smoothing) / 2  # the best answer: ln 4 without smoothing
    return -2 * (real * math.log(real) + (1 - real) * math.log(1 - real))


LOSSES: dict[str, Loss] = {
    # Goodfellow et al. 2014, section 3: G maximises ln D(G(z)).
    "non_saturating": Loss(_logistic, lambda f, r: F.softplus(-f).mean(-1), _ideal_logistic, "logit"),
    # Goodfellow et al. 2014, equation 1: G minimises ln(1 − D(G(z))).
    "minimax": Loss(_logistic, lambda f, r: -F.softplus(f).mean(-1), _ideal_logistic, "logit"),
    # Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17.
    "hinge": Loss(
        lambda r, f, s: F.relu(1 - r).mean(-1) + F.relu(1 + f).mean(-1),
        lambda f, r: -f.mean(-1),
        lambda s: 2.0,
        "score",
    ),
    # Arjovsky et al. 2017, equation 2; its Lipschitz constraint is `gradient_penalty`.
    "wgan": Loss(
        lambda r, f, s: f.mean(-1) - r.mean(-1),
        lambda f, r: -f.mean(-1),
        lambda s: 0.0,
        "score",
        middle=lambda r, f: (r.mean() + f.mean()) / 2,  # a critic has no zero of its own
    ),
    # Mao et al. 2017, equation 9: a = 0, b = c = 1.
    "lsgan": Loss(
        lambda r, f, s: ((r - 1 + s).square().mean(-1) + f.square().mean(-1)) / 2,
        lambda f, r: (f - 1).square().mean(-1) / 2,
        lambda s: (1 - s) ** 2 / 4,
        "score",
        middle=lambda r, f: 0.5,
    ),
    # Jolicoeur-Martineau 2018, equations 8 and 9: pairs of a real and a fake.
    "relativistic": Loss(
        lambda r, f, s: F.softplus(f - r).mean(-1),
        lambda f, r: F.softplus(r - f).mean(-1),
        lambda s: math.log(2),
        "relativistic",
        paired=True,
        middle=lambda r, f: f.mean(),
    ),
}


_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MATRICES = (nn.Linear, nn.Embedding, *_CONVOLUTIONS)


def of_samples(scores: Tensor, count: int) -> Tensor:
    """Returns (..., count) scores of samples of (..., count · patches) ones: the means over the patches of each."""
    return scores if scores.shape[-1] == count else scores.unflatten(-1, (count, -1)).mean(-1)


def best_of(scores: Tensor, others: Tensor, count: int, kept: int) -> tuple[Tensor, Tensor]:
    """Returns the scores of the `kept` samples, of `count`, that have the highest, and others of the same samples.

    Both are (..., count · patches); which samples are best their means say.
    """
    best = of_samples(scores, count).topk(kept, -1).indices.unsqueeze(-1)
    rows = (each.unflatten(-1, (count, -1)).take_along_dim(best, -2).flatten(-2) for each in (scores, others))
    return next(rows), next(rows)


def squared_gradient(scores: Tensor, samples: Tensor, packing: int = 1) -> Tensor:
    """E‖∇D(x)‖², the penalty of R1 (reals) and R2 (fakes): γ/2 times it (Mescheder et al. 2018, equation 9).

    With `packing` x is a pack, whose score each of its samples has.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), samples, create_graph=True)
    return gradient.square().flatten(scores.dim()).sum(-1).mean(-1) / packing


def gradient_penalty(
    score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor, packing: int = 1
) -> Tensor:
    """E(‖∇D(x̂)‖ − 1)² between pairs of real and fake (Gulrajani et al. 2017, equation 3); `mix` is (B,) in [0, 1].

    `score` gives D's scores of samples. With `packing` x̂ is a pack, as CTGAN has it; one that is not full is left out.
    """
    axis, count = mix.dim() - 1, mix.shape[-1]
    packs = max(1, count // packing)
    mix, real, fake = (part.narrow(axis, 0, min(count, packs * packing)) for part in (mix, real, fake))
    share = mix.view(*mix.shape, *[1] * (real.dim() - mix.dim()))
    between = (share * real + (1 - share) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
    gradient = gradient.unflatten(axis, (packs, -1)) / min(count, packing)
    return (gradient.flatten(axis + 1).norm(dim=-1) - 1).square().mean(-1)


def add_spectral_norm(discriminator: nn.Module) -> None:
    """Divides every weight matrix of D by its largest singular value (Miyato et al. 2018), by torch's parametrization.

    Layers whose weight is parametrized already are left alone.
    """
    for module in list(discriminator.modules()):
        if isinstance(module, _MATRICES) and "weight" in dict(module.named_parameters(recurse=False)):
            nn.utils.parametrizations.spectral_norm(module)
