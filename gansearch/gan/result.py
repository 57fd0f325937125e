"""What a training yields: probes while it runs, and a result at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from gansearch.stability.report import StabilityReport
from gansearch.stability.result import SeedResult

_REPORTED = ["verdict", "stability", "saturated_right", "saturated_wrong", "separability", "referee_gap", "late_since"]
"""What a result has of the report on its training, as it is."""


@dataclass(frozen=True)
class Probe:
    """D's answers to held-out reals and as many fresh fakes. Losses are means since the last probe.

    NaN stands for what was not measured: G has not been updated yet, or no distance was due.
    """

    update: float
    """A whole number of updates; of a script whose epochs are counted it may have a part."""
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
    r_t: float = math.nan
    """With `augment: ada`, E[sign D(real)] over four D updates on training samples."""
    augment_p: float = math.nan
    """With `augment: ada`, the probability that follows it."""
    held_out_gap: float = math.nan
    """2 · AUC − 1 of D's scores, training reals against held-out ones: 0 for a D that scores both alike, 1 for one that
    tells them apart. NaN where D was shown no training reals."""
    reconstruction: float = math.nan
    """Of pairs, the mean difference of held-out targets from what G makes of their inputs, unweighted."""
    outputs: dict[str, list[int]] | None = None
    """How many of D's answers to "real" and to "fake" samples are in each twentieth of [0, 1]; None at most probes."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was measured: a sign of life of a training that is silent."""
        return all(math.isnan(getattr(self, one.name)) for one in fields(self) if one.name not in ("update", "outputs"))


@dataclass(frozen=True, kw_only=True)
class Result(SeedResult):
    """The result of a seed with its samples."""

    samples: np.ndarray = field(repr=False)
    """(N, ...) fakes in data units; a loop of the user's own may give none, (0,)."""

    @classmethod
    def judged(cls, report: StabilityReport, *, stopped: str, updates: int, **measured: Any) -> Result:
        """The result of a training that a report judges.

        `stopped` says why it ended before its budget, empty if it did not; `measured` are the fields that are neither
        of the report nor follow from it.
        """
        diverged = report.verdict == "diverged"
        return cls(
            status="failed" if diverged else "pruned" if stopped else "complete",
            error=f"diverged: {stopped or report.sentence}" if diverged else "",
            sentence=f"Stopped after {updates:,} updates: {stopped}. {report.sentence}" if stopped else report.sentence,
            **{name: getattr(report, name) for name in _REPORTED},
            updates=updates,
            **measured,
        )

    def without_samples(self) -> SeedResult:
        """The result as records hold it."""
        return SeedResult(**{one.name: getattr(self, one.name) for one in fields(SeedResult)})
