"""The folder that a run of a script has for itself: a copy of its code, links to its data, and `{out}`."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from gansearch.experiment import ScriptTask
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.left_out import MOST_BYTES, MOST_FILES, left_out

_IGNORING = (".gitignore", ".rayignore")


@dataclass(frozen=True)
class Workplace:
    """The folders of one run."""

    code: Path
    """The copy of `task.root`; with `cwd: here` that folder itself."""
    cwd: Path
    """Where the script runs: the place of `task.here` in it."""
    out: Path
    """`{out}`, which is not made yet."""

    def inside(self, field: str, text: str) -> Path:
        """Return a path of the task, from where the script runs.

        Raises:
            ScriptError: It leads out of the copy and of `{out}`, also by a link; `field` is where it is from.
        """
        path = Path(os.path.abspath(self.cwd / text))  # noqa: PTH100 (the links of a path are resolved below)
        if not any(path.resolve().is_relative_to(one.resolve()) for one in (self.code, self.out)):
            raise ScriptError(f"task.{field}: {text} is neither in the copy of the code nor in {{out}}")
        return path


def make_workplace(script: ScriptTask, folder: Path) -> Workplace:
    """Copy a script's code into a new folder, by the rules of what is sent to a cluster, and link its data.

    Raises:
        ScriptError: The folder holds something, the code is too large, or data is not there.
    """
    root, here = script.path(script.root), script.path(".")
    if folder.exists() and any(folder.iterdir()):
        raise ScriptError(f"{folder}: is not empty, and every run needs a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    if script.cwd == "here":
        return Workplace(root, here, folder / "out")
    code = folder / "code"
    links = {script.path(text): _place(script, text, root) for text in script.link}
    _copy(root, code, {*links, folder})
    cwd = code / here.relative_to(root)
    cwd.mkdir(parents=True, exist_ok=True)
    for source, place in links.items():
        link = (cwd if place.parent == Path() and not source.is_relative_to(root) else code) / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source.resolve())
    return Workplace(code, cwd, folder / "out")


def _place(script: ScriptTask, text: str, root: Path) -> Path:
    """Return where in the copy a link stands: in the place of what it leads to, or for other places by its name alone.

    Raises:
        ScriptError: It leads nowhere, to code, or by `..` out of what is copied.
    """
    source = script.path(text)
    if not source.exists():
        raise ScriptError(f"task.link: there is no {source}")
    if source.suffix == ".py" or (source.is_dir() and any(source.glob("*.py"))):
        raise ScriptError(
            f"task.link: {text} holds Python files, whose imports would lead out of the copy; code is copied"
        )
    if source.is_relative_to(root):
        return source.relative_to(root)
    if not Path(text).is_absolute() and not text.startswith("~"):
        raise ScriptError(f"task.link: {text} is not below {root}; raise task.root, or give its whole path")
    return Path(source.name)


def _copy(root: Path, code: Path, without: Collection[Path]) -> None:
    """Copy the code. Raises ScriptError where it is too large, or not there."""
    if not root.is_dir():
        raise ScriptError(f"task.root: there is no folder {root}")
    files, size, largest = 0, 0, Counter[str]()
    code.mkdir()
    for path in code_files(root, without):
        bytes_ = path.stat().st_size
        files, size = files + 1, size + bytes_
        top = path.relative_to(root).parts[0]
        largest[top] += bytes_ + MOST_BYTES // MOST_FILES  # a file counts, and so does its size
        if files > MOST_FILES or size > MOST_BYTES:
            name = largest.most_common(1)[0][0]
            raise ScriptError(
                f"task.root: {root} holds more than the {MOST_FILES:,} files or {MOST_BYTES / 2**20:,.0f} MB that are "
                f"copied for each run, such as {name}; link data (task.link: [{name}]), or name it in a .gitignore"
            )
        place = code / path.relative_to(root)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)
            place.chmod(place.stat().st_mode | 0o200)
        except OSError as error:
            raise ScriptError(f"task.root: {path} cannot be copied: {error.strerror}") from None


def code_files(root: Path, without: Collection[Path] = ()) -> Iterator[Path]:
    """Yield the files of a folder that are copied, in order; `without` are folders and files that are not."""
    ignored = [(root, GitIgnoreSpec.from_lines(left_out(root)))]
    for here, folders, files in os.walk(root):
        folder = Path(here)
        if {"format.json", "experiment.yaml"} <= {*files} and folder != root:  # a results folder
            folders.clear()
            continue
        lines = [line for name in _IGNORING if name in files for line in _lines(folder / name)]
        if lines:
            ignored.append((folder, GitIgnoreSpec.from_lines(lines)))
        folders[:] = sorted(one for one in folders if not _is_ignored(folder / one, ignored, without, "/"))
        yield from (folder / one for one in sorted(files) if not _is_ignored(folder / one, ignored, without, ""))


def _is_ignored(path: Path, ignored: list[tuple[Path, GitIgnoreSpec]], without: Collection[Path], ending: str) -> bool:
    if path in without or (path.is_symlink() and path.is_dir()) or not (path.is_dir() or path.is_file()):
        return True
    return any(
        spec.match_file(path.relative_to(base).as_posix() + ending)
        for base, spec in ignored
        if path.is_relative_to(base)
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()
