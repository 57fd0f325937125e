"""What more trials were expected to bring in replayed sweeps, and what they brought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from replay_landscape import Landscape
from replay_searches import gansearch
from replay_sweep import Trial, train

from gansearch.search.sampling.stopping import is_enough
from gansearch.study.analysis.outlook import expected_gain
from gansearch.study.status import MORE

LONGEST = 180
"""Trials of a sweep; fewer where `trials: auto` ends it."""


def outlook(land: Landscape, sweeps: int) -> dict[str, Any]:
    """The share that 20 more trials bring, as expected and as it came, and what is lost by `trials: auto`.

    `lost` is by how much the true median distance of the nearest four trials is larger at the end of such a sweep than
    after 180 trials.
    """
    expected, came, ends, lost = [], [], [], []
    for number in range(sweeps):
        seed = 700_000 + number
        trials = train(land, gansearch(land, seed), LONGEST, seed)
        distances = [_distance(trial) for trial in trials]
        for count in range(MORE, LONGEST - MORE + 1, MORE):
            share = expected_gain(distances[:count], MORE)
            if math.isfinite(share):
                expected.append(share)
                came.append(1 - np.nanmin(distances[: count + MORE]) / np.nanmin(distances[:count]))
        ends.append(next((n for n in range(LONGEST) if is_enough(distances[:n])), LONGEST))
        lost.append(math.log(_nearest(land, trials[: ends[-1]]) / _nearest(land, trials)))
    quarters = np.quantile(ends, (0, 0.25, 0.5, 0.75, 1))
    means = {"expected": np.mean(expected), "came": np.mean(came), "lost": math.expm1(np.mean(lost))}
    return {name: round(float(value), 3) for name, value in means.items()} | {"ends": quarters.tolist()}


def _distance(trial: Trial) -> float:
    """Of a healthy trial, NaN of others."""
    return trial.end["distance"] if trial.end and trial.end["verdict"] == "balanced" else math.nan


def _nearest(land: Landscape, trials: Sequence[Trial]) -> float:
    healthy = sorted((trial for trial in trials if not math.isnan(_distance(trial))), key=_distance)
    return float(np.median([land.median(trial.params) for trial in healthy[:4]]))
