"""The importance of the searched parameters for stability and for distance."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Entry, Range

if TYPE_CHECKING:
    import optuna

_ENOUGH = 4
"""The least trials for an importance."""
_MOST = 250
"""The most trials that the forest is grown on; more take long and change nothing."""


def importance(trials: pd.DataFrame, search: Mapping[str, Entry]) -> dict[str, dict[str, float]]:
    """{"stability": {name: share}, "distance": {...}}, the largest share first; {} with too few trials.

    Shares sum to 1. They are those of fANOVA (Hutter et al. 2014, "An Efficient Approach for Assessing Hyperparameter
    Importance"): the part of the variance over the search space that a parameter explains by itself. PED-ANOVA looks
    at the best tenth alone, four of forty trials, and finds a synthetic truth far less reliably. Distances are
    replaced by their logarithms where all are positive.
    """
    targets = {"stability": trials["stability"], "distance": _log(trials["distance"])}
    shares = {name: _shares(trials, search, target) for name, target in targets.items()}
    return {name: share for name, share in shares.items() if share}


def _shares(trials: pd.DataFrame, search: Mapping[str, Entry], target: pd.Series[float]) -> dict[str, float]:
    usable = trials[np.isfinite(target)]
    if len(usable) > _MOST:
        usable = usable.iloc[np.linspace(0, len(usable) - 1, _MOST).astype(int)]
    ranges = [name for name, entry in search.items() if isinstance(entry, Range) and name in trials]
    usable = usable.assign(**{name: _filled(usable[name]) for name in ranges})
    names = [name for name in search if name in trials and usable[name].astype(str).nunique() > 1]
    if len(usable) < _ENOUGH or not names or target[usable.index].nunique() < 2:
        return {}
    if len(names) == 1:
        return {names[0]: 1.0}
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    columns = {name: _column(usable[name], search[name]) for name in names}
    distributions = {name: distribution for name, (distribution, _) in columns.items()}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study()
        study.add_trials(
            optuna.trial.create_trial(
                params={name: values[i] for name, (_, values) in columns.items()},
                distributions=distributions,
                value=float(value),
            )
            for i, value in enumerate(target[usable.index])
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    finally:
        optuna.logging.set_verbosity(verbosity)
        _forget_trees()
    return {name: float(share) for name, share in shares.items() if math.isfinite(share)}


def _forget_trees() -> None:
    """Give back the forest's memory: Optuna caches methods of its trees and so every tree."""
    module = sys.modules.get("optuna.importance._fanova._tree")
    for method in vars(getattr(module, "_FanovaTree", object)).values():
        if hasattr(method, "cache_clear"):
            method.cache_clear()


def _filled(column: pd.Series[Any]) -> pd.Series[float]:
    """The column with its median where a trial has no such parameter, as no update ratio with a held balance."""
    numbers = column.astype(float)
    return numbers.fillna(numbers.median())


def _column(column: pd.Series[Any], entry: Entry) -> tuple[optuna.distributions.BaseDistribution, list[Any]]:
    """A distribution that holds all values of a parameter, also where the space was changed, and these values."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(entry, Choices) or not isinstance(entry, Range):
        texts = [str(value) for value in column]  # also lists and null may be chosen
        return CategoricalDistribution(sorted(set(texts))), texts
    values = column.tolist()
    return FloatDistribution(min(values), max(values), log=entry.log and min(values) > 0), values


def _log(distances: pd.Series[float]) -> pd.Series[float]:
    return distances.map(math.log, na_action="ignore") if (distances.dropna() > 0).all() else distances
