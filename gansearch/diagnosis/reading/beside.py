"""The files beside a log that say how the training was set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

NAMES = (
    "train_opt.txt",
    "training_options.json",
    "hparams.yaml",
    "config.yaml",
    "config.yml",
    "config.json",
    "args.json",
    "args.yaml",
    "opt.txt",
    "opt.yaml",
    "params.json",
    "params.yaml",
    "experiment.yaml",
)
LARGEST = 1 << 20
"""Bytes: what is larger is no configuration."""
ABOUT_TRAINING = re.compile(
    r"loss|gan|lr|learning|gamma|beta|batch|critic|disc|gen|\bada|aug|lambda|weight|r1|penalty|optim|clip|ema|n_d|ratio",
    re.IGNORECASE,
)
OPTION = re.compile(r"^\s*([\w.-]+):\s*(.*?)\s*(?:\[default: .*\])?\s*$", re.MULTILINE)
"""A line of train_opt.txt."""


def configuration(log: Path) -> dict[str, Any]:
    """What the files beside a log, or beside its folder as code bases lay them out, say on the training, by path."""
    folder = log if log.is_dir() else log.parent
    found: dict[str, Any] = {}
    above = [folder.parent] if re.fullmatch(r"logs?|csv|tensorboard|tb|version_\d+|files|metrics", folder.name) else []
    for place in (folder, *above, folder / "files", folder / ".hydra"):
        paths = [place / name for name in NAMES]
        if place in (folder, *above):
            paths += sorted(place.glob("configs/*project.yaml"))
        for path in paths:
            for name, value in options(path).items():
                found.setdefault(name, value)
        if found:
            break
    return {name: value for name, value in found.items() if ABOUT_TRAINING.search(name)}


def options(path: Path) -> dict[str, Any]:
    """The options in a file by their dotted names; none where it does not exist or cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return {}
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".txt":
            return dict(OPTION.findall(text))
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        return dict(list(dotted(document).items())[:1000])
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}


def dotted(value: Any, prefix: str = "") -> dict[str, Any]:
    """Plain values of nested mappings by their dotted names; W&B's `{value: …}` around each is left out."""
    if isinstance(value, dict):
        if set(value) <= {"value", "desc"} and "value" in value:
            return dotted(value["value"], prefix)
        found: dict[str, Any] = {}
        for name, one in value.items():
            found |= dotted(one, f"{prefix}.{name}" if prefix else str(name))
        return found
    return {prefix: value} if isinstance(value, str | int | float | bool) and prefix else {}
