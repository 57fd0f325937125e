"""Choose the best-balanced configuration of a sweep: the candidates to confirm, and the best of those."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gansearch.stability.verdict import HEALTHY
from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import BALANCE, STATUSES, median
from gansearch.store.tables import other_columns
from gansearch.study.analysis.neighbourhood import Neighbourhood, neighbourhoods


@dataclass(frozen=True)
class Choice:
    """A configuration with its measurements: those of its confirmation, or without one those of its trial."""

    number: int
    params: dict[str, Any]
    """The numbers of the balance and the other searched fields."""
    stability: float
    """Median over the seeds."""
    distance: float
    """Median over the seeds; NaN where nothing measures it."""
    interval: tuple[float, float] | None = None
    """95% prediction interval for the median distance of ten new seeds; None where it is unknown."""
    seeds: tuple[int, ...] = ()
    """Of the confirmation; empty without one."""
    healthy: int = 0
    """The number of seeds that were balanced."""
    verdicts: dict[str, int] | None = None
    """The number of seeds by verdict; None without confirmation."""
    neighbourhood: Neighbourhood | None = None
    """What is expected around it; None with too few trials."""

    @property
    def confirmed(self) -> bool:
        """Whether it was trained again on fresh seeds."""
        return bool(self.seeds)

    @property
    def readable_params(self) -> dict[str, Any]:
        """The parameters as text, with an entry for each change of a schedule."""
        readable = {name: value for name, value in self.params.items() if name != "schedule"}
        for change in self.params.get("schedule", ()):
            values = (f"{name} {value:.4g}" for name, value in change.items() if name != "after")
            readable[f"after {change['after']}"] = ", ".join(values)
        return readable


def candidates(trials: pd.DataFrame, top: int) -> list[int]:
    """The numbers of the `top` healthy trials to confirm: by distance on the Pareto front, then on the next front."""
    left = by_distance(trials)
    chosen: list[int] = []
    while len(left) and len(chosen) < top:
        front = pareto_front(left)
        chosen += front["number"].tolist()
        left = left.drop(front.index)
    return [int(number) for number in chosen[:top]]


def by_distance(trials: pd.DataFrame) -> pd.DataFrame:
    """The healthy trials, the smallest distance first, then the highest stability; an unknown one counts as 0."""
    healthy = trials[(trials["status"] == "complete") & trials["verdict"].isin(HEALTHY)]
    healthy = healthy.assign(stability=healthy["stability"].fillna(0))
    return healthy.sort_values(["distance", "stability", "number"], ascending=[True, False, True])


def pareto_front(healthy: pd.DataFrame) -> pd.DataFrame:
    """The trials before which, in the order of `by_distance`, none is as stable."""
    return healthy[healthy["stability"] > healthy["stability"].cummax().shift(fill_value=-math.inf)]


def closest(trials: pd.DataFrame) -> int | None:
    """The number of the trial that is nearest to a healthy one; None where no trial has a verdict.

    Complete before pruned before failed, then healthy ones, then the most stable, then the smallest distance.
    """
    trials = trials[trials["verdict"].notna()]
    if trials.empty:
        return None
    sick = ~trials["verdict"].isin(HEALTHY)
    ranked = trials.assign(status=trials["status"].map(STATUSES.index), sick=sick)  # unknown numbers come last
    by = ["status", "sick", "stability", "distance"]
    order = ranked.sort_values(by, ascending=[True, True, False, True], kind="stable")
    return int(order["number"].iloc[0])


def choose_best(trials: pd.DataFrame, confirmation: Sequence[FreshSeed] = ()) -> Choice | None:
    """The best-balanced configuration where there was no race, or None where nothing is healthy.

    Of the candidates that are healthy on every seed of the `confirmation` the smallest median distance wins. Where
    intervals overlap (see `_overlap`) the flatter neighbourhood wins, then the higher stability. Without confirmation
    the healthy trial with the smallest distance wins.
    """
    if confirmation:
        confirmed = confirmed_candidates(trials, confirmation)
        full = max((len(choice.seeds) for choice in confirmed), default=0)  # an interrupted sweep leaves some without
        healthy = [choice for choice in confirmed if choice.healthy == len(choice.seeds) == full]
    else:
        healthy = [_unconfirmed(trials, number) for number in candidates(trials, 1)]
    if not healthy:
        return None
    first = min(healthy, key=lambda choice: (_or_inf(choice.distance), -choice.stability))
    equal = [choice for choice in healthy if choice is first or _overlap(choice, first)]
    around = neighbourhoods(trials, [choice.number for choice in equal])

    def preference(choice: Choice) -> tuple[float, ...]:
        near = around[choice.number]
        # The surrogate is not exact to less than a tenth; the stability decides below that.
        flat = 0.0 if near is None else round(math.log(near.distance), 1)
        return flat, -choice.stability, _or_inf(choice.distance)

    best = min(equal, key=preference)
    return replace(best, neighbourhood=around[best.number])


def choose_closest(trials: pd.DataFrame, confirmation: Sequence[FreshSeed] = ()) -> Choice | None:
    """Where nothing is healthy: the candidate with the largest share of healthy seeds, or else the closest trial."""
    confirmed = confirmed_candidates(trials, confirmation)
    if confirmed:
        return min(confirmed, key=lambda one: (-one.healthy / len(one.seeds), _or_inf(one.distance), -one.stability))
    number = closest(trials)
    return None if number is None else _unconfirmed(trials, number)


def prediction_interval(
    distances: Sequence[float], others: Sequence[Sequence[float]] = ()
) -> tuple[float, float] | None:
    """The 95% prediction interval for the median distance of ten new seeds, from those of R seeds.

    On the logarithm: mean ± t·s·√(1/R + 1.5/10), where 1.5/n is about the variance of a median of n normal numbers.
    s and the degrees of freedom of t are pooled over the seeds of this configuration and of the `others`: a few seeds
    end badly, and five seeds may include none of them. With s of its own seeds the interval held too few new medians
    (benchmarks/replay.py). None with fewer than two seeds, where a distance is missing or not positive, and where the
    distances are so far apart that an end is beyond what a number holds.
    """
    if not _spreads(distances):
        return None
    from scipy.stats import t

    groups = [np.log(values) for values in (distances, *others) if _spreads(values)]
    freedom = sum(len(logs) - 1 for logs in groups)
    s = math.sqrt(sum(float(logs.var(ddof=1)) * (len(logs) - 1) for logs in groups) / freedom)
    middle, count = float(groups[0].mean()), len(distances)
    half = float(t.ppf(0.975, freedom)) * s * math.sqrt(1 / count + 1.5 / 10)
    try:
        return math.exp(middle - half), math.exp(middle + half)
    except OverflowError:
        return None


def _spreads(distances: Sequence[float]) -> bool:
    """Whether the logarithms of the distances have a spread."""
    return len(distances) > 1 and all(math.isfinite(value) and value > 0 for value in distances)


def params_of(trials: pd.DataFrame, number: int) -> dict[str, Any]:
    """The numbers of a trial's balance, where it has them, and its other searched fields, as plain Python values."""
    row = trials[trials["number"] == number].iloc[0]
    balance = {name: row[name] for name in BALANCE if pd.notna(row[name])}
    return {name: plain(value) for name, value in [*balance.items(), *((n, row[n]) for n in other_columns(trials))]}


