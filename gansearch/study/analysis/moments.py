"""When a run was nearest to the data, and whether it should go on, stop, or be rolled back to that moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

CLEAR = 0.1
"""The share by which two measured distances of a run differ at least, to count as different."""
FEWEST = 3
"""Measurements that say something of a course."""


@dataclass(frozen=True)
class Moment:
    """The measurement of a run with the smallest distance, and its last one; medians over its seeds."""

    update: float
    distance: float
    last_update: float
    last_distance: float
    advice: Literal["go on", "stop", "roll back"]
    """What to do: the distance still falls, has not fallen clearly any more, or was clearly smaller before."""
    since: float
    """The update from which on the distance has been as small as it is at the end, within `CLEAR`."""


def is_clearly_nearer(distance: float, other: float) -> bool:
    """Whether a distance is smaller than another by more than `CLEAR` of it; one of the user's own may be below 0."""
    return distance < other - CLEAR * abs(other)


def distances_of(curves: pd.DataFrame) -> pd.Series[float]:
    """The measured distances of a run by update: of the seeds that were measured there the median."""
    measured = curves[np.isfinite(curves["distance"].astype(float))]
    return measured.groupby("update")["distance"].median()


def moment_of(curves: pd.DataFrame) -> Moment | None:
    """The best moment of one run, the rows of a trial in curves.parquet; None with fewer than three measurements.

    A run is rolled back if it was at least 10% nearer than at its end. It should go on if its nearest is its end, and
    the last third of its updates brought 10%.
    """
    distances = distances_of(curves)
    if len(distances) < FEWEST:
        return None
    best, last = float(distances.min()), float(distances.iloc[-1])
    updates = distances.index.to_numpy(dtype=float)
    update, last_update = float(updates[distances.argmin()]), float(updates[-1])
    before = distances[updates <= updates[0] + 2 / 3 * (last_update - updates[0])]
    near = distances <= last + CLEAR * abs(last)
    since = float(updates[int(np.flatnonzero(~near)[-1]) + 1 if not near.all() else 0])
    if is_clearly_nearer(best, last):
        advice: Literal["go on", "stop", "roll back"] = "roll back"
    else:
        advice = "go on" if is_clearly_nearer(last, float(before.min())) else "stop"
    return Moment(update, best, last_update, last, advice, since)
