"""What more trials are expected to bring: by how much they bring down the smallest distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from gansearch.stability.verdict import HEALTHY

_LEAST = 8
"""Healthy trials without which nothing is expected: of fewer, twice of what came was (`replay.py --only outlook`)."""


def expected_gain(distances: Sequence[float], more: int) -> float:
    """Return the share by which `more` trials are expected to bring down the smallest distance.

    NaN with too few healthy trials, and where some distance, of the user's own, has no logarithm.

    `distances` has one entry for each trial, in the order in which they ended, NaN for one that was stopped, failed or
    unhealthy. Only the second half of the trials counts: the sampler was worse at first. Of n exchangeable trials a
    random half leaves out the i best and keeps the next one with probability 2^-(i+1), so that the log of the smallest
    distance is g = Σ (y[i+1] − y[i]) / 2^i larger in half of them, y[1] ≤ y[2] ≤ … being the log distances. So much the
    last doubling has brought, and the smallest distance is taken to fall by g with each further one, as it does where
    log distances have an exponential tail; where there is a smallest possible distance it falls by less.
    """
    late = list(distances[len(distances) // 2 :])
    known = sorted(distance for distance in late if math.isfinite(distance))
    if len(known) < _LEAST or known[0] <= 0:
        return math.nan
    logs = [math.log(distance) for distance in known]
    doubling = sum((farther - nearer) / 2**i for i, (nearer, farther) in enumerate(pairwise(logs), start=1))
    return -math.expm1(-doubling * math.log2(1 + more / len(late)))


def candidate_distances(trials: pd.DataFrame) -> list[float]:
    """Return the distances of a table of trials as `expected_gain` takes them."""
    trials = trials.sort_values("ended")
    return trials["distance"].where((trials["status"] == "complete") & trials["verdict"].isin(HEALTHY)).tolist()
