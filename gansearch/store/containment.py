"""The one place that decides what is opened of a results folder, an archive or a bucket, and how much of it.

Any of these may have been made by a stranger. What it says about where is never believed: names stay inside the
folder, without links, absolute paths and dots; and what it says about how much is not either: sizes are bounded.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

TEXT_BYTES = 2**26
"""The most that a file of JSON may hold: 64 MB."""
SETTINGS_BYTES = 2**20
"""The most that an experiment's file may hold: YAML takes a second for each MB."""
FILE_BYTES = 2**30
"""The most that any file of results may hold: 1 GB."""
FOLDER_BYTES, FOLDER_FILES = 2**34, 10**6
"""The most that is brought of a whole folder: 16 GB, and a million files."""


class Refused(OSError):
    """A name leads out of its folder, or a file is a link, no file at all, or larger than it may be."""


def inside(folder: Path, name: str) -> Path:
    """Return the path of a name below a folder, such as trials/00003/result.json.

    Raises:
        Refused: The name is absolute, has dots or control characters, or leads through a link.
    """
    path = folder
    for part in name.split("/"):
        if part in ("", ".", "..") or re.search(r"[\\\x00-\x1f\x7f]", part):
            raise Refused(f"{name!r} is no file of a results folder")
        path /= part
        if path.is_symlink():
            raise Refused(f"{path} is a link, which may lead anywhere")
    return path


def open_file(path: Path, most: int = FILE_BYTES) -> BinaryIO:
    """Open a file to read it.

    Raises:
        Refused: It is a link, a pipe or a device, or has more than `most` bytes.
        OSError: It cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise Refused(f"{path} is a link, which may lead anywhere") from None
    file = os.fdopen(descriptor, "rb")
    state = os.fstat(descriptor)
    wrong = "" if stat.S_ISREG(state.st_mode) else "is no regular file"
    if wrong or state.st_size > most:
        file.close()
        raise Refused(f"{path} {wrong or f'has {state.st_size / 1e6:,.0f} MB; at most {most / 1e6:,.0f} are read'}")
    return file


def read_text(path: Path, most: int = TEXT_BYTES) -> str:
    """Return the text of a file. Raises OSError, and ValueError where it is no UTF-8."""
    with open_file(path, most) as file:
        return file.read().decode()


def links(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Yield the links, pipes and devices in a folder, and below it to a depth; a negative one is no limit."""
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from links(Path(entry.path), depth - 1)
        elif not entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def check_amount(sizes: Collection[int], source: str) -> None:
    """Raise Refused where these sizes of files in bytes are of more than a results folder holds."""
    if len(sizes) > FOLDER_FILES or sum(sizes) > FOLDER_BYTES:
        raise Refused(
            f"{source}: {len(sizes):,} files of {sum(sizes) / 1e9:,.1f} GB; at most {FOLDER_FILES:,} of "
            f"{FOLDER_BYTES / 1e9:,.0f} GB are brought"
        )
