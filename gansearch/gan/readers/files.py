"""Finds a user's files, and says in one line what is wrong with a path or with a file."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gansearch.experiment import suggest
from gansearch.experiment.paths import expanded
from gansearch.formatting import printable
from gansearch.gan.options import option_error
from gansearch.gan.readers.walk import is_file, listed, walk
from gansearch.gan.task import TaskError

LEAST = 50
"""Samples that a task needs at least: a fifth is held out, and fewer than ten of those measure nothing."""


class Files(NamedTuple):
    """Files to be read, and what the user should know of others beside them."""

    paths: list[Path]
    warnings: list[str]


def files_of(path: str, endings: Sequence[str]) -> Files:
    """Returns the file at `path`, or the files with these endings in a folder and its subfolders, sorted.

    Hidden files and folders are left out, and no folder is read twice, whatever links lead to it. Raises TaskError
    where there are none.
    """
    allowed = " or ".join(filter(None, [", ".join(endings[:-1]), endings[-1]]))
    if not path:
        raise option_error("path", f"is missing; name a {allowed} file, or a folder of them")
    start = expanded(path)
    if is_file(start):
        if start.suffix.lower() not in endings:
            raise option_error("path", f"{start} is no {allowed} file")
        return Files([start], [])
    _check_folder(start)
    below = walk(start)
    chosen = [file for file in below.files if file.suffix.lower() in endings]
    warnings = below.passed_over(start, endings)
    if not chosen:
        others = Counter(file.suffix.lower() or "other" for file in below.files).most_common(3)
        holds = ", but " + ", ".join(f"{count} {ending}" for ending, count in others) if others else ""
        why = "; ".join([holds, *warnings]) if others or warnings else "; it is empty"
        raise option_error("path", f"{start} holds no {allowed} files{why}")
    lost = [f"{file.relative_to(start)} ({_fault(file)})" for file in chosen if not is_file(file)]
    there = [file for file in chosen if is_file(file)] if lost else chosen
    return Files(there, [*unreadable(lost, len(chosen), f"files below {start}"), *warnings])


def one_file(path: str, endings: Sequence[str]) -> Path:
    """Returns the file at `path`, or the only one of a folder. Raises TaskError where there are none or several."""
    files = files_of(path, endings).paths
    if len(files) > 1:
        raise option_error("path", f"{path} holds {len(files)} files; name one of them, such as {files[0]}")
    return files[0]


def _check_folder(start: Path) -> None:
    """Raises TaskError where there is no folder."""
    try:
        if stat.S_ISDIR(start.stat().st_mode):
            return
        problem = f"{start} is {_fault(start)}"
    except FileNotFoundError:
        beside = [one.name for one in start.parent.iterdir()] if start.parent.is_dir() else []
        problem = f"there is no {start}{suggest(start.name, beside)}"
        if start.is_symlink():
            problem = f"{start} is {_fault(start)}"
    except (OSError, ValueError) as error:
        problem = f"{start} cannot be read ({short_reason(error)})"
    raise option_error("path", problem)


def _fault(file: Path) -> str:
    """What is wrong with what is no regular file."""
    return f"a link that leads nowhere, to {file.readlink()}" if file.is_symlink() else "no regular file"


def is_empty(file: Path) -> bool:
    """Returns whether a file has no bytes, as an interrupted download leaves it."""
    return is_file(file) and not file.stat().st_size


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
        raise option_error("path", f"none of {total:,} {what} can be read; the first: {printable(broken[0])}")
    are = "is" if len(broken) == 1 else "are"
    return [f"{len(broken):,} of {total:,} {what} cannot be read and {are} left out: {listed(broken)}"]


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
    return printable(": ".join([type(error).__name__, *str(error).splitlines()[:1]]))


def short_reason(error: BaseException) -> str:
    """Returns the first line of an error's message, without the path that an OSError repeats."""
    text = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return printable(text.splitlines()[0])
