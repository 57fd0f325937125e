"""The search space: from the experiment's `search:` to Optuna's distributions, and back to parameters."""

from __future__ import annotations

import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gansearch.experiment import Choices, Experiment, ExperimentError, Range, Training


def distributions(experiment: Experiment) -> dict[str, BaseDistribution]:
    """An Optuna distribution for every searched field; plain values have none.

    Raises ExperimentError where a range is given for a field that is no number, or a whole-number field has a
    fractional end or step.
    """
    found: dict[str, BaseDistribution] = {}
    for name, entry in experiment.search.items():
        if isinstance(entry, Range):
            found[name] = _of_range(name, entry)
        elif isinstance(entry, Choices):
            found[name] = CategoricalDistribution([_encoded(value) for value in entry.choices])
    return found


def params(experiment: Experiment, optuna_params: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's parameters for `Training.with_params`: Optuna's choice, and the plain values of `search:`."""
    return {name: _value(entry, optuna_params.get(name)) for name, entry in experiment.search.items()}


def _of_range(name: str, entry: Range) -> BaseDistribution:
    kinds = _kinds(name)
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
    return FloatDistribution(entry.low, entry.low + steps * entry.step, step=entry.step)


def _kinds(name: str) -> tuple[Any, ...]:
    """The types of a field of training: (int,), (float, NoneType), ..."""
    annotation = Training.model_fields[name].annotation
    return typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)


def _encoded(value: Any) -> bool | int | float | str | None:
    """Optuna's categories are scalars; a list travels as its JSON text."""
    return json.dumps(value) if isinstance(value, list) else value


def _value(entry: Any, chosen: Any) -> Any:
    if isinstance(entry, Range):
        return chosen
    if isinstance(entry, Choices):
        return next((value for value in entry.choices if _encoded(value) == chosen), chosen)
    return entry
