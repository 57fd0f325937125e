"""An experiment whose task is a training loop of the user's own: its parameters have names of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from gansearch.experiment.base import Plain
from gansearch.experiment.checks import confirm_errors
from gansearch.experiment.conditions import circle_errors, condition_errors
from gansearch.experiment.entries import Choices, Range, Space, values_of
from gansearch.experiment.paths import FILE_ENDINGS
from gansearch.experiment.sections import Confirm, Resources, Start
from gansearch.experiment.training import Training
from gansearch.experiment.words import is_number, list_hint, suggest

PATTERN = r":_*[a-z][A-Za-z0-9_]*$"
"""The end of a `task:` that names a function; the name of a class begins with a capital."""

COLUMNS = (
    *("number", "status", "verdict", "stability", "stability_spread", "distance", "distance_spread"),
    *("saturated_right", "saturated_wrong", "separability", "referee_gap", "updates", "train_seconds"),
    *("started", "ended", "node", "error", "gpu_seconds", "gpu_memory", "gpu_utilisation"),
)
"""Columns of the table of trials, which has one for every searched name too."""
NUMBERS = ("lr", "lr_ratio", "lr_d", "lr_g", "pretrain_steps", "update_ratio")
"""Columns of numbers of the same table, whose names a loop may use for numbers."""


def names_loop(task: str) -> bool:
    """Returns whether `task:` names a function, `train(trial)`, not a class: its name begins with a small letter."""
    return re.search(PATTERN, task) is not None


class LoopTraining(Training):
    """The training of a loop of the user's own: the budget and its parameters. No other field of training applies."""

    params: dict[str, Plain] = Field({})
    """Every searched name, and those under `params:`; null where there is no value."""

    @property
    def names(self) -> list[str]:
        """The names that a trial's parameters may have."""
        return ["updates", *self.params]

    @property
    def rates(self) -> tuple[float, float]:
        """NaN: the learning rates of a loop are its own."""
        return math.nan, math.nan

    def kinds(self, name: str, entry: Range) -> tuple[Any, ...]:
        """Returns (int,) where the ends and the step are written as whole numbers, else (float,)."""
        numbers = (entry.low, entry.high, entry.step or 1)
        return (int,) if all(isinstance(number, int) for number in numbers) else (float,)

    def used(self, name: str) -> Any:
        """Returns the value of a parameter; None where it has none."""
        return self.updates if name == "updates" else self.params.get(name)

    def with_params(self, params: Mapping[str, Any]) -> LoopTraining:
        """Returns this training with a trial's parameters in place of its own."""
        own = {name: value for name, value in params.items() if name != "updates"}
        return LoopTraining(updates=params.get("updates", self.updates), params={**self.params, **own})


def loop_errors(
    training: LoopTraining, written: set[str], search: Space, start_from: Sequence[Start], confirm: Confirm | None
) -> Iterator[tuple[str, str]]:
    """Yields what is wrong between the fields of an experiment of a loop; `written` are the names under `training:`."""
    for name in sorted(written - {"updates"}):
        yield f"training.{name}", "is read by our trainer alone; give it to your loop under params: or search:"
    for name, entry in search.items():
        if name in COLUMNS:
            hint = "is the budget, which every trial has alike; set training.updates"
            yield f"search.{name}", hint if name == "updates" else "is a column of trials.parquet; name it otherwise"
        elif name in NUMBERS and {_kind(value) for value in values_of(entry).values()} != {"number"}:
            hint = f"; {list_hint(entry)}" if isinstance(entry, list) else ", or another name"
            yield f"search.{name}", f"is a column of numbers in trials.parquet; give it numbers{hint}"
        elif isinstance(entry, Choices) and len({_kind(v) for v in entry.choices if v is not None}) > 1:
            yield f"search.{name}.choices", f"must be of one kind (numbers, texts, true and false), not {entry.choices}"
        yield from condition_errors(training, search, name)
    yield from circle_errors(search)
    for i, point in enumerate(start_from):
        yield from _start_errors(f"start_from[{i}]", point, training.names)
    yield from confirm_errors(training, confirm)


def process_errors(resources: Resources, is_population: bool, is_script: bool) -> Iterator[tuple[str, str]]:
    """Yields what cannot be done with a loop, which keeps its networks to itself."""
    if resources.processes > 1 and is_script:
        yield "resources", "a script is started once and has all GPUs of its trial; write workers: 1 beside gpus"
    elif resources.processes > 1:
        yield "resources", "a loop of your own is called in one process; leave workers out, and gpus at 1 or below"
    if is_population:
        yield "sampler", "pbt copies networks between trials, which a loop of your own keeps to itself; use another"


def _start_errors(path: str, point: Start, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(point, str):
        if not point.endswith(FILE_ENDINGS):
            yield path, f"{point!r} is of our trainer; for a loop of your own give an export or values by name"
        return
    for name in point:
        if name not in names:
            yield f"{path}.{name}", "is not searched" + suggest(name, names)


def _kind(value: Any) -> str:
    return "number" if is_number(value) else type(value).__name__
