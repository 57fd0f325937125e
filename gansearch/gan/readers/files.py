"""A user's files: which there are, and what is wrong with a path, in one short message."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from gansearch.gan.task import TaskError

LEAST = 50
"""Samples that a task needs: a fifth is held out, and fewer than ten say nothing."""


def files_of(path: str, endings: Sequence[str]) -> list[Path]:
    """The file at `path`, or the files of a folder and its subfolders with these endings, by name.

    Raises TaskError that names task_options.path.
    """
    allowed = " or ".join([", ".join(endings[:-1]), endings[-1]]) if len(endings) > 1 else endings[0]
    if not path:
        raise TaskError(f"task_options.path: is missing; name a {allowed} file, or a folder of them")
    where = Path(path).expanduser()
    if where.is_file():
        if where.suffix.lower() not in endings:
            raise TaskError(f"task_options.path: {where} is no {allowed} file")
        return [where]
    if not where.is_dir():
        raise TaskError(f"task_options.path: there is no {where}{_near(where)}")
    files = sorted(
        Path(place) / name
        for place, _, names in os.walk(where, followlinks=True)
        for name in names
        if not name.startswith(".")
    )
    found = [file for file in files if file.suffix.lower() in endings]
    if not found:
        others = Counter(file.suffix.lower() or "other" for file in files).most_common(3)
        holds = ", but " + ", ".join(f"{count} {ending}" for ending, count in others) if others else "; it is empty"
        raise TaskError(f"task_options.path: {where} holds no {allowed} files{holds}")
    return found


def need(count: int, what: str, remedy: str) -> None:
    """Raises TaskError where `count` samples are too few to train on and to judge by."""
    if count < LEAST:
        raise TaskError(f"task_options.path: {count} {what}, but at least {LEAST} are needed; {remedy}")


def whole(**options: int) -> None:
    """Raises TaskError for the first option that is not a whole number of at least 1."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise TaskError(f"task_options.{name}: must be a whole number of at least 1, not {value!r}")


def positive(**options: float) -> None:
    """Raises TaskError for the first option that is not above 0."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise TaskError(f"task_options.{name}: must be a number above 0, not {value!r}")


def skipped(broken: Mapping[Path, str], files: Sequence[Path]) -> list[str]:
    """A sentence that tells how many of the files could not be read, and why the first one; [] where all could.

    Raises TaskError where none could.
    """
    if not broken:
        return []
    first, why = next(iter(broken.items()))
    if len(broken) == len(files):
        raise TaskError(f"task_options.path: none of {len(files)} files can be read; {first}: {why}")
    are = "is" if len(broken) == 1 else "are"
    return [f"{len(broken)} of {len(files)} files cannot be read and {are} left out, first {first}: {why}"]


def _near(path: Path) -> str:
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
