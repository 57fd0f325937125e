"""Errors of an experiment: each names the field, its value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from gansearch.experiment.base import Model
from gansearch.experiment.entries import Choices, Range
from gansearch.experiment.script import DistanceCommand, ScriptTask, Settings
from gansearch.experiment.sections import Checkpoints, Confirm, Limits, Replicas, Resources
from gansearch.experiment.trackers import MLflow, Trackers, Wandb
from gansearch.experiment.training import Change, Training
from gansearch.experiment.words import number_hint, texts, unknown_field, unknown_value

_SECTIONS: dict[str, type[Model]] = {
    "task": ScriptTask,
    "files": Settings,
    "<command>": DistanceCommand,
    "training": Training,
    "schedule": Change,
    "replicas": Replicas,
    "confirm": Confirm,
    "resources": Resources,
    "limits": Limits,
    "checkpoints": Checkpoints,
    "trackers": Trackers,
    "mlflow": MLflow,
    "wandb": Wandb,
    "<range>": Range,
    "<choices>": Choices,
}
"""The sections by the part of an error's path that leads into them; <range> is a tag of a union's member."""

_ELSEWHERE = ("training", "resources", "limits", "confirm", "checkpoints")
"""Sections that a field may belong to which stands elsewhere."""

_NO_NUMBER = ("int_", "float_", "finite_number")
"""Beginnings of the types of pydantic's errors of what is no number."""


class ExperimentError(ValueError):
    """An experiment is wrong. `errors` maps the path of each wrong field to a message."""

    exit_status = 2

    def __init__(self, source: str, errors: Mapping[str, str]):
        self.errors = dict(errors)
        lines = [f"{path}: {message}" if path else message for path, message in self.errors.items()]
        super().__init__(
            f"{source}: " + (lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} errors", *lines]))
        )


class Several(ValueError):
    """Errors of several fields that one validator found."""

    def __init__(self, errors: Mapping[str, str]):
        self.errors = errors
        super().__init__("; ".join(errors.values()))


def messages(error: ValidationError, fields: Iterable[str], names_checked: bool = False) -> dict[str, str]:
    """Returns the messages of pydantic's errors, by path; `fields` are the names allowed at the top of the data.

    Where `names_checked`, names that are no text are left out: they have errors with their lines.
    """
    errors: dict[str, str] = {}
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Several):
            errors.update(cause.errors)
            continue
        path = [part for part in item["loc"] if not str(part).startswith("<")]  # without the tags of unions
        if names_checked and (item["type"] == "invalid_key" or path[-1:] == ["[key]"]):
            continue
        if path[-1:] == ["int"] and item["type"].startswith(_NO_NUMBER):
            continue  # of a number that may be whole or not: the other kind's error follows
        if path[-1:] == ["float"] and item["type"].startswith(_NO_NUMBER):
            path.pop()
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        errors.setdefault(text, message(item, fields))
    return errors


def message(item: Any, fields: Iterable[str]) -> str:
    """Returns one of pydantic's errors as a sentence with the value and what is allowed.

    `fields` are the names allowed at the top of the data.
    """
    value, kind = item["input"], item["type"]
    if kind == "extra_forbidden":
        parents = [p for p in item["loc"][:-1] if p in _SECTIONS]
        section = _SECTIONS[parents[-1]].model_fields if parents else {}
        allowed = [field.alias or name for name, field in section.items()] or list(fields)
        sections = {"": list(fields)} | {name: _SECTIONS[name].model_fields for name in _ELSEWHERE}
        return f"unknown field{unknown_field(str(item['loc'][-1]), allowed, sections)}"
    if kind == "missing":
        return "is missing"
    if kind in ("model_type", "model_attributes_type", "dict_type") and item["loc"]:
        return _no_section(str(item["loc"][-1]), value)
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'|(True|False)", item["ctx"]["expected"])
        allowed = [text or switch.lower() for text, switch in expected]
        if "<auto>" in item["loc"]:
            return f"must be a whole number or auto, not {_short(value)}{number_hint(str(value))}"
        return f"{_short(value)} is not one of {', '.join(allowed)}{unknown_value(value, allowed)}"
    text = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    hint = number_hint(value) if isinstance(value, str) and kind.startswith(_NO_NUMBER) else ""
    if kind == "string_type" and isinstance(value, int | float):
        hint = "; in quotes it is text"
    elif kind == "list_type" and isinstance(value, str | int | float):
        hint = f"; write [{value}]"
    if kind == "tuple_type":
        text, hint = "must be a list, such as [0.5, 0.999]", ""
    if isinstance(value, dict):
        return f"{text}, not a mapping" if kind.endswith("_type") else text
    return f"{text}, not {_short(value)}{hint}"


def _no_section(name: str, value: Any) -> str:
    """What is wrong with a value that stands where fields are expected."""
    section = _SECTIONS.get(name)
    fields = f" ({', '.join(section.model_fields)})" if section and name != "training" else ""
    remedy = ""
    if value is None:
        remedy = "; leave it out where it has none"
    elif value is False and name == "confirm":
        remedy = "; null is no confirmation"
    elif isinstance(value, str) and ":" in value:
        remedy = "; a space follows each colon"
    elif isinstance(value, list):
        remedy = "; it is no list"
    return f"must hold fields{fields}, not {'nothing' if value is None else _short(value)}{remedy}"


def _short(value: Any) -> str:
    """A value as YAML names it, cut off where it is long."""
    text = {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else ""
    text = text or repr(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def no_text(data: Any) -> dict[str, str]:
    """Returns by path what holds bytes that are no text, as a Latin-1 file name does: no file of results could."""
    escaped = [(path, text, text.encode(errors="backslashreplace").decode()) for path, text in texts(data)]
    return {path: f"{one} is no UTF-8; give what it names a name that is" for path, text, one in escaped if one != text}
