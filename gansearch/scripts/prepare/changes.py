"""What is changed in a run's copy of the code: by the patch, the edits, and the files of settings, in this order."""

from __future__ import annotations

import difflib
import tokenize
from collections.abc import Iterator
from pathlib import Path

from gansearch.experiment import ScriptTask
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.command import Values, fill_data, fill_text
from gansearch.scripts.prepare.edits import edited, expression
from gansearch.scripts.prepare.files import settings_text
from gansearch.scripts.prepare.modules import source_of
from gansearch.scripts.prepare.patch import apply_patch
from gansearch.scripts.prepare.workplace import Workplace


def changed(script: ScriptTask, place: Workplace, values: Values) -> str:
    """Make all changes, and return them as a unified diff.

    Raises:
        ScriptError: The patch, an edit or a file does not fit the code.
    """
    paths = apply_patch(script.path(script.patch), [place.cwd, place.code]) if script.patch else []
    paths += [*_edits(script, place, values), *_files(script, place, values)]
    return "".join(_diff(path, script.path(script.root), place.code) for path in dict.fromkeys(paths))


def _edits(script: ScriptTask, place: Workplace, values: Values) -> Iterator[Path]:
    """Make the edits one by one, and yield the files."""
    for key, edit in script.edits.items():
        name, _, target = (part.strip() for part in key.partition(":"))
        path = place.inside(f"edits.{key}", name)
        if not path.is_file():
            raise ScriptError(f"task.edits.{key}: there is no {name} in the copy of {script.path('.')}")
        try:
            new = expression(edit, values)
            if new is None:
                continue
            text = edited(source_of(path), target, new)
        except ScriptError as error:
            raise ScriptError(f"task.edits.{key}: {error}") from None
        with tokenize.open(path) as file:
            encoding = file.encoding
        path.write_text(text, encoding=encoding)
        yield path


def _files(script: ScriptTask, place: Workplace, values: Values) -> Iterator[Path]:
    """Write the files of settings, and yield them."""
    root = script.path(script.root)
    for name, settings in script.files.items():
        target = place.inside(f"files.{name}", fill_text(name, values) or "")
        source = script.path(settings.source or name)
        copied = place.code / source.relative_to(root) if source.is_relative_to(root) else source
        text = settings_text(copied if copied.is_file() else source, name, fill_data(settings.values, values))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        yield target


def _diff(path: Path, root: Path, code: Path) -> str:
    """The difference of a file to the user's own."""
    name = path.relative_to(code) if path.is_relative_to(code) else Path(path.name)
    own = root / name if path.is_relative_to(code) and code != root else Path()
    before, after = (_lines(one) if one.is_file() else [] for one in (own, path))
    return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}"))


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return (text if text.endswith("\n") or not text else f"{text}\n").splitlines(keepends=True)
