"""The entries of `search:`: what values a field may have, and under which condition it is asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from graphlib import TopologicalSorter
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from gansearch.experiment.base import Model, Plain
from gansearch.experiment.words import entry_hint, is_number, list_hint

Number = int | float


class Searched(Model):
    """An entry that the sampler chooses a value from, where its condition holds."""

    when: dict[str, Plain | list[Plain]] | None = None
    """Other fields of training, each with a value or a list of them: `{loss: [hinge, wgan]}`. Where it does not hold
    the parameter is not asked, and training's own value is used."""

    @property
    def conditions(self) -> dict[str, list[Any]]:
        """The fields of `when`, each with a list of values."""
        return {name: v if isinstance(v, list) else [v] for name, v in (self.when or {}).items()}

    def holds(self, value_of: Callable[[str], Any]) -> bool:
        """Returns whether each field of `when` has one of its values; `value_of` returns a field's value."""
        return all(any(same(value_of(name), v) for v in values) for name, values in self.conditions.items())


class Range(Searched):
    """Numbers from low to high, both included."""

    low: Number
    high: Number
    log: bool = False
    """Search the logarithm."""
    step: Number | None = None
    """Distance of neighbouring values; none is continuous (1 for whole-number fields)."""
    prior: Number | None = None
    """The value that you would begin with: many of the first trials are near it, fewer where these do badly."""

    @model_validator(mode="after")
    def _order(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs low above 0, not {self.low}")
        if self.step is not None and (self.step <= 0 or self.log):
            raise ValueError("step must be positive and cannot go with log")
        if self.prior is not None and not self.low <= self.prior <= self.high:
            raise ValueError(f"prior {self.prior} is not from low {self.low} to high {self.high}")
        return self


class Choices(Searched):
    """One of a list of values."""

    choices: list[Plain] = Field(min_length=1)


def _kind(entry: Any) -> str:
    if isinstance(entry, Choices) or (isinstance(entry, Mapping) and "choices" in entry):
        return "<choices>"
    return "<range>" if isinstance(entry, Range | Mapping) else "<plain>"


def _checked(entry: Any) -> Any:
    """Raises ValueError for an entry as other programs write it, with the same in this file's words."""
    if isinstance(entry, Mapping):
        if hint := entry_hint(entry):
            raise ValueError(hint)
        if "choices" in entry and {"low", "high"} & entry.keys():
            raise ValueError("has choices and the ends of a range; keep one of the two")
        if not entry:
            raise ValueError("is empty; a range is {low: ..., high: ...}, and several values are {choices: [...]}")
    elif isinstance(entry, list) and any(isinstance(value, str) for value in entry):
        raise ValueError(f"is a list; {list_hint(entry)}")
    return entry


Entry = Annotated[
    Annotated[Range, Tag("<range>")] | Annotated[Choices, Tag("<choices>")] | Annotated[Plain, Tag("<plain>")],
    Discriminator(_kind),
    BeforeValidator(_checked),
]
Space = Mapping[str, Entry]
"""The entries by the names of their fields."""


def values_of(entry: Any) -> dict[str, Any]:
    """Returns the values that an entry names, by the ends of their paths: the ends of a range, choices, or itself."""
    if isinstance(entry, Range):
        return {".low": entry.low, ".high": entry.high}
    if isinstance(entry, Choices):
        return {f".choices[{i}]": value for i, value in enumerate(entry.choices)}
    return {"": entry}


def same(one: Any, other: Any) -> bool:
    """Returns whether two values of a field are equal within 1e-9; true is not 1, a list is equal to a tuple."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    numbers = [is_number(value) for value in (one, other)]
    return math.isclose(one, other, rel_tol=1e-9) if all(numbers) else not any(numbers) and bool(one == other)


def as_searched(entry: Any, value: Any) -> Any:
    """Returns a value that was read from a table in the type of its entry.

    In a table a column with gaps turns 3 into 3.0, and true into 1.
    """
    if isinstance(entry, Choices):
        return next((choice for choice in entry.choices if same(choice, value)), value)
    whole = isinstance(entry, Range) and all(isinstance(n, int) for n in (entry.low, entry.high, entry.step or 1))
    return int(value) if whole and isinstance(value, float) and value.is_integer() else value


def search_order(search: Space) -> list[str]:
    """Returns the names under `search:`, each after those that its `when` names. Raises graphlib.CycleError."""
    graph = {name: list(entry.conditions) if isinstance(entry, Searched) else [] for name, entry in search.items()}
    return [name for name in TopologicalSorter(graph).static_order() if name in search]
