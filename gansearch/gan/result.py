"""What a run yields while it goes on, and what is left of it at the end."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from gansearch.stability.result import SeedResult


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


@dataclass(frozen=True, kw_only=True)
class Result(SeedResult):
    """The result of a seed with its samples."""

    samples: np.ndarray = field(repr=False)
    """(N, ...) fakes in data units; a loop of the user's own may give none, (0,)."""

    def without_samples(self) -> SeedResult:
        """The result as records hold it."""
        return SeedResult(**{one.name: getattr(self, one.name) for one in fields(SeedResult)})
