"""Errors of an experiment: each names the field, its value and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from gansearch.experiment.base import Model
from gansearch.experiment.entries import Choices, Range
from gansearch.experiment.sections import Confirm, Limits, Replicas, Resources
from gansearch.experiment.trackers import MLflow, Trackers, Wandb
from gansearch.experiment.training import Change, Training

_SECTIONS: dict[str, type[Model]] = {
    "training": Training,
    "schedule": Change,
    "replicas": Replicas,
    "confirm": Confirm,
    "resources": Resources,
    "limits": Limits,
    "trackers": Trackers,
    "mlflow": MLflow,
    "wandb": Wandb,
    "<range>": Range,
    "<choices>": Choices,
}
"""The sections by the part of an error's path that leads into them; <range> is a tag of a union's member."""

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


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Returns '; did you mean "x"?' where an allowed name is close to `name`, else an empty string."""
    near = difflib.get_close_matches(name, list(allowed), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def messages(error: ValidationError, fields: Iterable[str]) -> dict[str, str]:
    """Returns the messages of pydantic's errors, by path; `fields` are the names allowed at the top of the data."""
    errors: dict[str, str] = {}
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Several):
            errors.update(cause.errors)
            continue
        path = [part for part in item["loc"] if not str(part).startswith("<")]  # without the tags of unions
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
        fields = _SECTIONS[parents[-1]].model_fields if parents else fields
        hint = suggest(str(item["loc"][-1]), fields)
        return f"unknown field{hint or '; allowed: ' + ', '.join(fields)}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'|(True|False)", item["ctx"]["expected"])
        allowed = [text or switch.lower() for text, switch in expected]
        return f"{value!r} is not one of {', '.join(allowed)}{suggest(str(value), allowed)}"
    text = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return text if isinstance(value, dict) else f"{text}, not {value!r}"
