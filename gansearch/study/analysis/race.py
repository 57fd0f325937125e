"""The race in which the best trials are confirmed: which run on a fresh seed comes next, and which trial has won.

All is computed from the table of trials, the results so far and the runs under way; docs/search.md has the rules.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import NamedTuple

import pandas as pd

from gansearch.experiment import Experiment
from gansearch.experiment.sections import Confirm
from gansearch.store.confirmation import FreshSeed
from gansearch.study.analysis.choose import Choice, by_distance, confirmed_candidates
from gansearch.study.analysis.neighbourhood import neighbourhoods
from gansearch.study.analysis.seeds import with_default

FIRST_SEED = 10_000
"""Added to the experiment's seed: no trial has used these."""
SHARE = 0.15
"""Of the updates of all trials, those of the race."""
MARGIN = 0.25
"""Standard deviation of a log distance between seeds, about; a candidate that is farther behind the best is out."""
DEFAULT_SEEDS = 3
"""Fresh seeds of the default settings, at most."""
ENOUGH = 5
"""Fresh seeds of which one may be unhealthy; of fewer none."""


class FreshRun(NamedTuple):
    """A configuration and the fresh seed on which it is trained."""

    number: int | None
    """Of the trial that has the configuration; None for the default settings."""
    seed: int


@dataclass(frozen=True)
class Rules:
    """The size of a race."""

    top: int
    """Candidates: the healthy trials with the smallest distances."""
    replicas: int
    """Seeds of the winner, and most of any candidate."""
    runs: float
    """The race ends with so many runs, those under way included; seeds that the winner then lacks decide nothing."""
    default: int = 0
    """Seeds of the default settings."""
    first_seed: int = FIRST_SEED

    @property
    def seeds(self) -> range:
        """The fresh seeds, the same for every configuration, so that they are compared in pairs."""
        return range(self.first_seed, self.first_seed + self.replicas)

    @property
    def unhealthy(self) -> int:
        """Unhealthy seeds that a candidate survives."""
        return int(self.replicas >= ENOUGH)

    @property
    def most(self) -> int:
        """Runs of the race, the winner's other seeds and the default settings, unless a winner proves unhealthy."""
        return min(self.top * self.replicas, math.ceil(self.runs) + self.replicas - 1) + self.default


@dataclass(frozen=True)
class Candidate:
    """Where a candidate stands."""

    number: int
    runs: tuple[FreshSeed, ...]
    """On fresh seeds, so far."""
    score: float
    """Mean log distance of its seeds in the race and, less the luck by which trials are chosen, of its trial."""
    out: bool


def rules_for(experiment: Experiment, trials: int, searched: float | None = None) -> Rules:
    """Return the rules after so many trials of an experiment, and the updates that were searched; None if all whole."""
    confirm = experiment.confirm or Confirm()
    if searched is None:
        searched = trials * experiment.training.updates * experiment.least_replicas
    return Rules(
        min(confirm.top, trials),
        confirm.replicas,
        runs=SHARE * searched / (confirm.updates or experiment.training.updates),
        default=min(DEFAULT_SEEDS, confirm.replicas) if experiment.confirms_default else 0,
        first_seed=experiment.seed + FIRST_SEED,
    )


def rules_of(experiment: Experiment, trials: pd.DataFrame) -> Rules:
    """Return the rules for these trials: the default settings have no runs where they are a candidate or none is."""
    rules = rules_for(experiment, len(trials), float(trials["updates"].sum()))
    wanted = None in with_default(experiment, trials, nearest(trials, rules.top))
    return rules if wanted else replace(rules, default=0)


def nearest(trials: pd.DataFrame, top: int) -> list[int]:
    """Return the numbers of the `top` healthy trials with the smallest distances."""
    return [int(number) for number in by_distance(trials)["number"].head(top)]


