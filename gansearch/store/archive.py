"""A results folder as lines of text, in parts, for its way back through the log of a job.

    python -m gansearch.store.archive FOLDER MTIME NAME

prints what has changed after the file NAME, which was written at MTIME (ns), oldest first. It imports the standard
library and no more of ours than the bounds, so that it starts at once.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gansearch.store.containment import FILE_BYTES

MARK = "gansearch: "
"""Begins each line of an archive; a job prints other lines too."""
RECORDS_LOG = "trials/records.jsonl"
"""The file of `gansearch.store.repair`, named here because this module imports nothing of ours."""
LIMIT = 32 * 2**20
"""Bytes of text after which the rest is left to the next call."""


def pack(folder: Path, after: tuple[int, str], limit: int = LIMIT) -> Iterator[str]:
    """Yield a line for each file, {"name", "mtime", "data"}, and last {"left": the number of files that remain}.

    The only line is {"missing": the folder} where there is none.
    """
    if not folder.is_dir():
        yield MARK + json.dumps({"missing": str(folder)})
        return
    files = ((status.st_mtime_ns, name) for name, status in results(folder))
    waiting = sorted(file for file in files if file > after)
    printed = done = 0
    for mtime, name in waiting:
        if printed > limit:
            break
        done += 1
        try:
            data = base64.b64encode(zlib.compress((folder / name).read_bytes())).decode()
        except OSError:  # removed meanwhile
            continue
        yield MARK + json.dumps({"name": name, "mtime": mtime, "data": data})
        printed += len(data)
    yield MARK + json.dumps({"left": len(waiting) - done})


def unpack(text: str, most: int = FILE_BYTES) -> Iterator[dict]:
    """Yield the lines of `pack` in a text; "data" is bytes.

    Raises ValueError where a line is none of `pack`'s, or a file has more than `most` bytes.
    """
    for line in text.splitlines():
        if line.startswith(MARK):
            try:
                yield _entry(json.loads(line.removeprefix(MARK)), most)
            except (LookupError, TypeError, ArithmeticError, RecursionError, zlib.error) as error:
                raise ValueError(f"not a line of an archive: {error}") from None


def _entry(line: dict, most: int) -> dict:
    """Return a line's data with the types that they should have."""
    if "missing" in line:
        return {"missing": str(line["missing"])}
    if "left" in line:
        return {"left": int(line["left"])}
    inflating = zlib.decompressobj()
    data = inflating.decompress(base64.b64decode(line["data"]), most)
    if not inflating.eof:
        raise ValueError(f"{line['name']!r} is cut off, or larger than {most / 1e6:,.0f} MB")
    return {"name": str(line["name"]), "mtime": int(line["mtime"]), "data": data}


def is_result(name: str) -> bool:
    """Whether a file of a results folder is copied: not Ray's own, the log of records, or one that is being written."""
    ours = not name.startswith(("trials/ray/", RECORDS_LOG))
    return ours and not any(part.startswith(".") for part in name.split("/"))


def results(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The files of a results folder that are copied: each name, and what the file system knows of it."""
    for place, folders, names in os.walk(folder):  # which passes over folders that are removed meanwhile
        inside = Path(place).relative_to(folder)
        folders[:] = [name for name in folders if is_result(f"{(inside / name).as_posix()}/")]
        for path in (folder / inside / name for name in names):
            name = path.relative_to(folder).as_posix()
            with suppress(OSError):
                if is_result(name) and path.is_file() and not path.is_symlink():
                    yield name, path.stat()


if __name__ == "__main__":
    for line in pack(Path(sys.argv[1]), (int(sys.argv[2]), sys.argv[3])):
        print(line)
