"""Where the configurations of a sweep's trials came from, and what each source found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gansearch.store.record import TrialRecord

PRIOR, MODEL, MOVE = "prior", "tpe", "move"
"""The sources that `sampler: balance` draws from; beside them `default` and `start_from`."""


def share_won(prior: Sequence[float], model: Sequence[float]) -> float:
    """The share of pairs in which the prior's distance is below TPE's, and half of equal ones; .5 without a pair."""
    if not (prior and model):
        return 0.5
    ordered = np.sort(prior)
    won = [np.searchsorted(ordered, model, side).mean() / len(ordered) for side in ("left", "right")]
    return float(sum(won)) / 2


def first_rung(record: TrialRecord) -> float:
    """The distance of a trial at its first rung, or where it has no number there, as without pruning, at its end.

    Infinite where it did not reach either.
    """
    at_end = [record.distance] if record.status == "complete" else []
    distances = [*(standing.distance for standing in record.standings if standing.rung == 0), *at_end]
    return next(filter(math.isfinite, distances), math.inf)


def sources(records: Iterable[TrialRecord]) -> dict[str, Any]:
    """What run.json says of the sources of trials; {} where no sampler had any.

    By source: "trials", how many of them were "balanced", the "distance" of the nearest of these or None, and of the
    prior "won", its share of pairs with TPE's at the first rung.
    """
    of: dict[str, list[TrialRecord]] = {}
    for record in records:
        of.setdefault(record.source, []).append(record)
    of.pop("", None)
    found: dict[str, Any] = {}
    for source, drawn in sorted(of.items(), key=lambda item: -len(item[1])):
        healthy = [one for one in drawn if one.healthy]
        nearest = min((one.distance for one in healthy if math.isfinite(one.distance)), default=None)
        found[source] = {"trials": len(drawn), "balanced": len(healthy), "distance": nearest}
    if PRIOR in found and MODEL in found:
        found[PRIOR]["won"] = share_won(*([first_rung(one) for one in of[name]] for name in (PRIOR, MODEL)))
    return found
