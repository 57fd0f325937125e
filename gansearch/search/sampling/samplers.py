"""Optuna's samplers by name, with those options of their constructors that are plain values."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna import samplers
from optuna.exceptions import ExperimentalWarning

from gansearch.experiment import Experiment, ExperimentError, Sampler, suggest
from gansearch.search.sampling.history_window import HistoryWindow
from gansearch.search.sampling.sweep_sampler import SweepSampler


@dataclass(frozen=True)
class Exchange:
    """The options of `sampler: pbt`, under the names that Ray Tune has for them."""

    perturbation_interval: int | None = None
    """Updates between two exchanges; None for a tenth of a member's updates."""
    quantile_fraction: float = 0.25
    """Share of members that become copies, and of those that are copied."""
    resample_probability: float = 0.25
    """Probability that a copy draws a new value; else it is multiplied by 1.2 or 0.8, or the next choice is taken."""

    def __post_init__(self) -> None:
        """Raise ValueError for a value outside its range."""
        if self.perturbation_interval is not None and self.perturbation_interval < 1:
            raise ValueError(f"perturbation_interval must be at least 1, not {self.perturbation_interval}")
        if not 0 < self.quantile_fraction <= 0.5:
            raise ValueError(f"quantile_fraction must be above 0 and at most 0.5, not {self.quantile_fraction}")
        if not 0 <= self.resample_probability <= 1:
            raise ValueError(f"resample_probability must be from 0 to 1, not {self.resample_probability}")


def _first_members(seed: int, **options: Any) -> samplers.BaseSampler:
    """Return the sampler of the parameters with which members start."""
    Exchange(**options)
    return samplers.RandomSampler(seed)


SAMPLERS: dict[str, Callable[..., samplers.BaseSampler]] = {
    "balance": SweepSampler,
    "tpe": samplers.TPESampler,
    "random": samplers.RandomSampler,
    "gp": samplers.GPSampler,
    "nsgaii": samplers.NSGAIISampler,
    "qmc": samplers.QMCSampler,
    "pbt": _first_members,
}
"""Optuna imports what a sampler needs (torch for gp, scipy for qmc) when it is first made or used."""
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gp": {"warn_independent_sampling": False},  # a conditional parameter is sampled so, and rightly
    "qmc": {"scramble": True, "warn_independent_sampling": False},
}
"""Defaults other than Optuna's."""
_MOST = {"tpe": 1000, "gp": 150}
"""Ended trials that a sampler sees at most, where each makes its next suggestion slower."""
_TYPES = {"int": int, "float": float, "bool": bool, "str": str, "None": type(None)}
_NOT_OFFERED = {"seed", "prior_weight"}
"""The seed is the experiment's. Optuna deprecates the other, as it does those that begin with _DEPRECATED."""
_DEPRECATED = ("consider_", "warn_")


def make_sampler(
    experiment: Experiment, done: int = 0, centres: Sequence[Mapping[str, Any]] = ()
) -> samplers.BaseSampler:
    """Return the experiment's sampler, for a study that has `done` trials; `centres` are those of its prior.

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
    if sampler.name != "balance":
        believed = [name for name, entry in experiment.search.items() if getattr(entry, "prior", None) is not None]
        errors |= {f"search.{name}.prior": f"is of sampler: balance; {sampler.name} has no prior" for name in believed}
    if errors:
        raise ExperimentError("experiment", errors)
    # In a resumed study a new sampler must not draw its first points again; qmc keeps its place in the sequence in the
    # study, under its seed.
    seed = experiment.seed + (0 if sampler.name == "qmc" else done)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            if sampler.name == "balance":
                return SweepSampler(centres, experiment.seed, **sampler.options)
            made = SAMPLERS[sampler.name](**{**_DEFAULTS.get(sampler.name, {}), **sampler.options}, seed=seed)
        except ValueError as error:
            raise ExperimentError("experiment", {"sampler": str(error)}) from None
    return HistoryWindow(made, _MOST[sampler.name]) if sampler.name in _MOST else made


def exchange(experiment: Experiment) -> Exchange:
    """Return the options of an experiment's `sampler: pbt`."""
    return Exchange(**_chosen(experiment).options)


def options(name: str) -> dict[str, list[str]]:
    """Return the options that a file can give to a sampler, with the names of their types.

    For instance {"n_startup_trials": ["int"]}. They are read from the constructor's signature, without those that take
    functions or objects.
    """
    offered_types = {}
    made = {"pbt": Exchange, "balance": samplers.TPESampler}.get(name) or SAMPLERS[name]
    for option, parameter in inspect.signature(made).parameters.items():
        types = str(parameter.annotation).split(" | ")
        if set(types) <= _TYPES.keys() and option not in _NOT_OFFERED and not option.startswith(_DEPRECATED):
            offered_types[option] = types
    return offered_types


def _chosen(experiment: Experiment) -> Sampler:
    chosen = experiment.sampler
    return chosen if isinstance(chosen, Sampler) else Sampler(name=chosen)


def _fits(value: Any, types: list[str]) -> bool:
    """Return whether a value is of one of the types. A whole number is a float too, but true is no number."""
    kinds = {_TYPES[name] for name in types}
    return type(value) in kinds or (type(value) is int and float in kinds)
