"""What healthy runs look like: the band in which most of their curves lie, and how much of a run is inside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

MEASURES = ("p_real", "p_fake", "separability")
"""The curves that have a band: all are shares from 0 to 1."""
SHARES = np.linspace(0, 1, 21)
"""Where a band is known: shares of the updates after pretraining."""
FEWEST = 5
"""Runs that make a band."""
_ENDS = (0.05, 0.95)
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Band:
    """From the 5th to the 95th percentile of healthy runs, at each of `SHARES`."""

    runs: int
    """How many runs it is made of."""
    source: str
    """Whose runs these are, in words."""
    ends: Mapping[str, np.ndarray]
    """By measure, (2, 21): its lower and its upper ends."""
    usual: float
    """The share of itself that nine in ten of these runs have inside, at least."""

    def inside(self, run: Mapping[str, np.ndarray]) -> float:
        """The share of a run's probes at which all measures that it has are inside; NaN for a run without probes.

        `run` holds (N,) "share"s and (N,) values of each measure; NaN counts as inside.
        """
        outside = [
            (values < np.interp(run["share"], SHARES, self.ends[name][0]) - _ROUNDING)
            | (values > np.interp(run["share"], SHARES, self.ends[name][1]) + _ROUNDING)
            for name in MEASURES
            if (values := run.get(name)) is not None
        ]
        return float(1 - np.any(outside, axis=0).mean()) if outside and len(outside[0]) else float("nan")


def band_of(runs: Sequence[Mapping[str, np.ndarray]], source: str) -> Band | None:
    """The band of some healthy runs, each as `Band.inside` takes it; None where there are fewer than five."""
    if len(runs) < FEWEST:
        return None
    ends = {
        name: np.quantile([np.interp(SHARES, run["share"], run[name]) for run in runs], _ENDS, axis=0)
        for name in MEASURES
    }
    band = Band(len(runs), source, ends, usual=0.0)
    usual = float(np.quantile([band.inside(run) for run in runs], 0.1))
    return Band(len(runs), source, ends, usual)


def shipped_band(loss: str) -> Band:
    """The band of the balanced ones of 480 recorded runs, of those with this loss if there are any.

    `python benchmarks/validity.py --bands` has made it.
    """
    recorded = _recorded()
    found = recorded.get(loss, recorded["all"])
    ends = {name: np.array(found[name]) for name in MEASURES}
    which = f"with {loss.replace('_', '-')} loss " if loss in recorded else ""
    return Band(found["runs"], f"recorded runs {which}of a ring, a grid and digits", ends, found["usual"])


@cache
def _recorded() -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(files("gansearch.stability").joinpath("healthy.json").read_text())
    return recorded
