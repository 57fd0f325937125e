"""Where a sweep's time went: which slot ran what, and what stopping early saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gansearch.experiment import Experiment
from gansearch.stability.result import SeedResult

_PAUSE = 0.1
"""Share of the time in which something ran, from which on a pause is cut out."""


@dataclass(frozen=True)
class Saved:
    """What stopping trials early saved."""

    pruned: int
    updates: int
    """That the pruned trials did not do."""
    share: float
    """Of the updates that all trials would have done."""
    seconds: float
    """Of one slot's time, at the usual speed of a complete trial."""


def saved(trials: pd.DataFrame, experiment: Experiment) -> Saved:
    """A trial stopped early is counted with the seeds that every trial trains, not with those it could have earned.

    Its own speed says too little: what comes at the end of a trial (its quality, the referee) takes as long after few
    updates as after many, and is not saved. It is taken where no trial is complete.
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
    found = {name: float(trials.loc[trials["status"] == name, "train_seconds"].sum()) for name in _STATUS}
    return {**found, "confirmation": sum(_seconds(confirmation))}


def confirmed_seconds(runs: Sequence[SeedResult], slots: int | None) -> float | None:
    """About how long a sweep's runs on fresh seeds took, by their seconds inside the trainer and the slots they shared.

    None where there were none, or where their times are not known; default.json may be somebody's own, without any.
    """
    spent = _seconds(runs)
    return sum(spent) / min(slots, len(spent)) if spent and slots else None


def _seconds(runs: Sequence[SeedResult]) -> list[float]:
    """Those times of the runs that are known."""
    return [run.train_seconds for run in runs if math.isfinite(run.train_seconds)]


def by_slot(trials: pd.DataFrame) -> pd.DataFrame:
    """A row a trial, by start: `number`, `slot` (the node and a count), `begin` and `end` (s from the first start).

    A trial takes the first slot of its node that is free. Pauses in which nothing ran are cut out: a sweep may be
    resumed a day later.
    """
    order = trials[trials["started"].notna() & trials["ended"].notna()].sort_values("started", kind="stable")
    begin, end = (
        (order[name] - order["started"].min()).dt.total_seconds().to_numpy(dtype=float) for name in ("started", "ended")
    )
    free: dict[str, list[float]] = {}
    slots = []
    for node, start, stop in zip(order["node"].astype(str), begin, end, strict=True):
        ends = free.setdefault(node, [])
        # A slot that falls free is taken at once, sometimes a moment before its last trial is written down.
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


_STATUS = ("complete", "pruned", "failed")
