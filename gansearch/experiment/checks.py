"""The rules between fields of the file. What a field allows by itself is declared with the field.

Each check yields the path of a wrong field and what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gansearch.experiment.base import types_of
from gansearch.experiment.conditions import circle_errors, condition_errors
from gansearch.experiment.entries import Entry, Range, Searched, Space, same, values_of
from gansearch.experiment.errors import message
from gansearch.experiment.sections import POINTS, Confirm, Resources, Start
from gansearch.experiment.training import SCHEDULED, Change, Training
from gansearch.experiment.words import list_hint, suggest, text_hint, unknown_field

Errors = Iterator[tuple[str, str]]

_APART = (
    (
        ("precision", "fp16"),
        ("optimizer", "rmsprop"),
        "fp16 leaves steps out, for which rmsprop would wait for the GPU; use bf16, or another optimizer",
    ),
    (
        ("compile", True),
        ("sync_batch_norm", True),
        "networks whose batch norm exchanges numbers with other processes are not compiled; leave one of the two out",
    ),
)
"""Values of two fields that do not go together, and why."""


def errors_between(
    training: Training, search: Space, start_from: Sequence[Start], confirm: Confirm | None, resources: Resources
) -> Errors:
    """Yields everything that is wrong between fields, where our trainer trains."""
    if training.updates < 2:
        yield "training.updates", f"must be 2 or more, for one of D and one of G, not {training.updates}"
    yield from _search_errors(training, search)
    for i, point in enumerate(start_from):
        yield from _start_errors(f"start_from[{i}]", point)
    yield from circle_errors(search)
    own_rates = {name for name in ("lr_d", "lr_g") if getattr(training, name) is not None}
    yield from _rate_errors("training", (training.model_fields_set - {"lr_d", "lr_g"}) | own_rates | search.keys())
    yield from _pretraining_errors(training, search)
    yield from confirm_errors(training, confirm)
    yield from _simultaneous_errors(training, search)
    yield from _together_errors(training, search)
    yield from _worker_errors(training, search, resources)
    for name, why in unread(training, search).items():
        if name in search or name in training.model_fields_set:
            yield f"{_section(name, search)}.{name}", why
    yield from _schedule_errors(training, search)


def confirm_errors(training: Training, confirm: Confirm | None) -> Errors:
    """Yields an error where a confirmation is shorter than a trial."""
    if confirm and (confirm.updates or training.updates) < training.updates:
        yield "confirm.updates", f"{confirm.updates} is below training.updates = {training.updates}"


def unusual(search: Space) -> Errors:
    """Yields entries that an earlier version took, and that are hardly meant: a new sweep is not started with them."""
    for name, entry in search.items():
        field = Training.model_fields.get(name)
        if field is None and isinstance(entry, list):
            yield f"search.{name}", f"is a list; {list_hint(entry)}, and a fixed list stands under params:"
        for end, value in values_of(entry).items():
            if field is not None and isinstance(value, str) and str not in types_of(field.annotation):
                yield f"search.{name}{end}", f"{value!r} is text; write the number without quotes"


def longest_pretraining(training: Training, search: Space) -> int:
    """Returns the most updates before D and G are trained against each other that a trial may have."""
    return sum(_longest(training, search, name) for name in ("pretrain_steps", "d_start"))


def unread(training: Training, search: Space) -> dict[str, str]:
    """Returns the fields of training that no trial reads, each with the reason."""
    fields, possible = dict[str, str](), _possible(training, search, "balance")
    if possible == {"held"}:
        fields["update_ratio"] = "balance: held chooses every turn itself; leave it out, or use balance: fixed"
    if "held" not in possible:
        fields["target_separability"] = "is read with balance: held alone; leave it out, or use that"
    if "ada" not in _possible(training, search, "augment"):
        fields["ada_target"] = "is read with augment: ada alone; leave it out, or use that"
    if not any(share < 1 for share in _numbers(search, "top_k") or [training.top_k]):
        fields["top_k_anneal"] = "is read with top_k below 1 alone; leave it out, or set that"
    if _possible(training, search, "reconstruction") == {"none"}:
        for name in ("reconstruction_weight", "d_start"):
            fields[name] = "is read with a reconstruction alone; leave it out, or set reconstruction: l1"
    return fields


def _search_errors(training: Training, search: Space) -> Errors:
    refused = {
        "updates": "is the budget, which every trial has alike; set training.updates",
        "schedule": "is found by sampler: pbt; search " + ", ".join(SCHEDULED),
    }
    for name, entry in search.items():
        if name in refused:
            yield f"search.{name}", refused[name]
            continue
        yield from _field_errors("search", name, values_of(entry))
        if name in Training.model_fields:
            yield from condition_errors(training, search, name)


def _start_errors(path: str, point: Start) -> Errors:
    if isinstance(point, str):
        if point not in POINTS and not Path(point).is_absolute():
            yield path, f"{point!r} is not one of {', '.join(POINTS)} or a .yaml file{suggest(point, POINTS)}"
        return
    for name, value in point.items():
        yield from _field_errors(path, name, {"": value})
    yield from _rate_errors(path, point.keys())


def _field_errors(section: str, name: str, values: dict[str, Any]) -> Errors:
    """Errors of values, by the end of their path, that a field of training is to have."""
    if name not in Training.model_fields:
        yield f"{section}.{name}", "not a field of training" + unknown_field(name, list(Training.model_fields), {})
        return
    for end, value in values.items():
        try:
            Training.model_validate({name: value})
        except ValidationError as error:
            text = message(error.errors()[0], Training.model_fields)
            if section == "search" and not end:
                text += "; " + list_hint(value) if isinstance(value, list) else text_hint(str(value))
            yield f"{section}.{name}{end}", text


def _rate_errors(path: str, given: Iterable[str]) -> Errors:
    """Errors of the names of learning rates that are given together."""
    pair = {"lr_d", "lr_g"}.intersection(given)
    if pair and {"lr", "lr_ratio"}.intersection(given):
        yield path, "lr and lr_ratio cannot go together with lr_d and lr_g; choose one pair"
    elif len(pair) == 1:
        yield path, "lr_d and lr_g go together; one of them is missing"


def _pretraining_errors(training: Training, search: Space) -> Errors:
    longest, updates = _longest(training, search, "pretrain_steps"), training.updates
    entry = search.get("pretrain_steps")
    if longest < updates:
        if updates <= longest_pretraining(training, search):
            start = _longest(training, search, "d_start")
            both = f"{start} and pretrain_steps = {longest} leave" if longest else f"{start} leaves"
            yield f"{_section('d_start', search)}.d_start", f"{both} nothing of training.updates = {updates}"
        return
    remedy = ""
    if isinstance(entry, Range):
        high = updates // 3
        lower = f"lower it, such as --set search.pretrain_steps.high={high}, or " if high > entry.low else ""
        remedy = f"; {lower}raise training.updates"
    path = f"{_section('pretrain_steps', search)}.pretrain_steps"
    yield path, f"{longest} leaves nothing of training.updates = {updates}{remedy}"


def _simultaneous_errors(training: Training, search: Space) -> Errors:
    if training.simultaneous and (training.update_ratio != 1 or "update_ratio" in search):
        yield "training.simultaneous", "needs update_ratio: 1"
    if True in _possible(training, search, "simultaneous") and "held" in _possible(training, search, "balance"):
        yield "training.balance", "held gives one network its turn at a time; it cannot go with simultaneous: true"


def _together_errors(training: Training, search: Space) -> Errors:
    """Errors of values that do not go together in any trial."""
    for (name, value), (other, its), why in _APART:
        possible = value in _possible(training, search, name) and its in _possible(training, search, other)
        if possible and not _excludes(search, name, other, its) and not _excludes(search, other, name, value):
            yield f"{_section(name, search)}.{name}", why


def _excludes(search: Space, name: str, other: str, value: Any) -> bool:
    """Whether a searched field is asked only where another one does not have a value."""
    entry = search.get(name)
    conditions = entry.conditions if isinstance(entry, Searched) else {}
    return other in conditions and not any(same(value, one) for one in conditions[other])


def _worker_errors(training: Training, search: Space, resources: Resources) -> Errors:
    gpus, workers = resources.gpus, resources.processes
    if gpus == "fill" and workers > 1:
        yield "resources.workers", f"{workers} cannot go with gpus: fill, where trials share a GPU; write gpus: auto"
    if not isinstance(gpus, str) and gpus and gpus != workers and max(gpus, workers) > 1:
        yield "resources.workers", f"{workers} cannot go with gpus: {gpus:g}; each worker has one GPU, or none has one"
    if resources.stack != 1 and (workers > 1 or gpus == "fill"):
        shared = f"{workers} workers" if workers > 1 else "gpus: fill, which finds how many processes share a GPU"
        yield "resources.stack", f"{resources.stack} cannot go with {shared}; leave one of the two out"
    if resources.across_nodes and workers == 1:
        yield "resources.across_nodes", "one worker is on one node; set workers, or gpus, to 2 or more"
    smallest = min(_numbers(search, "batch_size") or [training.batch_size])
    ratio = max([one for one in _numbers(search, "batch_ratio") if one > 0] or [training.batch_ratio])
    for name, samples in {"batch_size": smallest, "batch_ratio": round(smallest / ratio)}.items():
        if samples < workers:
            path = f"{_section(name, search)}.{name}"
            yield path, f"{samples} samples{' of G' * (name == 'batch_ratio')} cannot be shared by {workers} workers"
            return


def _schedule_errors(training: Training, search: Space) -> Errors:
    changed = {name for change in training.schedule for name in change.model_fields_set - {"after"}}
    if {"lr_d", "lr_g"} & changed:
        changed |= {"lr", "lr_ratio", "lr_d", "lr_g"}
    if "beta2" in changed:
        changed.add("betas")
    for name in sorted(changed & search.keys()):
        yield f"search.{name}", "training.schedule changes it; leave one of the two out"
    for i, change in enumerate(training.schedule):
        path = f"training.schedule[{i}]"
        if change.after >= training.updates:
            yield f"{path}.after", f"{change.after} leaves nothing of training.updates = {training.updates}"
        if not change.model_dump(exclude={"after"}, exclude_none=True):
            yield path, f"changes nothing; give one of {', '.join(n for n in Change.model_fields if n != 'after')}"
        if change.beta2 is not None and not {"adam", "adamw"} & _possible(training, search, "optimizer"):
            yield f"{path}.beta2", "is Adam's; leave it out, or use optimizer: adam or adamw"
        if training.simultaneous and change.update_ratio is not None:
            yield f"{path}.update_ratio", "cannot go with simultaneous: true"
        for name, why in unread(training, search).items():
            if getattr(change, name, None) is not None:
                yield f"{path}.{name}", why


def _section(name: str, search: Space) -> str:
    """The section that says what a trial has of a field."""
    return "search" if name in search else "training"


def _possible(training: Training, search: Space, name: str) -> set[Any]:
    """The values that a field of few values may have in a trial."""
    values = values_of(search[name]).values() if name in search else [getattr(training, name)]
    return {value for value in values if isinstance(value, Hashable)}


def _longest(training: Training, search: Space, name: str) -> int:
    """The largest value that a trial may have of a field of whole numbers."""
    return max([getattr(training, name), *map(int, _numbers(search, name))])


def _numbers(search: Space, name: str) -> list[Any]:
    """The numbers that a search entry names; empty where there is none."""
    entry: Entry = search.get(name)
    return [value for value in values_of(entry).values() if isinstance(value, int | float)]
