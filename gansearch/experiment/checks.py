"""The rules between fields; what a field allows by itself stands where the field does."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from graphlib import CycleError
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gansearch.experiment.entries import Choices, Entry, Range, Searched, same, search_order
from gansearch.experiment.errors import message, suggest
from gansearch.experiment.sections import POINTS, Confirm, Resources, Start
from gansearch.experiment.training import SCHEDULED, Change, Training

Space = Mapping[str, Entry]


def errors_between(
    training: Training, search: Space, start_from: Sequence[Start], confirm: Confirm | None, resources: Resources
) -> Iterator[tuple[str, str]]:
    """What is wrong between fields: paths and messages."""
    for name, entry in search.items():
        if name not in Training.model_fields:
            yield f"search.{name}", "not a field of training" + suggest(name, Training.model_fields)
            continue
        if name == "updates":
            yield "search.updates", "is the budget, which every trial has alike; set training.updates"
            continue
        if name == "schedule":
            yield (
                "search.schedule",
                "is found by sampler: pbt; search " + ", ".join(SCHEDULED),
            )
            continue
        for end, value in _ends(entry):
            try:
                Training.model_validate({name: value})
            except ValidationError as error:
                yield f"search.{name}{end}", message(error.errors()[0], Training.model_fields)
        yield from condition_errors(training, search, name)
    for i, point in enumerate(start_from):
        yield from _start_errors(f"start_from[{i}]", point)
    yield from circle_errors(search)
    given = training.model_fields_set | search.keys()
    given -= {n for n in ("lr_d", "lr_g") if n not in search and getattr(training, n) is None}
    if {"lr", "lr_ratio"} & given and {"lr_d", "lr_g"} & given:
        yield "training", "lr and lr_ratio cannot go together with lr_d and lr_g; choose one pair"
    elif len({"lr_d", "lr_g"} & given) == 1:
        yield "training", "lr_d and lr_g go together; one of them is missing"
    largest = longest_pretraining(training, search)
    smallest = training.updates
    if largest >= smallest:
        where = "search" if "pretrain_steps" in search else "training"
        remedy = _less_pretraining(search.get("pretrain_steps"), smallest)
        yield f"{where}.pretrain_steps", f"{largest} leaves nothing of training.updates = {smallest}{remedy}"
    if confirm and (confirm.updates or smallest) < smallest:
        yield "confirm.updates", f"{confirm.updates} is below training.updates = {smallest}"
    if training.simultaneous and (training.update_ratio != 1 or "update_ratio" in search):
        yield "training.simultaneous", "needs update_ratio: 1"
    if True in _possible(training, search, "simultaneous") and "held" in _possible(training, search, "balance"):
        yield "training.balance", "held gives one network its turn at a time; it cannot go with simultaneous: true"
    yield from _worker_errors(training, search, resources)
    for name, why in unread(training, search).items():
        if name in search or name in training.model_fields_set:
            yield f"{'search' if name in search else 'training'}.{name}", why
    yield from schedule_errors(training, search)


def circle_errors(search: Space) -> Iterator[tuple[str, str]]:
    """What is wrong with all the `when` together: paths and messages."""
    try:
        search_order(search)
    except CycleError as error:
        names = [str(name) for name in reversed(error.args[1])]
        yield f"search.{names[0]}.when", f"goes round in a circle: {' → '.join(names)}"


def schedule_errors(training: Training, search: Space) -> Iterator[tuple[str, str]]:
    """What is wrong between a schedule and the rest: paths and messages."""
    changed = {name for change in training.schedule for name in change.model_fields_set - {"after"}}
    if {"lr_d", "lr_g"} & changed:
        changed |= {"lr", "lr_ratio", "lr_d", "lr_g"}
    for name in sorted(changed & search.keys()):
        yield f"search.{name}", "training.schedule changes it; leave one of the two out"
    for i, change in enumerate(training.schedule):
        path = f"training.schedule[{i}]"
        if change.after >= training.updates:
            yield f"{path}.after", f"{change.after} leaves nothing of training.updates = {training.updates}"
        if not change.model_dump(exclude={"after"}, exclude_none=True):
            yield path, f"changes nothing; give one of {', '.join(n for n in Change.model_fields if n != 'after')}"
        if training.simultaneous and change.update_ratio is not None:
            yield f"{path}.update_ratio", "cannot go with simultaneous: true"
        for name, why in unread(training, search).items():
            if getattr(change, name) is not None:
                yield f"{path}.{name}", why


def longest_pretraining(training: Training, search: Space) -> int:
    """The most D updates before G's first one that a trial may have."""
    return max([training.pretrain_steps, *map(int, _numbers(search.get("pretrain_steps")))])


