"""The verdicts: what became of the balance, in one word, a sentence, and the knob that usually mends it."""

from __future__ import annotations

from collections.abc import Iterable

VERDICTS = (
    "diverged",
    "collapsed",
    "discriminator_saturated",
    "generator_dominates",
    "uninformative",
    "oscillating",
    "balanced",
)
"""Worst first."""

ADVICE = {
    "diverged": "Lower lr, or add r1_gamma or spectral_norm.",
    "collapsed": "Lower lr_g (raise lr_ratio) or raise update_ratio, or add r1_gamma or instance_noise.",
    "discriminator_saturated": "Lower lr_ratio or update_ratio, or add r1_gamma.",
    "generator_dominates": "Raise lr_ratio, update_ratio or pretrain_steps.",
    "uninformative": "Raise lr, lr_ratio or update_ratio, or weaken the penalty on D.",
    "oscillating": "Lower lr, or add r1_gamma or ema.",
    "balanced": "",
}
"""The knob that usually mends a verdict."""


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts."""
    return min(verdicts, key=VERDICTS.index)