def standings(trials: pd.DataFrame, results: Sequence[FreshSeed], rules: Rules) -> list[Candidate]:
    """Return the candidates, the leader first, and last those that are out.

    They are the nearest trials and any other that has fresh seeds, as when a sweep is given more trials. A score is the
    mean of the fresh seeds' log distances and, with the weight of one, of the trial's own, moved by the mean difference
    of both over the candidates that have fresh seeds: the trials were chosen for theirs. Results are in the order in
    which they ended; those beyond the race's number of runs do not change the order, but may put out. Where a distance
    is not positive the scores are of distances and nobody is out by them.
    """
    own = dict(zip(trials["number"].tolist(), trials["distance"].tolist(), strict=True))
    raced = [run for run in results if run.number in own]
    numbers = dict.fromkeys([*nearest(trials, rules.top), *(run.number for run in raced if run.number is not None)])
    distances = [*(own[number] for number in numbers), *(run.distance for run in raced)]
    scale, margin = (math.log, MARGIN) if all(d > 0 for d in distances if math.isfinite(d)) else (float, math.inf)

    def values(distances: Iterable[float]) -> list[float]:
        return [scale(distance) for distance in distances if math.isfinite(distance)]

    counted = raced[: math.ceil(rules.runs)]
    fresh = {number: values(run.distance for run in counted if run.number == number) for number in numbers}
    chosen = {number: _mean(values([own[number]])) for number in numbers}
    moved = _mean(_mean(fresh[number]) - chosen[number] for number in numbers)
    moved = moved if math.isfinite(moved) else 0.0  # no fresh seed has ended
    scores = {number: _mean([*fresh[number], chosen[number] + moved]) for number in numbers}
    sick = Counter(run.number for run in raced if not run.healthy)
    best = min(filter(math.isfinite, (scores[n] for n in numbers if sick[n] <= rules.unhealthy)), default=math.inf)

    def is_out(number: int) -> bool:
        limit = best + margin * math.sqrt(2 / (len(fresh[number]) + 1))
        return sick[number] > rules.unhealthy or scores[number] > limit

    def order(one: Candidate) -> tuple[bool, bool, bool, float]:
        trouble = any(run.number == one.number and not run.healthy for run in counted)
        return one.out, trouble, math.isnan(one.score), one.score

    runs = {number: tuple(run for run in raced if run.number == number) for number in numbers}
    return sorted((Candidate(n, runs[n], scores[n], is_out(n)) for n in numbers), key=order)


def next_runs(
    trials: pd.DataFrame, results: Sequence[FreshSeed], running: Collection[tuple[int | None, int]], rules: Rules
) -> list[FreshRun]:
    """Return all the runs that would be useful beside those under way, the most useful first; none when it is over.

    While the race lasts they are of the candidates with the fewest seeds, then of the leader, up to all its seeds. The
    default settings are last. With fewer slots than runs the first are to be started, and the rest asked for again when
    a run has ended.
    """
    left = [one.number for one in standings(trials, results, rules) if not one.out]
    taken = {*((run.number, run.seed) for run in results), *running}
    found: list[FreshRun] = []

    def free(number: int | None, most: int = rules.replicas) -> list[FreshRun]:
        runs = (FreshRun(number, seed) for seed in rules.seeds[:most])
        return [run for run in runs if run not in taken]

    while len(left) > 1 and sum(number is not None for number, _ in taken) < rules.runs:
        following = max(map(free, left), key=len)[:1]
        if not following:
            break
        found += following
        taken.update(following)
    return [*found, *(run for number in left[:1] for run in free(number)), *free(None, rules.default)]


def choose_raced(trials: pd.DataFrame, results: Sequence[FreshSeed], rules: Rules) -> Choice | None:
    """Return the race's winner with its neighbourhood; None without any."""
    choice = winner(trials, results, rules)
    return choice and replace(choice, neighbourhood=neighbourhoods(trials, [choice.number])[choice.number])


def winner(trials: pd.DataFrame, results: Sequence[FreshSeed], rules: Rules) -> Choice | None:
    """Return the leader of the candidates that are healthy on fresh seeds, all but one of five; None without any."""
    choices = {choice.number: choice for choice in confirmed_candidates(trials, results)}
    for one in standings(trials, results, rules):
        choice = choices.get(one.number)
        if choice and not one.out and len(choice.seeds) - choice.healthy <= (len(choice.seeds) >= ENOUGH):
            return choice
    return None


def _mean(values: Iterable[float]) -> float:
    """Return the mean of those values that are numbers; NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return fmean(finite) if finite else math.nan
