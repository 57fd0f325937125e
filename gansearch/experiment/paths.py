"""Fields of an experiment that hold paths, which are made absolute: they are relative to the experiment's file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo

from gansearch.experiment.sections import Start

FILE_ENDINGS = (".yaml", ".yml", ".json")
"""Endings of experiment files."""


def data_path(options: Mapping[str, Any], name: str = "path") -> str | None:
    """Returns the path among a task's options; None where there is none, or it is a name elsewhere: hf:NAME."""
    path = options.get(name)
    return path if isinstance(path, str) and not re.match(r"\w{2,}:", path) else None


def expanded(path: str) -> Path:
    """Returns a path with its user's home folder in place of ~, which stays where there is no such user."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path.expanduser raises there)


def _absolute(path: str, info: ValidationInfo) -> str:
    base = (info.context or {}).get("base", Path.cwd())
    return str((base / expanded(path)).resolve())


def _task(task: str, info: ValidationInfo) -> str:
    file, colon, name = task.rpartition(":")
    return f"{_absolute(file, info)}{colon}{name}" if file.endswith(".py") else task


def _options(options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    paths = {name: path for name in ("path", "weights") if (path := data_path(options, name))}
    return {**options, **{name: _absolute(path, info) for name, path in paths.items()}}


def _starts(points: list[Start], info: ValidationInfo) -> list[Start]:
    return [_absolute(p, info) if isinstance(p, str) and p.endswith(FILE_ENDINGS) else p for p in points]


Folder = Annotated[str, AfterValidator(_absolute)]
TaskName = Annotated[str, AfterValidator(_task)]
TaskOptions = Annotated[dict[str, Any], AfterValidator(_options)]
Starts = Annotated[list[Start], AfterValidator(_starts)]