def _unconfirmed(trials: pd.DataFrame, number: int) -> Choice:
    row = trials[trials["number"] == number].iloc[0]
    return Choice(number, params_of(trials, number), float(row["stability"]), float(row["distance"]))


def confirmed_candidates(trials: pd.DataFrame, confirmation: Sequence[FreshSeed]) -> list[Choice]:
    """The candidates that have fresh seeds, by number."""
    groups: dict[int, list[FreshSeed]] = {}
    for seed in confirmation:
        if seed.number is not None:
            groups.setdefault(seed.number, []).append(seed)
    known = set(trials["number"])
    distances = {number: [seed.distance for seed in seeds] for number, seeds in groups.items()}
    return [
        Choice(
            number,
            params_of(trials, number),
            stability=median(seed.stability for seed in seeds),
            distance=median(seed.distance for seed in seeds),
            interval=prediction_interval(distances[number], [d for n, d in distances.items() if n != number]),
            seeds=tuple(seed.seed for seed in seeds),
            healthy=sum(seed.healthy for seed in seeds),
            verdicts=dict(Counter(seed.verdict or seed.status for seed in seeds)),
        )
        for number, seeds in sorted(groups.items())
        if number in known
    ]


def _overlap(one: Choice, other: Choice) -> bool:
    """Whether each interval holds the other's median, so that new seeds may reverse the order.

    If intervals that merely touch counted, a neighbourhood could decide against half the distance.
    """
    if one.interval is None or other.interval is None:
        return False
    return (
        one.interval[0] <= other.distance <= one.interval[1] and other.interval[0] <= one.distance <= other.interval[1]
    )


def _or_inf(distance: float) -> float:
    return math.inf if math.isnan(distance) else distance


def plain(value: Any) -> Any:
    """A plain Python value of a cell. NaN becomes None: it stands for null among the choices of a field."""
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)) else value
