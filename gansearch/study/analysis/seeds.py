"""Configurations on several seeds: the confirmed candidates, a trial, the default settings."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from gansearch.experiment import Choices, Experiment, Range
from gansearch.experiment.entries import same
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import FreshSeed, read_default
from gansearch.store.folder import Folder
from gansearch.store.record import SeveralSeeds, median
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.choose import confirmed_candidates, plain, prediction_interval


@dataclass(frozen=True)
class Seeds(SeveralSeeds):
    """One configuration on some seeds."""

    label: str
    number: int | None
    """Of its trial; None for a configuration that was no trial."""
    seeds: Sequence[SeedResult]
    fresh: bool
    """Whether the search has not used these seeds."""
    chosen: tuple[float, float] | None = None
    """The interval of a candidate, whose spread is pooled over all candidates."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% prediction interval for the median distance of ten new seeds; None where it is unknown."""
        return self.chosen or prediction_interval([seed.distance for seed in self.seeds])

    @property
    def verdicts(self) -> dict[str, int]:
        """The number of seeds by verdict."""
        return dict(Counter(seed.verdict for seed in self.seeds))

    @property
    def measures(self) -> dict[str, float]:
        """Medians over the seeds of what was measured beside the distance, by name, such as the number of samples."""
        names = dict.fromkeys(name for seed in self.seeds for name in seed.quality if name != "distance")
        return {name: median(seed.quality.get(name, math.nan) for seed in self.seeds) for name in names}

    @property
    def range(self) -> tuple[float, float] | None:
        """The lowest and the highest stability of a seed; None with fewer than two."""
        known = [seed.stability for seed in self.seeds if math.isfinite(seed.stability)]
        return (min(known), max(known)) if len(known) > 1 else None


def confirmed(trials: pd.DataFrame, confirmation: Sequence[FreshSeed]) -> list[Seeds]:
    """The candidates that have fresh seeds, by number."""
    return [
        Seeds(
            f"trial {choice.number}",
            choice.number,
            sorted((seed for seed in confirmation if seed.number == choice.number), key=lambda seed: seed.seed),
            fresh=True,
            chosen=choice.interval,
        )
        for choice in confirmed_candidates(trials, confirmation)
    ]


def of_trial(folder: Folder, trials: pd.DataFrame, number: int, label: str = "") -> Seeds:
    """A trial on the seeds of the search; its row stands for them, as seed −1, where its record is gone."""
    record = read_record(folder, number)
    row = trials[trials["number"] == number].iloc[0]
    alone = SeedResult(seed=-1, verdict=row["verdict"], stability=row["stability"], distance=row["distance"])
    seeds = record.seeds if record and record.seeds else [alone]
    return Seeds(label or f"trial {number}", number, seeds, fresh=False)


def default_settings(
    folder: Folder, experiment: Experiment, trials: pd.DataFrame, candidates: Sequence[Seeds] = ()
) -> Seeds | None:
    """The settings under `training:`, without the search, on some seeds; None where nobody has trained them.

    They are in default.json, which the confirmation writes. Without it they are those of the trial that has these
    settings, if there is one (`start_from` can make one), on fresh seeds if it is among the confirmed `candidates`.
    """
    if seeds := read_default(folder):
        return Seeds("default settings", None, sorted(seeds, key=lambda seed: seed.seed), fresh=True)
    number = default_trial(experiment, trials)
    if number is None:
        return None
    label = f"default settings (trial {number})"
    fresh = next((one for one in candidates if one.number == number), None)
    return replace(fresh, label=label) if fresh else of_trial(folder, trials, number, label)


def default_trial(experiment: Experiment, trials: pd.DataFrame) -> int | None:
    """The number of the trial that has the default settings in every searched field; None where there is none."""
    if experiment.is_population or not any(isinstance(entry, Range | Choices) for entry in experiment.search.values()):
        return None  # a member has a schedule, wherever it begins
    usual = default_values(experiment)
    if usual is None:
        return None
    for number, *values in trials[["number", *usual]].itertuples(index=False):
        if all(map(same, map(plain, values), usual.values())):
            return int(number)
    return None


def default_values(experiment: Experiment) -> dict[str, Any] | None:
    """The default settings' values of the searched fields; None where the parameters of a user's loop have none."""
    if experiment.without_value:
        return None
    return {name: experiment.training.used(name) for name in experiment.search}


def with_default(experiment: Experiment, trials: pd.DataFrame, numbers: Sequence[int]) -> list[int | None]:
    """The configurations to train on fresh seeds: candidates by their numbers, and the default settings as None.

    The default settings are left out where they are not wanted, are one of the candidates, or there is no candidate.
    """
    wanted = numbers and experiment.confirms_default and default_trial(experiment, trials) not in numbers
    return [*numbers, *([None] if wanted else [])]
