"""What a landscape foretells of runs that it was not fitted to, and whether its draws are like recorded runs."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from replay_figures import HEALTHY
from replay_landscape import Landscape, Run
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

FOLDS = 8
EARLY = (0.1, 0.3)
"""Shares of the updates after pretraining at which distances are compared with the final ones."""


def foretold(land: Landscape) -> dict[str, Any]:
    """Correlation of left-out log distances with the expected ones, and figures of recorded runs beside those of draws.

    Of recorded and drawn: the standard deviation of a seed's log distance, the share of healthy runs, and the rank
    correlation of the distances at EARLY with the final ones. `healthy_exports` is the share of the recorded
    configurations that would be healthy exports.
    """
    draw = random.Random(0)
    drawn = [land.draw(run.end, draw) for run in land.runs for _ in range(4)]
    indices = [run.end["index"] for run in land.runs]
    configurations = {run.end["index"]: run.end for run in land.runs}.values()
    several = [run for run in land.runs if indices.count(run.end["index"]) > 1]
    again = [Run({**run.end, **_result(land.draw(run.end, draw))}, run.looks) for run in several for _ in range(10)]
    figures = {
        **_left_out(land),
        "seed_noise": [_pooled(several), _pooled(again)],
        "healthy": [_healthy(land.runs), _healthy(drawn)],
        "healthy_exports": float(np.mean([land.share_healthy(end) >= HEALTHY for end in configurations])),
        "median_log": [float(np.median(_logs(land.runs))), float(np.median(_logs(drawn)))],
        "best_tenth_log": [float(np.quantile(_logs(land.runs), 0.1)), float(np.quantile(_logs(drawn), 0.1))],
    }
    for share in EARLY:
        figures[f"rank_at_{share}"] = [_early(land, land.runs, share), _early(land, drawn, share)]
    return {"runs": len(land.runs), "configurations": len(configurations), **_rounded(figures)}


def _left_out(land: Landscape) -> dict[str, float]:
    """Each configuration foretold by a landscape without it: one of FOLDS."""
    indices = np.array([run.end["index"] for run in land.runs])
    expected, health = np.zeros(len(indices)), np.zeros(len(indices))
    for fold in range(FOLDS):
        # Every fourth configuration has four seeds: they are spread over the folds by their place.
        left = np.argsort(np.argsort(indices, kind="stable"))[np.isin(indices, np.unique(indices)[fold::FOLDS])]
        rest = type(land)(land.task, [run for i, run in enumerate(land.runs) if i not in left])
        for i in left:
            at = rest.at(land.runs[i].end)
            expected[i], health[i] = at.log, at.healthy
    unique = [np.flatnonzero(indices == index) for index in np.unique(indices)]
    recorded = [float(land.logs[group].mean()) for group in unique]
    foretelling = [float(expected[group].mean()) for group in unique]
    auc = roc_auc_score(land.healthy, health) if len(set(land.healthy.tolist())) == 2 else math.nan
    return {
        "correlation": float(np.corrcoef(recorded, foretelling)[0, 1]),
        "rank_correlation": float(spearmanr(recorded, foretelling)[0]),
        "healthy_auc": float(auc),
    }


def _result(run: Run) -> dict[str, Any]:
    return {name: run.end[name] for name in ("status", "verdict", "distance")}


def _logs(runs: Iterable[Run]) -> np.ndarray:
    return np.log([run.end["distance"] for run in runs if run.whole])


def _pooled(runs: Sequence[Run]) -> float:
    """Standard deviation of log distances within configurations, pooled."""
    groups: dict[int, list[float]] = {}
    for run in runs:
        if run.whole:
            groups.setdefault(run.end["index"], []).append(math.log(run.end["distance"]))
    several = [np.array(values) for values in groups.values() if len(values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    return (
        math.sqrt(sum(((values - values.mean()) ** 2).sum() for values in several) / freedom) if freedom else math.nan
    )


def _healthy(runs: Sequence[Run]) -> float:
    return float(np.mean([run.whole and run.end["verdict"] == "balanced" for run in runs]))


def _early(land: Landscape, runs: Sequence[Run], share: float) -> float:
    pairs = []
    for run in runs:
        before = run.end.get("pretrain_steps", 0)
        known = run.until(before + share * (land.updates - before))
        if known and run.whole:
            pairs.append((known[-1].distance, run.end["distance"]))
    return float(spearmanr(*zip(*pairs, strict=True))[0])


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: [round(one, 3) for one in value] if isinstance(value, list) else round(value, 3)
        for name, value in figures.items()
    }
