"""What a run yields while it goes on, and what is left of it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Probe:
    """One look at D, on held-out reals and as many fresh fakes. Losses are means since the last probe.

    NaN: there was nothing to measure (G has not been updated yet, or no distance was due).
    """

    update: int
    loss_d: float
    loss_g: float
    p_real: float
    p_fake: float
    saturated_right: float
    saturated_wrong: float
    separability: float
    grad_norm_d: float
    grad_norm_g: float
    """2-norm of the last gradient, before the optimizer."""
    distance: float
    outputs: dict[str, list[int]] | None = None
    """How many of D's answers to "real" and to "fake" samples are in each twentieth of [0, 1]; None at most probes."""


@dataclass(frozen=True)
class Result:
    """One seed of one configuration, trained and judged."""

    seed: int
    status: str
    """complete, pruned or failed"""
    error: str
    """Why it failed; empty otherwise."""
    verdict: str
    sentence: str
    stability: float
    distance: float
    quality: dict[str, float]
    saturated_right: float
    saturated_wrong: float
    separability: float
    referee_gap: float
    updates: int
    train_seconds: float
    samples: np.ndarray = field(repr=False)
    """(N, ...) fakes in data units; a loop of the user's own may give none, (0,)."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Of each discriminator by name, where a loop of the user's own has several; `verdict` is the worst."""
