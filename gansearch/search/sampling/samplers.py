"""Optuna's samplers by name, with the options that their constructors take as plain values."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from optuna import samplers
from optuna.exceptions import ExperimentalWarning

from gansearch.experiment import Experiment, ExperimentError, Sampler, suggest
from gansearch.search.sampling.history_window import Bounded


@dataclass(frozen=True)
class Exchange:
    """The options of `sampler: pbt`, under the names that Ray Tune has for them."""

    perturbation_interval: int | None = None
    """Updates between two exchanges; a tenth of all that a member does where none is given."""
    quantile_fraction: float = 0.25
    """The worst so many go on as copies of the best so many."""
    resample_probability: float = 0.25
    """That a copy's value is drawn anew; else it is multiplied by 1.2 or 0.8, or goes to the next choice."""

    def __post_init__(self) -> None:
        if self.perturbation_interval is not None and self.perturbation_interval < 1:
            raise ValueError(f"perturbation_interval must be at least 1, not {self.perturbation_interval}")
        if not 0 < self.quantile_fraction <= 0.5:
            raise ValueError(f"quantile_fraction must be above 0 and at most 0.5, not {self.quantile_fraction}")
        if not 0 <= self.resample_probability <= 1:
            raise ValueError(f"resample_probability must be from 0 to 1, not {self.resample_probability}")


def _first_members(seed: int, **options: Any) -> samplers.BaseSampler:
    """Where the members of a population start from."""
    Exchange(**options)
    return samplers.RandomSampler(seed)


SAMPLERS: dict[str, Callable[..., samplers.BaseSampler]] = {
    "tpe": samplers.TPESampler,
    "random": samplers.RandomSampler,
    "gp": samplers.GPSampler,
    "nsgaii": samplers.NSGAIISampler,
    "qmc": samplers.QMCSampler,
    "pbt": _first_members,
}
"""Optuna imports what a sampler needs (torch for gp, scipy for qmc) when it is first made or asked."""
_OURS: dict[str, dict[str, Any]] = {
    "gp": {"warn_independent_sampling": False},  # a conditional parameter is sampled so, and rightly
    "qmc": {"scramble": True, "warn_independent_sampling": False},
}
"""Defaults other than Optuna's."""
_MOST = {"tpe": 1000, "gp": 150}
"""Ended trials that those fit on whose question takes longer with each."""
_TYPES = {"int": int, "float": float, "bool": bool, "str": str, "None": type(None)}
_NOT_OFFERED = {"seed", "prior_weight"}
"""The seed is the experiment's; Optuna deprecates the other, as it does those that begin with _DEPRECATED."""
_DEPRECATED = ("consider_", "warn_")


def make_sampler(experiment: Experiment, done: int = 0) -> samplers.BaseSampler:
    """The experiment's sampler, for a study that holds `done` trials already.

    Raises ExperimentError where it has no such option or cannot take its value.
    """
    sampler = _chosen(experiment)
    offered, errors = options(sampler.name), {}
    for name, value in sampler.options.items():
        if name not in offered:
            hint = suggest(name, offered) or f"; it has {', '.join(offered) or 'none'}"
            errors[f"sampler.{name}"] = f"not an option of {sampler.name}{hint}"
        elif not _fits(value, offered[name]):
            errors[f"sampler.{name}"] = f"must be {' or '.join(offered[name])}, not {value!r}"
    if errors:
        raise ExperimentError("experiment", errors)
    # One that starts anew in a study that goes on must not draw its first points again; qmc keeps its place in the
    # sequence in the study, under its seed.
    seed = experiment.seed + (0 if sampler.name == "qmc" else done)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            made = SAMPLERS[sampler.name](**{**_OURS.get(sampler.name, {}), **sampler.options}, seed=seed)
        except ValueError as error:
            raise ExperimentError("experiment", {"sampler": str(error)}) from None
    return Bounded(made, _MOST[sampler.name]) if sampler.name in _MOST else made


def exchange(experiment: Experiment) -> Exchange:
    """The options of an experiment's `sampler: pbt`."""
    return Exchange(**_chosen(experiment).options)


def options(name: str) -> dict[str, list[str]]:
    """The options that a file can give to a sampler, each with the names of its types: {"n_startup_trials": ["int"]}.

    Read from the constructor's signature; what takes functions or objects is left out.
    """
    found = {}
    for option, parameter in inspect.signature(Exchange if name == "pbt" else SAMPLERS[name]).parameters.items():
        types = str(parameter.annotation).split(" | ")
        if set(types) <= _TYPES.keys() and option not in _NOT_OFFERED and not option.startswith(_DEPRECATED):
            found[option] = types
    return found


def _chosen(experiment: Experiment) -> Sampler:
    chosen = experiment.sampler
    return chosen if isinstance(chosen, Sampler) else Sampler(name=chosen)


def _fits(value: Any, types: list[str]) -> bool:
    """Whether a value is of one of the types; a whole number is a float too, but true is no number."""
    kinds = {_TYPES[name] for name in types}
    return type(value) in kinds or (type(value) is int and float in kinds)
