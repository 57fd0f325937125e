"""A results folder as lines of text, piece by piece: the way in which it comes back through a job's log.

    python -m gansearch.store.archive FOLDER MTIME NAME

prints what has changed after the file NAME, written at MTIME, oldest first. Standard library alone, so that it starts
at once.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

MARK = "gansearch: "
"""Begins a line that is ours, among whatever else a job may print."""
RECORDS_LOG = "trials/records.jsonl"
"""The file of `gansearch.store.repair`, named here because this module imports nothing of ours."""
LIMIT = 32 * 2**20
"""Bytes of text after which the rest is left for another time."""


def pack(folder: Path, after: tuple[int, str], limit: int = LIMIT) -> Iterator[str]:
    """A line for each file, {"name", "mtime", "data"}, and a last one: {"left": how many files there still are}.

    {"missing": the folder} is the only one where it is not there.
    """
    if not folder.is_dir():
        yield MARK + json.dumps({"missing": str(folder)})
        return
    waiting = sorted(file for file in _files(folder) if file > after)
    printed = done = 0
    for mtime, name in waiting:
        if printed > limit:
            break
        done += 1
        try:
            data = base64.b64encode(zlib.compress((folder / name).read_bytes())).decode()
        except OSError:  # it was removed since
            continue
        yield MARK + json.dumps({"name": name, "mtime": mtime, "data": data})
        printed += len(data)
    yield MARK + json.dumps({"left": len(waiting) - done})


def unpack(text: str) -> Iterator[dict]:
    """The lines of `pack` among others; "data" is bytes."""
    for line in text.splitlines():
        if line.startswith(MARK):
            entry = json.loads(line.removeprefix(MARK))
            if "data" in entry:
                entry["data"] = zlib.decompress(base64.b64decode(entry["data"]))
            yield entry


def is_result(name: str) -> bool:
    """Whether a file of a results folder is one to keep: not Ray's own, no copy, nor one that is being written."""
    ours = not name.startswith(("trials/ray/", RECORDS_LOG))
    return ours and not any(part.startswith(".") for part in name.split("/"))


def _files(folder: Path) -> Iterator[tuple[int, str]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        try:
            if is_result(name) and path.is_file():
                yield path.stat().st_mtime_ns, name
        except OSError:
            continue


if __name__ == "__main__":
    for line in pack(Path(sys.argv[1]), (int(sys.argv[2]), sys.argv[3])):
        print(line)
