"""Decoded data on the disk: made once, then mapped into memory by every process that trains on them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import platformdirs
from filelock import FileLock

from gansearch.gan.task import TaskError

Source = TypeVar("Source")
Decoded = TypeVar("Decoded")
FOLDER = "GANSEARCH_CACHE"
"""The environment variable that names the cache's folder."""


def cache_folder() -> Path:
    """Where decoded data lie: the user's own cache folder, or what GANSEARCH_CACHE says. May be deleted at any time."""
    return Path(os.environ.get(FOLDER) or platformdirs.user_cache_dir("gansearch"))


def cached(
    name: str, files: Iterable[Path], options: Any, fill: Callable[[Path], dict[str, Any]]
) -> tuple[np.ndarray, dict[str, Any]]:
    """The array that `fill` writes into the .npy file that it is given, memory-mapped, and the facts it returns, JSON.

    Made anew where one of the source `files` has another size or time, or the `options`, JSON, differ. What is
    written into the mapped array stays in this process. Raises TaskError where the folder cannot be written; what
    `fill` raises leaves nothing behind.
    """
    said = [[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files]
    key = hashlib.sha256(json.dumps([said, options]).encode()).hexdigest()[:20]
    array, facts = (cache_folder() / f"{name}-{key}{kind}" for kind in (".npy", ".json"))
    try:
        if not array.is_file():
            array.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(array.with_suffix(".lock")):  # one process decodes, the others of the machine wait for it
                if not array.is_file():
                    _make(array, facts, fill)
        return np.load(array, mmap_mode="c"), json.loads(facts.read_text(encoding="utf-8"))
    except OSError as error:
        where, reason = array.parent, error.strerror or error
        raise TaskError(
            f"{where}: decoded data cannot be kept there ({reason}); name another folder in {FOLDER}"
        ) from None


def on_all_cores(decode: Callable[[Source], Decoded], sources: Sequence[Source], at_once: int) -> Iterator[Decoded]:
    """What `decode` makes of each source, in order, by a thread on every core; at most so many wait to be taken."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(sources), at_once):
            yield from pool.map(decode, sources[start : start + at_once])


def new_array(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """An array in a new .npy file, memory-mapped, to be filled. Raises OSError where the disk has no room for it."""
    array = np.lib.format.open_memmap(path, "w+", dtype, shape)
    if hasattr(os, "posix_fallocate"):  # else a full disk would end the process when it is written to
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _make(array: Path, facts: Path, fill: Callable[[Path], dict[str, Any]]) -> None:
    beside = array.with_name(f".{array.name}.{os.getpid()}")
    try:
        found = fill(beside)
        facts.write_text(json.dumps(found), encoding="utf-8")
        beside.replace(array)  # last: an array that is there has its facts
    finally:
        beside.unlink(missing_ok=True)
