"""Finds a user's files, and says in one line what is wrong with a path or with a file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gansearch.experiment import suggest
from gansearch.gan.options import option_error
from gansearch.gan.task import TaskError

LEAST = 50
"""Samples that a task needs at least: a fifth is held out, and fewer than ten of those measure nothing."""
_NAMED = 3
"""Unreadable files that a warning names."""


def files_of(path: str, endings: Sequence[str]) -> list[Path]:
    """Returns the file at `path`, or the files with these endings in a folder and its subfolders, sorted.

    Hidden files are left out. Raises TaskError where there are none.
    """
    allowed = " or ".join(filter(None, [", ".join(endings[:-1]), endings[-1]]))
    if not path:
        raise option_error("path", f"is missing; name a {allowed} file, or a folder of them")
    start = Path(path).expanduser()
    if start.is_file():
        if start.suffix.lower() not in endings:
            raise option_error("path", f"{start} is no {allowed} file")
        return [start]
    if not start.is_dir():
        siblings = [p.name for p in start.parent.iterdir()] if start.parent.is_dir() else []
        raise option_error("path", f"there is no {start}{suggest(start.name, siblings)}")
    every = (Path(folder, name) for folder, _, names in os.walk(start, followlinks=True) for name in names)
    files = sorted(file for file in every if not file.name.startswith("."))
    chosen = [file for file in files if file.suffix.lower() in endings]
    if not chosen:
        others = Counter(file.suffix.lower() or "other" for file in files).most_common(3)
        holds = ", but " + ", ".join(f"{count} {ending}" for ending, count in others) if others else "; it is empty"
        raise option_error("path", f"{start} holds no {allowed} files{holds}")
    return chosen


def one_file(path: str, endings: Sequence[str]) -> Path:
    """Returns the file at `path`, or the only one of a folder. Raises TaskError where there are none or several."""
    files = files_of(path, endings)
    if len(files) > 1:
        raise option_error("path", f"{path} holds {len(files)} files; name one of them, such as {files[0]}")
    return files[0]


def need(count: int, what: str, remedy: str) -> None:
    """Checks that there are enough samples to train on and to hold out. Raises TaskError with the remedy."""
    if count < LEAST:
        raise option_error("path", f"{count} {what}, but at least {LEAST} are needed; {remedy}")


def unreadable(broken: Sequence[str], total: int, what: str) -> list[str]:
    """Returns a warning that counts the unreadable ones and names the first; none where there are none.

    `broken` holds a name and a reason each, `total` counts the readable ones too, `what` is their noun. Raises
    TaskError where all are unreadable.
    """
    if not broken:
        return []
    if len(broken) == total:
        raise option_error("path", f"none of {total:,} {what} can be read; the first: {broken[0]}")
    listed = ", ".join([*broken[:_NAMED], *["…"] * (len(broken) > _NAMED)])
    are = "is" if len(broken) == 1 else "are"
    return [f"{len(broken):,} of {total:,} {what} cannot be read and {are} left out: {listed}"]


@contextmanager
def path_errors(failure: str) -> Iterator[None]:
    """Turns whatever another package raises in the block into a TaskError: `failure`, with the reason in brackets."""
    try:
        yield
    except TaskError:
        raise
    except Exception as error:  # noqa: BLE001 (readers raise anything for a broken file, data sets for no network)
        raise option_error("path", f"{failure} ({reason(error)})") from None


def reason(error: BaseException) -> str:
    """Returns the type of an error and the first line of its message."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
