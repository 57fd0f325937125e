"""An experiment whose task is a training loop of the user's own: its parameters have names of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from gansearch.experiment.checks import circle_errors, condition_errors
from gansearch.experiment.entries import Choices, Entry, Range
from gansearch.experiment.errors import suggest
from gansearch.experiment.model import Plain
from gansearch.experiment.sections import Confirm, Resources, Start
from gansearch.experiment.training import Training

PATTERN = r":_*[a-z][A-Za-z0-9_]*$"
"""Ends a `task:` that names a function; a class begins with a capital."""

COLUMNS = (
    *("number", "status", "verdict", "stability", "stability_spread", "distance", "distance_spread"),
    *("saturated_right", "saturated_wrong", "separability", "referee_gap", "updates", "train_seconds"),
    *("started", "ended", "node", "error"),
)
"""Of the table of trials, which has a column for every searched name too."""


NUMBERS = ("lr", "lr_ratio", "lr_d", "lr_g", "pretrain_steps", "update_ratio")
"""Columns of the same table, which a loop may have names for."""


def names_loop(task: str) -> bool:
    """Whether `task:` names a function, `train(trial)`, and not a class: it begins with a small letter."""
    return re.search(PATTERN, task) is not None


class LoopTraining(Training):
    """What a loop of the user's own is given: the budget, and its parameters. No other field of training applies."""

    params: dict[str, Plain] = Field({})
    """Every searched name, and those under `params:`; null where there is no value."""

    @property
    def names(self) -> list[str]:
        return ["updates", *self.params]

    @property
    def rates(self) -> tuple[float, float]:
        return math.nan, math.nan

    def kinds(self, name: str, entry: Range) -> tuple[Any, ...]:
        """Whole numbers where the ends and the step are written as whole numbers."""
        numbers = (entry.low, entry.high, entry.step or 1)
        return (int,) if all(isinstance(number, int) for number in numbers) else (float,)

    def used(self, name: str) -> Any:
        return self.updates if name == "updates" else self.params.get(name)

    def with_params(self, params: Mapping[str, Any]) -> LoopTraining:
        own = {name: value for name, value in params.items() if name != "updates"}
        return LoopTraining(updates=params.get("updates", self.updates), params={**self.params, **own})


def loop_errors(
    training: LoopTraining,
    written: set[str],
    search: Mapping[str, Entry],
    start_from: Sequence[Start],
    confirm: Confirm | None,
) -> Iterator[tuple[str, str]]:
    """What is wrong between the fields of an experiment whose task is a loop; `written` stand under `training:`."""
    for name in sorted(written - {"updates"}):
        yield f"training.{name}", "is read by our trainer alone; give it to your loop under params: or search:"
    for name, entry in search.items():
        if name in COLUMNS:
            hint = "is the budget, which every trial has alike; set training.updates"
            yield f"search.{name}", hint if name == "updates" else "is a column of trials.parquet; name it otherwise"
        elif name in NUMBERS and not all(_kind(value) == "number" for value in _values(entry)):
            yield f"search.{name}", "is a column of numbers in trials.parquet; give it numbers, or another name"
        elif isinstance(entry, Choices) and len({_kind(v) for v in entry.choices if v is not None}) > 1:
            yield f"search.{name}.choices", f"must be of one kind (numbers, texts, true and false), not {entry.choices}"
        yield from condition_errors(training, search, name)
    yield from circle_errors(search)
    for i, point in enumerate(start_from):
        yield from _start_errors(f"start_from[{i}]", point, training.names)
    if confirm and (confirm.updates or training.updates) < training.updates:
        yield "confirm.updates", f"{confirm.updates} is below training.updates = {training.updates}"


def process_errors(resources: Resources, is_population: bool) -> Iterator[tuple[str, str]]:
    """What cannot be done with a loop that keeps its networks to itself."""
    if resources.processes > 1:
        yield "resources", "a loop of your own is called in one process; leave workers out, and gpus at 1 or below"
    if is_population:
        yield "sampler", "pbt copies networks between trials, which a loop of your own keeps to itself; use another"


def _start_errors(path: str, point: Start, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(point, str):
        if not point.endswith((".yaml", ".yml", ".json")):
            yield path, f"{point!r} is of our trainer; for a loop of your own give an export or values by name"
        return
    for name in point:
        if name not in names:
            yield f"{path}.{name}", "is not searched" + suggest(name, names)


def _values(entry: Entry) -> Sequence[Any]:
    if isinstance(entry, Range):
        return entry.low, entry.high
    return entry.choices if isinstance(entry, Choices) else [entry]


def _kind(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value).__name__
    return "number"
