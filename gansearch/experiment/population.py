"""The rules of an experiment with `sampler: pbt`, which trains its trials side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gansearch.experiment.entries import Choices, Range, Searched, Space
from gansearch.experiment.sections import Limits
from gansearch.experiment.training import SCHEDULED, Training

_NAMES = ", ".join(SCHEDULED)


def population_errors(
    training: Training, search: Space, trials: int, most_replicas: int, limits: Limits, others: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yields paths and messages; `others` are fields by name, which must be null."""
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
    for name in ("hours", "total_hours", "updates", "concurrent"):
        if getattr(limits, name) is not None:
            why = "all members train side by side to the end; set trials and training.updates"
            yield f"limits.{name}", f"is not kept by sampler: pbt, where {why}"
    for name, value in others.items():
        if value is not None:
            yield name, "has no meaning with sampler: pbt; leave it out"


def scheduled_entries(search: Space) -> dict[str, Range | Choices]:
    """Returns the searched fields that change during a run."""
    return {name: e for name, e in search.items() if name in SCHEDULED and isinstance(e, Range | Choices)}