def _less_pretraining(entry: Entry | None, updates: int) -> str:
    """What to do about a range of pretraining that goes too far; empty where it is no range."""
    if not isinstance(entry, Range):
        return ""
    high = updates // 3
    lower = f"lower it, such as --set search.pretrain_steps.high={high}, or " if high > entry.low else ""
    return f"; {lower}raise training.updates"


def _worker_errors(training: Training, search: Space, resources: Resources) -> Iterator[tuple[str, str]]:
    """What is wrong with the workers of a trial."""
    gpus, workers = resources.gpus, resources.processes
    if gpus != "auto" and gpus and gpus != workers and max(gpus, workers) > 1:
        yield "resources.workers", f"{workers} cannot go with gpus: {gpus:g}; each worker has one GPU, or none has one"
    if resources.across_nodes and workers == 1:
        yield "resources.across_nodes", "one worker is on one node; set workers, or gpus, to 2 or more"
    smallest = min(_numbers(search.get("batch_size")) or [training.batch_size])
    if smallest < workers:
        where = "search" if "batch_size" in search else "training"
        yield f"{where}.batch_size", f"{smallest} samples cannot be shared by {workers} workers"


def _start_errors(path: str, point: Start) -> Iterator[tuple[str, str]]:
    """What is wrong with one entry of `start_from` by itself."""
    if isinstance(point, str):
        if point not in POINTS and not Path(point).is_absolute():
            yield path, f"{point!r} is not one of {', '.join(POINTS)} or a .yaml file{suggest(point, POINTS)}"
        return
    for name, value in point.items():
        if name not in Training.model_fields:
            yield f"{path}.{name}", "not a field of training" + suggest(name, Training.model_fields)
            continue
        try:
            Training.model_validate({name: value})
        except ValidationError as error:
            yield f"{path}.{name}", message(error.errors()[0], Training.model_fields)
    if {"lr", "lr_ratio"} & point.keys() and {"lr_d", "lr_g"} & point.keys():
        yield path, "lr and lr_ratio cannot go together with lr_d and lr_g; choose one pair"
    elif len({"lr_d", "lr_g"} & point.keys()) == 1:
        yield path, "lr_d and lr_g go together; one of them is missing"


def condition_errors(training: Training, search: Space, name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with one entry's `when`: fields that there are not, and values that they can never have."""
    entry = search[name]
    for other, values in entry.conditions.items() if isinstance(entry, Searched) else ():
        path = f"search.{name}.when.{other}"
        if other not in training.names:
            yield path, "is not searched, and not a field of training" + suggest(other, training.names)
            continue
        for value in values:
            never = _never(training, search, other, value)
            if never:
                yield path, f"can never be {value!r}: {never}"


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


def unread(training: Training, search: Space) -> dict[str, str]:
    """Fields of training that no possible balance reads, and why."""
    possible = _possible(training, search, "balance")
    if possible == {"held"}:
        return {"update_ratio": "balance: held chooses every turn itself; leave it out, or use balance: fixed"}
    if "held" not in possible:
        return {"target_separability": "is read with balance: held alone; leave it out, or use that"}
    return {}


def _possible(training: Training, search: Space, name: str) -> set[Any]:
    """The values that a field of training with few of them may take."""
    if name not in search:
        return {getattr(training, name)}
    return {value for _, value in _ends(search[name]) if isinstance(value, Hashable)}


def _ends(entry: Any) -> list[tuple[str, Any]]:
    """The values that a search entry names, each with the end of its path."""
    if isinstance(entry, Range):
        return [(".low", entry.low), (".high", entry.high)]
    if isinstance(entry, Choices):
        return [(f".choices[{i}]", value) for i, value in enumerate(entry.choices)]
    return [("", entry)]


def _numbers(entry: Any) -> list[Any]:
    return [] if entry is None else [v for _, v in _ends(entry) if isinstance(v, int | float)]
