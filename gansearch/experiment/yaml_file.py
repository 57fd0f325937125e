"""Reads an experiment file and its overrides as plain data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gansearch.experiment.errors import ExperimentError, suggest


class _Loader(yaml.SafeLoader):
    """A loader that reads 1e-4 as a number, which in YAML 1.1 is text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load_yaml(text: str) -> Any:
    """Returns the data of safe YAML, in which 1e-4 is a number. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)


def read_file(path: Path) -> dict[str, Any]:
    """Returns the fields of a file. Raises ExperimentError where it is missing, unreadable or empty."""
    try:
        data = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = [str(p) for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ExperimentError(str(path), {"": "no such file" + suggest(str(path), near)}) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(str(path), {"": f"cannot be read: {error}"}) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ExperimentError(str(path), {"": f"not YAML: {getattr(error, 'problem', error)}{where}"}) from None
    if data is None:
        raise ExperimentError(str(path), {"": "empty; an experiment needs at least name and task"})
    if not isinstance(data, dict):
        raise ExperimentError(str(path), {"": f"must hold fields such as name and task, not a {type(data).__name__}"})
    return data


def set_field(data: dict[str, Any], override: str) -> None:
    """Sets KEY=VALUE, a dotted key and a YAML value, in the fields of a file. Raises ExperimentError."""
    key, equals, value = override.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not last:
        raise ExperimentError("--set", {"": f"{override!r} is not KEY=VALUE, such as training.updates=2000"})
    for parent in parents:
        if data.get(parent) is None:
            data[parent] = {}
        data = data[parent]
        if not isinstance(data, dict):
            raise ExperimentError("--set", {key: f"{parent} holds no fields"})
    try:
        data[last] = load_yaml(value)
    except yaml.YAMLError:
        raise ExperimentError("--set", {key: f"{value!r} is not a YAML value"}) from None
