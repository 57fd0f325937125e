"""Decoded data on the disk: written once, then mapped into memory by every process that trains on it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
import platformdirs
from filelock import FileLock

from gansearch.gan.readers.copies import copies_of, groups_of
from gansearch.gan.task import TaskError

Source = TypeVar("Source")
Result = TypeVar("Result")


class Filled(NamedTuple):
    """What was written besides the samples' bytes."""

    shape: tuple[int, ...]
    """Of one sample."""
    warnings: list[str]
    left_out: Sequence[int] = ()
    """Numbers of the sources, such as files, of which nothing was written."""


Fill = Callable[[BinaryIO], Filled]
"""Writes the bytes of all samples into a file."""
FOLDER = "GANSEARCH_CACHE"
"""The environment variable that names the cache's folder."""
FindCopies = Callable[[np.ndarray], dict[int, int]]
"""Finds the numbers of samples that belong to an earlier one, each with that one's number."""
_FORMAT = 5
"""Version of the files' content. A change of what readers write needs a new one, or older files would be used."""


def cache_folder() -> Path:
    """Returns the folder of decoded data: GANSEARCH_CACHE, or the user's cache folder. It may be deleted any time."""
    return Path(os.environ.get(FOLDER) or platformdirs.user_cache_dir("gansearch"))


class Decoded(NamedTuple):
    """What files hold, and what the user should know of them."""

    samples: np.ndarray
    """(N, ...), memory-mapped."""
    warnings: list[str]
    groups: np.ndarray | None = None
    """(N,) numbers, the same for a sample and its copies; None where there are no copies."""
    left_out: Sequence[int] = ()
    """Numbers of the sources that have no sample."""


def cached(
    name: str, files: Iterable[Path], options: Any, dtype: str, fill: Fill, copies: FindCopies = copies_of
) -> Decoded:
    """Returns the (N, ...) samples that `fill` writes, its warnings, and the groups of those that are `copies`.

    `fill` is called where no process has done so for the same `options`, JSON, and source `files` of the same path,
    size and time. What is written into the returned array stays in this process. Raises TaskError where the cache
    cannot be written; what `fill` raises leaves nothing in it.
    """
    sources = [_stamp(file) for file in files]
    key = hashlib.sha256(json.dumps([_FORMAT, sources, options]).encode()).hexdigest()[:20]
    samples, facts = (cache_folder() / f"{name}-{key}{kind}" for kind in (".bin", ".json"))
    try:
        found = _found(samples, facts, dtype)
        if found is None:
            samples.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(samples.with_suffix(".lock")):  # one process decodes, the others of the machine wait
                found = _found(samples, facts, dtype)
                if found is None:
                    _write(samples, facts, dtype, fill, copies)
                    found = _found(samples, facts, dtype)
        if found is None:
            raise OSError("it does not keep what is written")
        return found
    except OSError as error:
        why = error.strerror or error
        raise TaskError(
            f"{samples.parent}: cannot hold decoded data ({why}); name another folder in {FOLDER}"
        ) from None


def _found(samples: Path, facts: Path, dtype: str) -> Decoded | None:
    """What the cache holds; None where it holds nothing, or what it holds is damaged."""
    try:
        shape, warnings, copies, left_out = json.loads(facts.read_text(encoding="utf-8"))
        decoded = np.memmap(samples, dtype, "c").reshape(-1, *shape)
        groups = groups_of(len(decoded), {int(copy): first for copy, first in copies.items()})
        return Decoded(decoded, warnings, groups, [int(number) for number in left_out])
    except (FileNotFoundError, ValueError, TypeError, AttributeError, IndexError):
        return None


def _stamp(file: Path) -> list[Any]:
    """What changes when a file does. One that is gone by now is left to the reader."""
    try:
        stat = file.stat()
    except OSError as error:
        return [str(file.absolute()), error.errno]
    return [str(file.absolute()), stat.st_size, stat.st_mtime_ns]


def on_all_cores(decode: Callable[[Source], Result], sources: Sequence[Source], at_once: int) -> Iterator[Result]:
    """Yields what `decode` returns for each source, in order, by a thread per core; at most `at_once` results wait."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(sources), at_once):
            yield from pool.map(decode, sources[start : start + at_once])


def _write(samples: Path, facts: Path, dtype: str, fill: Fill, find: FindCopies) -> None:
    partial = samples.with_name(f".{samples.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            filled = fill(file)
        copies = find(np.memmap(partial, dtype, "r").reshape(-1, *filled.shape))
        facts.write_text(json.dumps([filled.shape, filled.warnings, copies, filled.left_out]), encoding="utf-8")
        partial.replace(samples)  # last, so that samples always have their facts
    finally:
        partial.unlink(missing_ok=True)
