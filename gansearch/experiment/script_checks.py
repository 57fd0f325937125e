"""The rules between the fields of a script's task, and between them and the rest of the experiment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gansearch.experiment.entries import Searched, Space
from gansearch.experiment.placeholders import RESERVED, names
from gansearch.experiment.script import ScriptTask
from gansearch.experiment.words import suggest

Errors = Iterator[tuple[str, str]]
SETTINGS_ENDINGS = (".yaml", ".yml", ".json", ".toml")
"""Endings of the files that `files:` writes."""


def script_errors(task: ScriptTask, search: Space, params: Mapping[str, Any], options: Mapping[str, Any]) -> Errors:
    """Yield what is wrong between the fields of an experiment whose task is a script."""
    if options:
        yield "task_options", "are of a class or a function; give a script what it needs as words of task.command"
    for section, given in (("search", search), ("params", params)):
        for name in sorted(given.keys() & set(RESERVED)):
            yield f"{section}.{name}", f"is a name that every script's trial has ({', '.join(RESERVED)}); use another"
    yield from _name_errors(task, search, params)
    yield from _place_errors(task)


def _name_errors(task: ScriptTask, search: Space, params: Mapping[str, Any]) -> Errors:
    known = [*search, *params, *RESERVED]
    data = task.model_dump(exclude={"here", "root", "link", "loss", "columns"}, exclude_defaults=True)
    for field, value in data.items():
        for name in dict.fromkeys(names(value)):
            if name not in known:
                hint = suggest(name, known) or f"; known: {', '.join(known)}"
                yield f"task.{field}", f"{{{name}}} is neither searched nor in params{hint}"
    used = set(names(task.texts))
    asked = {other for entry in search.values() if isinstance(entry, Searched) for other in entry.conditions}
    for name, entry in search.items():
        if isinstance(entry, Searched) and name not in {*used, *asked, *RESERVED}:
            yield f"search.{name}", f"does not reach the script; write {{{name}}} in task.command, files, edits or env"


def _place_errors(task: ScriptTask) -> Errors:
    """Yield what is wrong with where it runs and what it reads."""
    here, root = Path(task.here), task.path(task.root)
    if not here.is_relative_to(root):
        yield "task.root", f"must be {here} or a folder above it, not {task.root!r}"
    for target, file in task.files.items():
        ending = PurePosixPath(target).suffix.lower()
        if ending not in SETTINGS_ENDINGS:
            yield f"task.files.{target}", f"must end in {', '.join(SETTINGS_ENDINGS)}; change other files by patch:"
        elif target.startswith("{") and not file.source:
            yield f"task.files.{target}.from", "is missing: the file that it is made from"
    if task.cwd == "copy":
        return
    for field in ("edits", "patch", "link"):
        if getattr(task, field):
            yield f"task.{field}", "is of the trial's copy of the code; with cwd: here there is none"
    for target in task.files:
        if not target.startswith("{out}/"):
            yield f"task.files.{target}", f"would be among your own files with cwd: here; write {{out}}/{target}"
    if "out" not in names(task.texts) and not any("{out}" in target for target in task.files):
        yield "task.cwd", "here: each run would write where the others do; give the script a folder of its own by {out}"
