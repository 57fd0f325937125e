"""The rules of `when`, under which a searched field is asked: each yields a path and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError
from typing import Any

from gansearch.experiment.entries import Choices, Searched, Space, same, search_order
from gansearch.experiment.training import Training
from gansearch.experiment.words import suggest


def circle_errors(search: Space) -> Iterator[tuple[str, str]]:
    """Yields an error where entries are conditions of each other."""
    try:
        search_order(search)
    except CycleError as error:
        names = [str(name) for name in reversed(error.args[1])]
        yield f"search.{names[0]}.when", f"goes round in a circle: {' → '.join(names)}"


def condition_errors(training: Training, search: Space, name: str) -> Iterator[tuple[str, str]]:
    """Yields the fields in an entry's `when` that do not exist, and the values that they can never have."""
    entry = search[name]
    for other, values in entry.conditions.items() if isinstance(entry, Searched) else ():
        path = f"search.{name}.when.{other}"
        if other not in training.names:
            yield path, "is not searched, and not a field of training" + suggest(other, training.names)
            continue
        for value in values:
            if why := _never(training, search, other, value):
                yield path, f"can never be {value!r}: {why}"


def _never(training: Training, search: Space, name: str, value: Any) -> str:
    """Why a field can never have a value; empty where it can."""
    own, entry = training.used(name), search.get(name)
    if name not in search:
        return "" if same(value, own) else f"it is not searched, and training.{name} is {own!r}"
    if not isinstance(entry, Searched):
        return "" if same(value, entry) else f"search.{name} is {entry!r}"
    if entry.when and same(value, own):
        return ""
    if isinstance(entry, Choices):
        return "" if any(same(value, v) for v in entry.choices) else f"search.{name} has the choices {entry.choices}"
    if entry.step is None and int not in training.kinds(name, entry):
        return f"search.{name} is a range without steps, which hits no value exactly; give it choices"
    inside = isinstance(value, int | float) and entry.low <= value <= entry.high
    return "" if inside else f"search.{name} goes from {entry.low} to {entry.high}"
