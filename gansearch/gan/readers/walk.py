"""Walks a user's folder: each file once, whatever links lead where, and what was passed over."""

from __future__ import annotations

import mimetypes
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gansearch.formatting import printable

_NAMED = 3
"""Files that a warning names."""
_LITTER = {"__macosx", "@eadir", "$recycle.bin"}
"""Folders of macOS's archives, of Synology's thumbnails and of Windows' bin: hidden, though no dot says so."""
_LINKS = "links to folders that are read anyway, or hold this one, are not followed"


@dataclass
class Walk:
    """The files below a folder, sorted, and what was passed over."""

    files: list[Path] = field(default_factory=list)
    """Regular files and whatever links lead to, or not, but hidden ones and those in hidden folders."""
    hidden: list[Path] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """Links to folders that are read anyway, or that hold the folder itself, by their names below the folder."""
    closed: list[str] = field(default_factory=list)
    """Folders that cannot be listed, each with the reason in brackets."""

    def passed_over(self, start: Path, endings: Sequence[str]) -> list[str]:
        """Returns a warning for each kind of thing passed over that could be data with these endings below `start`.

        Files of the same kind with other endings are named where there are some with these.
        """
        hidden = [str(file.relative_to(start)) for file in self.hidden if file.suffix.lower() in endings]
        kinds = {_kind(f"x{ending}") for ending in endings} - {""}
        others = [file for file in self.files if file.suffix.lower() not in endings]
        alike = [file for file in others if _kind(file.name) in kinds] if len(others) < len(self.files) else []
        unread = [f"{count:,} {ending}" for ending, count in Counter(f.suffix.lower() for f in alike).most_common()]
        found = (
            (hidden, "hidden file is left out", "hidden files are left out"),
            (self.again, "link to a folder that is read anyway, or holds this one, is not followed", _LINKS),
            (self.closed, "folder cannot be read and is left out", "folders cannot be read and are left out"),
            (unread, "kind of file is not read", "kinds of files are not read"),
        )
        counted = ((names, one if len(names) == 1 else more) for names, one, more in found if names)
        return [f"{len(names):,} {what}: {listed(names)}" for names, what in counted]


def walk(start: Path) -> Walk:
    """Returns what is below a folder. Links are followed, but no folder is read twice, nor one that holds `start`."""
    found = Walk()
    seen = {_identity(folder) for folder in start.resolve().parents} - {None}
    tops = [start]
    while tops:
        top = tops.pop(0)
        if _identity(top) in seen:
            found.again.append(str(top.relative_to(start)))
        else:
            tops += _visit(found, start, top, seen)
    found.files.sort()
    found.hidden.sort()
    return found


def _visit(found: Walk, start: Path, top: Path, seen: set[tuple[int, int] | None]) -> list[Path]:
    """Adds what is below a folder but links to folders, which it returns: of these the same may be seen elsewhere."""

    def note(error: OSError) -> None:
        found.closed.append(f"{Path(error.filename).relative_to(start)} ({error.strerror})")

    links = []
    for name, folders, files in os.walk(top, onerror=note):
        folder = Path(name)
        identity = _identity(folder)
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        is_hidden = any(map(_is_hidden, folder.relative_to(start).parts))
        for file in files:
            (found.hidden if is_hidden or _is_hidden(file) else found.files).append(folder / file)
        inside = (folder / one for one in sorted(folders) if not is_hidden and not _is_hidden(one))
        links += [one for one in inside if one.is_symlink()]
    return links


def is_file(path: Path) -> bool:
    """Returns whether a regular file is there, by links too; False where that cannot be asked."""
    try:
        return path.is_file()
    except OSError:
        return False


def listed(names: Sequence[str]) -> str:
    """Returns the first few names, with dots for others."""
    return ", ".join([*map(printable, names[:_NAMED]), *["…"] * (len(names) > _NAMED)])


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _identity(folder: Path) -> tuple[int, int] | None:
    """What is the same for a folder by every path; None where it cannot be asked."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _kind(name: str) -> str:
    """The kind of a file by its name, such as image or audio; empty where it is not known."""
    return (mimetypes.guess_type(name)[0] or "").partition("/")[0]
