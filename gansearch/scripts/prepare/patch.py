"""A unified diff, as `diff -u` and git write it, applied to a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gansearch.scripts.errors import ScriptError

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_NOTHING = "/dev/null"


@dataclass(frozen=True)
class _Hunk:
    """Some lines of a file, before and after."""

    line: int
    """Where it begins, counted from 1."""
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class _Change:
    """What a diff says of one file."""

    old: str
    new: str
    hunks: list[_Hunk] = field(default_factory=list)


def apply_patch(diff: Path, folders: Sequence[Path]) -> list[Path]:
    """Apply a diff to files, and return those that it changed or made. A hunk may have moved.

    Paths in it are from the first of the folders that has such a file.

    Raises:
        ScriptError: It cannot be read, leads out of the folders, or does not fit a file.
    """
    try:
        changes = _changes(diff.read_bytes().decode())
    except OSError as error:
        raise ScriptError(f"task.patch: {diff} cannot be read: {error.strerror}") from None
    except ValueError:
        changes = []
    if not changes:
        raise ScriptError(f"task.patch: {diff} is no unified diff of texts, as `diff -u` or git writes it")
    changed = []
    for change in changes:
        name = change.new if change.new != _NOTHING else change.old
        folder = next((one for one in folders if (one / change.old).is_file()), folders[0])
        path = folder / name
        if not any(path.resolve().is_relative_to(one.resolve()) for one in folders):
            raise ScriptError(f"task.patch: {diff.name} would change {name}, which is not in the copy of the code")
        _apply(change, path, name, diff.name)
        changed.append(path)
    return changed


def _changes(text: str) -> list[_Change]:
    """The files of a diff. What stands between its hunks, such as git's `index` and a mail's signature, is left out."""
    changes: list[_Change] = []
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        hunk = _HUNK.match(lines[number])
        number += 1
        if hunk and changes:
            before, after = (int(count or 1) for count in (hunk[2], hunk[3]))
            end, read = _hunk(lines, number, before, after)
            changes[-1].hunks.append(_Hunk(int(hunk[1]), *read))
            number = end
        elif lines[number - 1].startswith("--- ") and "".join(lines[number : number + 1]).startswith("+++ "):
            changes.append(_Change(_name(lines[number - 1]), _name(lines[number])))
    return [change for change in changes if change.hunks]


def _hunk(lines: list[str], number: int, before: int, after: int) -> tuple[int, tuple[list[str], list[str]]]:
    """The line after a hunk, and its lines before and after the change. An empty line is one that lost its space."""
    old: list[str] = []
    new: list[str] = []
    while number < len(lines) and (len(old) < before or len(new) < after):
        sign, rest = lines[number][:1] or " ", lines[number][1:]
        if sign == "-":
            old.append(rest)
        elif sign == "+":
            new.append(rest)
        elif sign != "\\":  # No newline at end of file
            old.append(rest)
            new.append(rest)
        number += 1
    return number, (old, new)


def _name(line: str) -> str:
    """The path behind `--- ` or `+++ `, without git's a/ and b/ and without a time."""
    name = line[4:].split("\t")[0].strip().strip('"')
    return name if name == _NOTHING else re.sub(r"^[ab]/", "", name)


def _apply(change: _Change, path: Path, name: str, diff: str) -> None:
    """Change one file. Raises ScriptError where it does not fit."""
    if change.new == _NOTHING:
        path.unlink(missing_ok=True)
        return
    try:
        lines = [] if change.old == _NOTHING else path.read_bytes().decode("utf-8").split("\n")
    except (OSError, ValueError):
        raise ScriptError(f"task.patch: {diff} changes {name}, which is no text file of the code") from None
    moved = 0
    for hunk in change.hunks:
        near = hunk.line - bool(hunk.before)  # of a hunk that takes nothing away it is the line before
        at = _place(lines, hunk.before, near + moved)
        if at is None:
            raise ScriptError(
                f"task.patch: {diff} does not fit {name}: the lines that it changes at {hunk.line} are others there"
            )
        lines[at : at + len(hunk.before)] = hunk.after
        moved = at - near + len(hunk.after) - len(hunk.before)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(lines if lines[-1:] == [""] or change.old != _NOTHING else [*lines, ""]).encode())


def _place(lines: list[str], before: list[str], near: int) -> int | None:
    """Where some lines are in a file: the place that is nearest to where they are expected; None where they are not."""
    places = [at for at in range(len(lines) - len(before) + 1) if lines[at : at + len(before)] == before]
    return min(places, key=lambda at: abs(at - near), default=None)
