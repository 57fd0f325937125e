"""The checkpoints of trials: where they are, in the results folder or at its URL."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pyarrow import fs
from ray import tune

from gansearch.search.mirror import PATIENCE, storage_of
from gansearch.store.folder import Folder
from gansearch.store.object_store import Storage, join


def trial_name(number: int) -> str:
    """Return the name of Tune's trial, and of its folder, that has this number in the study."""
    return f"{number:05d}"


def ray_folder(folder: Folder, name: str) -> Path:
    """Return where Tune keeps the checkpoints of its trial of that name; at a URL below it under the same path."""
    return folder.records / "ray" / name


def checkpoints(folder: Folder, name: str) -> list[str]:
    """Return the checkpoints of Tune's trial of that name, newest first; that may have been cut off in writing."""
    path, storage = ray_folder(folder, name), storage_of(folder)
    if storage is None:
        return [str(path) for path in sorted(path.glob("checkpoint_*"), reverse=True)]
    below = path.relative_to(folder.path).as_posix()
    names = {file.removeprefix(f"{below}/").partition("/")[0] for file in storage.files(below)}
    saved = sorted((file for file in names if file.startswith("checkpoint_")), reverse=True)
    return [join(storage.url, f"{below}/{file}") for file in saved]


def own_checkpoints(folder: Folder, saved: Sequence[str]) -> list[str]:
    """Return those of the checkpoints that a journal names which can be the folder's own, where the folder is now.

    A journal may name any file, and any URL.
    """
    found = (re.search(r"trials/ray/([0-9]{5,9})/(checkpoint_[0-9]+)(\?.*)?$", str(one)) for one in saved)
    names = [f"{match[1]}/{match[2]}" for match in found if match]
    storage, ray = storage_of(folder), folder.records / "ray"
    if storage is None:
        return [str(ray / name) for name in names]
    return [join(storage.url, f"{ray.relative_to(folder.path).as_posix()}/{name}") for name in names]


@contextmanager
def local_copy(checkpoint: tune.Checkpoint) -> Iterator[str]:
    """Open the folder of Tune's checkpoint: of one at a URL a copy that nobody else has, empty where it cannot be read.

    `as_directory()` has one copy for all workers of a node (Ray 2.60, ray/train/_checkpoint.py): each that asks for it
    writes it anew, while those before it are reading.
    """
    if isinstance(checkpoint.filesystem, fs.LocalFileSystem):
        yield checkpoint.path
        return
    with tempfile.TemporaryDirectory(prefix="gansearch-") as folder:
        with suppress(OSError):  # the storage has logged it
            fs.copy_files(checkpoint.path, folder, source_filesystem=checkpoint.filesystem, use_threads=False)
        yield folder


def forget(folder: Folder, checkpoint: str | Path) -> None:
    """Remove a checkpoint, or a folder of them."""
    storage = storage_of(folder)
    if storage is None:
        shutil.rmtree(checkpoint, ignore_errors=True)
        return
    path = Storage(checkpoint).path if isinstance(checkpoint, str) else _below(storage, folder, checkpoint)
    with suppress(OSError):  # there is none
        storage.delete_dir(path)


def storage_options(folder: Folder) -> dict[str, Any]:
    """Return where Tune keeps checkpoints, as options of tune.RunConfig."""
    storage = storage_of(folder)
    if storage is None:
        return {"storage_path": str(folder.records)}
    patient = fs.PyFileSystem(Storage(storage.url, PATIENCE))
    return {"storage_path": _below(storage, folder, folder.records), "storage_filesystem": patient}


def _below(storage: Storage, folder: Folder, path: Path) -> str:
    return f"{storage.path}/{path.relative_to(folder.path).as_posix()}"
