"""Trials in groups: by a column of their table, by where they came from, or each configuration by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Experiment, Range
from gansearch.formatting import number, short, words
from gansearch.stability.verdict import VERDICTS
from gansearch.study.figures.axes import choice_label

ALL = "all trials"
"""The grouping of everything together."""
MOST_GROUPS = 6
"""Groups of a grouping. Of more choices the rarest are one group, of more configurations the nearest are taken."""
MOST_GROUPINGS = 16
_PARTS = 4
"""Parts of about equally many trials into which numbers are divided."""

Grouping = Mapping[str, Sequence[int]]
"""The numbers of the trials of each group, by its label."""


def groupings(
    trials: pd.DataFrame,
    experiment: Experiment,
    seeds: Mapping[int, int],
    sources: Mapping[int, str],
    first: Iterable[int | None] = (),
) -> dict[str, Grouping]:
    """Return the useful ways to group trials by name: the verdict, then those with two groups or more, at most 16.

    `seeds` has the seeds of each trial that left curves. `sources` says where trials came from. Those in `first` come
    first among the configurations whose seeds are compared.
    """
    verdicts = trials["verdict"].fillna("")
    named = [verdict for verdict in [*reversed(VERDICTS), ""] if verdict in set(verdicts)]
    found: dict[str, Grouping] = {
        "verdict": {words(verdict): _of(trials, verdicts == verdict) for verdict in named},
        "configuration": _configurations(trials, seeds, first),
        "source": by_value(trials, trials["number"].map(sources)),
        "status": by_value(trials, trials["status"]),
        "distance": by_number(trials, trials["distance"]),
    }
    for name, entry in experiment.search.items():
        if isinstance(entry, Range) and name in trials:
            found[name] = by_number(trials, trials[name])
        elif isinstance(entry, Choices) and name in trials:
            found[name] = by_value(trials, trials[name], entry.choices)
    useful = [(name, groups) for name, groups in found.items() if name == "verdict" or len(groups) > 1]
    return {**dict(useful[: MOST_GROUPINGS - 1]), ALL: {ALL: _of(trials, trials["number"] >= 0)}}


def by_value(trials: pd.DataFrame, column: pd.Series[Any], order: Iterable[Any] = ()) -> Grouping:
    """Return a group for each value, those in `order` first; of too many values the rarest together."""
    labels = column.map(choice_label)
    frequent = list(labels.value_counts().index)
    if len(frequent) > MOST_GROUPS:
        frequent = frequent[: MOST_GROUPS - 1]
        labels = labels.where(labels.isin(frequent), "others")
        frequent += ["others"]
    ordered = dict.fromkeys([*(text for text in map(choice_label, order) if text in frequent), *frequent])
    return {name: _of(trials, labels == text) for text, name in _shortened(ordered).items()}


def by_number(trials: pd.DataFrame, column: pd.Series[Any]) -> Grouping:
    """Return a group for each quarter of the numbers in their order, or for each number where there are few."""
    values = pd.to_numeric(column, errors="coerce")
    values = values[np.isfinite(values)]
    few = values.nunique() <= _PARTS
    parts = values.rank(method="dense") if few else pd.qcut(values, _PARTS, labels=False, duplicates="drop")
    groups: dict[str, list[int]] = {}
    for _, part in values.groupby(parts):
        low, high = number(float(part.min())), number(float(part.max()))
        label = low if low == high else f"{low} to {high}"
        groups.setdefault(label, []).extend(trials.loc[part.index, "number"])
    return groups


def _configurations(trials: pd.DataFrame, seeds: Mapping[int, int], first: Iterable[int | None]) -> Grouping:
    """Return the nearest trials that were trained with several seeds, each as a group of these."""
    several = trials[trials["number"].map(seeds).fillna(0) > 1].sort_values("distance")
    order = dict.fromkeys([*(one for one in first if one in set(several["number"])), *several["number"]])
    return {f"trial {one}": [one] for one in [*order][:MOST_GROUPS]}


def _shortened(labels: Iterable[str]) -> dict[str, str]:
    """Return labels as a legend has space for them; those whose beginnings are the same are numbered."""
    names: dict[str, str] = {}
    for label in labels:
        name, place = short(label), 1
        while name in names.values():
            place += 1
            name = f"{short(label, 18)} ({place})"
        names[label] = name
    return names


def _of(trials: pd.DataFrame, chosen: pd.Series[bool]) -> list[int]:
    return trials.loc[chosen, "number"].tolist()
