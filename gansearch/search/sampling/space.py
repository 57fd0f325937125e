"""The search space: from the experiment's `search:` to Optuna's distributions, and back to parameters."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from gansearch.experiment import Choices, Experiment, ExperimentError, Range, Training, same, search_order


class SearchSpace:
    """The searched fields of an experiment as Optuna's distributions, and the way back to a trial's parameters."""

    def __init__(self, experiment: Experiment):
        """Build the distributions, in the order in which they are asked; plain values have none.

        Raises ExperimentError where a range is given for a field that is no number, or a whole-number field has a
        fractional end or step.
        """
        self.experiment = experiment
        self.distributions: dict[str, BaseDistribution] = {}
        for name in search_order(experiment.search):
            entry = experiment.search[name]
            if isinstance(entry, Range):
                self.distributions[name] = _of_range(name, entry, experiment.training.kinds(name, entry))
            elif isinstance(entry, Choices):
                self.distributions[name] = CategoricalDistribution([_encoded(value) for value in entry.choices])

    def ask(self, study: optuna.Study) -> optuna.Trial:
        """Return the study's next trial with its parameters: those whose `when` holds, given those before them."""
        trial = study.ask()
        for name, distribution in self.distributions.items():
            if self._is_asked(name, trial.params):
                _suggest(trial, name, distribution)
        return trial

    def params(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return a trial's parameters for `Training.with_params`, given Optuna's.

        They are Optuna's choice, the plain values of `search:`, and training's own value of what Optuna was not asked.
        """
        known = {
            name: _decoded(entry, chosen.get(name))
            for name, entry in self.experiment.search.items()
            if name in chosen or not isinstance(entry, Range | Choices)
        }
        own = self.experiment.training.with_params(known)
        return {name: known[name] if name in known else own.used(name) for name in self.experiment.search}

    def encode(self, training: Training) -> tuple[dict[str, Any], dict[str, str]]:
        """Return Optuna's parameters of a configuration, and by name why the space does not hold the others."""
        inside: dict[str, Any] = {}
        outside: dict[str, str] = {}
        for name, distribution in self.distributions.items():
            entry, value = self.experiment.search[name], training.used(name)
            if isinstance(entry, Range | Choices) and entry.holds(training.used):
                equal = categories(entry, value) if isinstance(entry, Choices) else _numbers(distribution, value)
                if equal:
                    inside[name] = equal[0]
                else:
                    outside[name] = f"{_text(value)} is not {_described(entry)}"
        return inside, outside

    def fit(self, training: Training) -> tuple[dict[str, Any], str]:
        """Return Optuna's parameters of a configuration, or in a few words why no trial could have been it."""
        inside, outside = self.encode(training)
        for name, why in outside.items():
            return {}, f"{name} {why}"
        own = self.experiment.training.with_params(self.params(inside))
        for name in training.names:
            if not same(own.used(name), training.used(name)):
                return {}, f"{name} {_text(training.used(name))} is not {_text(own.used(name))}"
        return inside, ""

    def grid(self) -> Iterator[dict[str, Any]] | None:
        """Yield Optuna's parameters of every configuration; None where a parameter is continuous."""
        values = {name: _values(distribution) for name, distribution in self.distributions.items()}
        finite = {name: listed for name, listed in values.items() if listed is not None}
        return self._grid(finite, list(values), {}) if len(finite) == len(values) else None

    def _grid(
        self, values: Mapping[str, Sequence[Any]], names: list[str], chosen: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if not names:
            yield chosen
        elif not self._is_asked(names[0], chosen):
            yield from self._grid(values, names[1:], chosen)
        else:
            for value in values[names[0]]:
                yield from self._grid(values, names[1:], {**chosen, names[0]: value})

    def _is_asked(self, name: str, chosen: Mapping[str, Any]) -> bool:
        """Return whether a parameter's `when` holds, given what Optuna has chosen before it."""
        entry = self.experiment.search[name]
        if not isinstance(entry, Range | Choices) or not entry.when:
            return True
        return entry.holds(self.experiment.training.with_params(self.params(chosen)).used)


def key(chosen: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return a key of Optuna's parameters, equal for equal configurations but for rounding errors of steps."""
    return tuple(sorted((n, _tidy(v) if isinstance(v, float) else v) for n, v in chosen.items()))


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> None:
    match distribution:
        case CategoricalDistribution():
            trial.suggest_categorical(name, distribution.choices)
        case IntDistribution():
            trial.suggest_int(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)
        case FloatDistribution():
            trial.suggest_float(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def _values(distribution: BaseDistribution) -> Sequence[Any] | None:
    """Return all values of a distribution, or None for a continuous one."""
    match distribution:
        case CategoricalDistribution():
            return distribution.choices
        case IntDistribution():
            return range(distribution.low, distribution.high + 1, distribution.step)
        case FloatDistribution(low=low, high=high, step=step):
            if step is None:
                return [low] if low == high else None
            return [_tidy(low + i * step) for i in range(round((high - low) / step) + 1)]
    return None


def _of_range(name: str, entry: Range, kinds: Sequence[Any]) -> BaseDistribution:
    if int in kinds:
        ends = {".low": entry.low, ".high": entry.high, ".step": entry.step or 1}
        for end, number in ends.items():
            if number != int(number):
                raise ExperimentError("experiment", {f"search.{name}{end}": f"must be a whole number, not {number}"})
        low, high, step = (int(number) for number in ends.values())
        return IntDistribution(low, high - (high - low) % step, log=entry.log, step=step)
    if float not in kinds:
        message = "is not a number; give {choices: [...]} in place of a range"
        raise ExperimentError("experiment", {f"search.{name}": message})
    if entry.step is None:
        return FloatDistribution(entry.low, entry.high, log=entry.log)
    # Optuna wants the last step to end at high; 1e-9 forgives 0.3 / 0.1 = 2.9999999999999996.
    steps = math.floor((entry.high - entry.low) / entry.step + 1e-9)
    return FloatDistribution(entry.low, _tidy(entry.low + steps * entry.step), step=entry.step)


def _tidy(number: float) -> float:
    """Round to 12 digits: 0.3 for 0.1 + 0.2."""
    return float(f"{number:.12g}")


def _encoded(value: Any) -> bool | int | float | str | None:
    """Return a value as one of Optuna's categories, which are scalars: a list becomes its JSON text."""
    return json.dumps(value) if isinstance(value, list) else value


def categories(entry: Choices, value: Any) -> list[bool | int | float | str | None]:
    """Return those of Optuna's categories that equal a value; null may be one."""
    return [_encoded(choice) for choice in entry.choices if same(choice, value)]


def _numbers(distribution: BaseDistribution, value: Any) -> list[int | float]:
    """Return the value of a distribution that equals `value` but for rounding errors, if there is one."""
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return []
    low, high, step = distribution.low, distribution.high, distribution.step
    near = low + round((value - low) / step) * step if step else value
    near = min(max(near, low), high)
    kind = int if isinstance(distribution, IntDistribution) else float
    return [kind(near)] if same(near, value) else []


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _described(entry: Range | Choices) -> str:
    """Return what an entry allows: "one of [0, 1]", "from 0 to 1 in steps of 0.1"."""
    if isinstance(entry, Choices):
        return f"one of {entry.choices}"
    return f"from {entry.low} to {entry.high}" + (f" in steps of {entry.step}" if entry.step else "")


def _decoded(entry: Any, chosen: Any) -> Any:
    if isinstance(entry, Range):
        return chosen
    if isinstance(entry, Choices):
        return next((value for value in entry.choices if _encoded(value) == chosen), chosen)
    return entry
