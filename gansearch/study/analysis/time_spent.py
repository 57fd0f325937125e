"""The time of a sweep: the trials of each slot, and what stopping early saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gansearch.experiment import Experiment
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import read_confirmation, read_default
from gansearch.store.folder import Folder
from gansearch.store.record import STATUSES
from gansearch.store.run_file import read_run

_PAUSE = 0.1
"""A pause is left out from this share of the time in which trials ran."""


@dataclass(frozen=True)
class Saved:
    """What stopping trials early has saved."""

    pruned: int
    updates: int
    """Of the pruned trials, those that they did not do."""
    share: float
    """Of the updates that all trials would have done."""
    seconds: float
    """Of one slot's time, at the usual speed of a complete trial."""


def saved(trials: pd.DataFrame, experiment: Experiment) -> Saved:
    """What pruning has saved of the seeds that every trial trains; seeds that must be earned do not count.

    The time is that of the missing updates at the median speed of complete trials. A pruned trial's own speed, which is
    used where no trial is complete, is too low: judging it takes as long after few updates as after many.
    """
    budget = experiment.training.updates * experiment.least_replicas
    pruned = trials[trials["status"] == "pruned"]
    left = (budget - pruned["updates"]).clip(lower=0)
    speeds = trials["train_seconds"] / trials["updates"].where(trials["updates"] > 0)
    usual = speeds[trials["status"] == "complete"].median()
    speed = speeds[pruned.index] if math.isnan(usual) else usual
    return Saved(
        len(pruned), int(left.sum()), float(left.sum() / max(1, budget * len(trials))), float((left * speed).sum())
    )


def seconds_by_status(trials: pd.DataFrame, confirmation: Sequence[SeedResult]) -> dict[str, float]:
    """Seconds inside the trainer of the trials by status, and of the confirmation."""
    seconds = {name: float(trials.loc[trials["status"] == name, "train_seconds"].sum()) for name in STATUSES}
    return {**seconds, "confirmation": sum(_seconds(confirmation))}


def confirmed_seconds(runs: Sequence[SeedResult], slots: int | None) -> float | None:
    """The approximate time of the runs on fresh seeds: their seconds inside the trainer by the slots that they shared.

    None where there were none, or their times are unknown, as in a default.json that a user has written.
    """
    spent = _seconds(runs)
    return sum(spent) / min(slots, len(spent)) if spent and slots else None


def used_seconds(folder: Folder) -> float:
    """The time that a sweep has used, with the start of Ray and without the report: `total_seconds` of run.json.

    It is written every ten seconds, and not while the race runs: after a kill the time of trials, `wall_seconds`, and
    of runs on fresh seeds may be more.
    """
    run = read_run(folder)
    fresh = confirmed_seconds([*read_confirmation(folder), *read_default(folder)], run.get("slots"))
    return max(run.get("total_seconds", 0.0), run.get("wall_seconds", 0.0) + (fresh or 0.0))


def _seconds(runs: Sequence[SeedResult]) -> list[float]:
    """The times of the runs that are known."""
    return [run.train_seconds for run in runs if math.isfinite(run.train_seconds)]


def by_slot(trials: pd.DataFrame) -> pd.DataFrame:
    """A row for each trial, by start: `number`, `slot` (the node and a count), `begin` and `end` (seconds).

    A trial is given the first free slot of its node. Pauses are left out: a sweep may be resumed a day later.
    """
    order = trials[trials["started"].notna() & trials["ended"].notna()].sort_values("started", kind="stable")
    begin, end = (
        (order[name] - order["started"].min()).dt.total_seconds().to_numpy(dtype=float) for name in ("started", "ended")
    )
    free: dict[str, list[float]] = {}
    slots = []
    for node, start, stop in zip(order["node"].astype(str), begin, end, strict=True):
        ends = free.setdefault(node, [])
        # A free slot is taken at once, sometimes a moment before the end of its last trial is recorded.
        place = next((i for i, last in enumerate(ends) if last <= start + 0.05), len(ends))
        ends[place : place + 1] = [stop]
        slots.append((node, place + 1))
    several = len(free) > 1
    names = [f"{node} · {place}" if several else f"slot {place}" for node, place in slots]
    cut = _pauses(begin, end)
    return pd.DataFrame(
        {"number": order["number"].to_numpy(), "slot": names, "begin": begin - cut, "end": end - cut}, index=order.index
    )


def _pauses(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """For each trial the seconds of the pauses before it; `begin` is sorted."""
    if not len(begin):
        return begin
    before = np.maximum.accumulate(end)
    gaps = np.concatenate([[0.0], np.clip(begin[1:] - before[:-1], 0, None)])
    ran = before[-1] - gaps.sum()
    return np.cumsum(np.where(gaps > max(60.0, _PAUSE * ran), gaps, 0.0))
