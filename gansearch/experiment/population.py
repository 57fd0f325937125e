"""What an experiment may say where `sampler: pbt` trains its trials side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gansearch.experiment.entries import Choices, Entry, Range, Searched
from gansearch.experiment.sections import Limits
from gansearch.experiment.training import SCHEDULED, Training

_NAMES = ", ".join(SCHEDULED)


def population_errors(
    training: Training, search: Mapping[str, Entry], trials: int, most_replicas: int, limits: Limits, others: Any
) -> Iterator[tuple[str, str]]:
    """Paths and messages; `others` are fields by name that are null unless given."""
    if not scheduled_entries(search):
        yield "search", f"sampler: pbt changes {_NAMES} during a run; search one of them"
    for name, entry in search.items():
        for other in entry.conditions if isinstance(entry, Searched) else ():
            if other in SCHEDULED:
                yield f"search.{name}.when.{other}", "changes during a run with sampler: pbt; leave the condition out"
    if training.schedule:
        yield "training.schedule", "is what sampler: pbt finds; leave it out, or use another sampler"
    if trials < 2:
        yield "trials", f"{trials} is no population: sampler: pbt needs at least 2"
    if most_replicas > 1:
        yield "replicas", f"must be 1 with sampler: pbt, not {most_replicas}; set more trials, its members"
    for name in ("hours", "updates", "concurrent"):
        if getattr(limits, name) is not None:
            why = "all members train side by side to the end; set trials and training.updates"
            yield f"limits.{name}", f"is not kept by sampler: pbt, where {why}"
    for name, value in others.items():
        if value is not None:
            yield name, "has no meaning with sampler: pbt; leave it out"


def scheduled_entries(search: Mapping[str, Entry]) -> dict[str, Range | Choices]:
    """The searched fields that change during a run."""
    return {name: e for name, e in search.items() if name in SCHEDULED and isinstance(e, Range | Choices)}
