"""The observer: who can tell a generator's samples from the data, asked before a run is called balanced.

A classifier two-sample test (Lopez-Paz & Oquab 2017, arXiv 1610.06545) by the strongest classifier that is cheap:
boosted trees for the rows of a table, a referee network for anything else, or what a task brings. Logistic regression
is none: it finds no difference where each column is right and their relations are wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

TOLD_BY_REFEREE, TOLD_BY_TREES = 0.97, 0.9
"""Area under the ROC curve from which an observer with endless samples can tell.

A network tells most GANs' samples a little, good ones too: on ring, grid and digits it tells none of the best tenth of
160 runs each by .97, 6 of 116 in the best quarter, and 13 of the 89 others that would be balanced. Trees tell good
tables less: of 69 random runs on five tables that would be balanced two have .93 and .95, the others at most .906.
"""
MOST_ROWS = 2_000
_FOLDS = 3
_ROUNDS = 50
_NAMED = 3
_KEPT = 16
"""Samples, the first ones, that everybody finds: a sweep keeps 64 of a trial, fewer where they are large."""
_GIVES_AWAY = 0.6
"""Area under the curve of a single column from which it is named."""


@dataclass(frozen=True)
class Observation:
    """How well somebody tells fakes from held-out reals, both as they are exported."""

    auc: float
    """Area under the ROC curve on samples that the observer has not learned from: 0.5 cannot tell."""
    count: int
    """Held-out reals that were seen, with as many fakes."""
    by: str = "a fresh referee"
    evidence: str = ""
    """By what: "by the columns a, b", "surest of samples 3, 17"; empty where nobody can tell."""
    told_from: float = TOLD_BY_REFEREE
    """The area from which it could tell with endless samples."""

    @property
    def threshold(self) -> float:
        """`told_from`, and the standard deviation of the area of an observer who cannot tell: 1/√(6·count)."""
        return self.told_from + 1 / math.sqrt(6 * self.count)

    @property
    def tells(self) -> bool:
        """Whether the fakes are told from the reals."""
        return self.auc > self.threshold

    @property
    def sees_too_little(self) -> bool:
        """Whether there are so few samples that no area would be enough."""
        return self.threshold >= 1


def observe_rows(real: np.ndarray, fake: np.ndarray, names: Sequence[str] = ()) -> Observation:
    """Asks boosted trees about (N, W) held-out reals and (M, W) fakes; missing numbers may be NaN.

    They see the numbers, or also how often each occurs in its column, whichever tells more. `names` are the columns',
    their places by default. The area is the mean over three folds.
    """
    count = min(len(real), len(fake), MOST_ROWS)
    rows = np.concatenate([real[:count], fake[:count]]).astype(np.float32)
    seen = np.stack([rows, _counts(rows)], 2)  # (2n, W, 2)
    area = max(_area(seen[..., :1]), _area(seen))  # where they do not help, counts are in the trees' way
    observation = Observation(area, count, "boosted trees", told_from=TOLD_BY_TREES)
    if not observation.tells:
        return observation
    areas = [_area(seen[:, [column]]) for column in range(rows.shape[1])]
    names = names or [f"{column + 1}" for column in range(rows.shape[1])]
    best = sorted(zip(areas, names, strict=True), reverse=True)[:_NAMED]
    told = ", ".join(f"{name} ({area:.2f} alone)" for area, name in best if area > _GIVES_AWAY)
    evidence = f"by the columns {told}" if told else "by how columns go together, by none alone"
    return replace(observation, evidence=evidence)


def observe_scores(auc: float, count: int, scores: np.ndarray) -> Observation:
    """What a referee network tells, given its area and its (M,) scores of the exported fakes, larger = more real.

    Of the first samples, which a results folder holds, it names those that it is surest of.
    """
    surest = ", ".join(str(index) for index in np.argsort(scores[:_KEPT], kind="stable")[:_NAMED])
    return Observation(auc, count, evidence=f"surest of samples {surest}")


def _counts(rows: np.ndarray) -> np.ndarray:
    """How often each number of (N, W) rows occurs in its column, (N, W): by it trees see that numbers are rounded."""
    columns = [np.unique(column, return_inverse=True, return_counts=True) for column in rows.T]
    return np.stack([counts[inverse] for _, inverse, counts in columns], 1)


def _area(seen: np.ndarray) -> float:
    """The cross-validated area of boosted trees on (2n, W, K) rows, reals first."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    is_real = np.repeat([1, 0], len(seen) // 2)
    trees = HistGradientBoostingClassifier(max_iter=_ROUNDS, early_stopping=False, random_state=0)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    return float(cross_val_score(trees, seen.reshape(len(seen), -1), is_real, scoring="roc_auc", cv=folds).mean())
