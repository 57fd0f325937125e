"""The checkpoints of trials: when one is due, and where they are, in the results folder or at its URL."""

from __future__ import annotations

import io
import math
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pyarrow import fs
from ray import tune

from gansearch.experiment import Checkpoints
from gansearch.search.mirror import PATIENCE, storage_of
from gansearch.store.folder import Folder
from gansearch.store.object_store import Storage, is_url, join

STATE = "state.pt"
"""The file of a checkpoint."""


class Saves:
    """When a trial saves itself: after some time, or some updates, whichever comes first."""

    def __init__(self, checkpoints: Checkpoints, updates: int):
        """Count from now, and from so many updates."""
        self._seconds, self._updates = checkpoints.seconds, checkpoints.updates or math.inf
        self._last = time.monotonic(), updates

    def due(self, updates: int) -> bool:
        """Return whether it is time; then the next time is counted from here."""
        now, (seconds, before) = time.monotonic(), self._last
        if now - seconds < self._seconds and updates - before < self._updates:
            return False
        self._last = now, updates
        return True


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


def forget(folder: Folder, checkpoint: str | Path) -> None:
    """Remove a checkpoint, or a folder of them."""
    storage = storage_of(folder)
    if storage is None:
        shutil.rmtree(checkpoint, ignore_errors=True)
        return
    path = Storage(checkpoint).path if isinstance(checkpoint, str) else _below(storage, folder, checkpoint)
    with suppress(OSError):  # there is none
        storage.delete_dir(path)


def read_state(checkpoint: str | tune.Checkpoint) -> dict[str, Any]:
    """Return what a worker saved, without pickle. Raises whatever a checkpoint that is not whole raises."""
    if isinstance(checkpoint, tune.Checkpoint):
        with checkpoint.as_directory() as folder:
            return read_state(folder)
    file: Any = Path(checkpoint) / STATE
    if is_url(checkpoint):
        file = io.BytesIO(Storage(checkpoint, PATIENCE).read(STATE))
    return dict(torch.load(file, weights_only=True, map_location="cpu"))


def storage_options(folder: Folder) -> dict[str, Any]:
    """Return where Tune keeps checkpoints, as options of tune.RunConfig."""
    storage = storage_of(folder)
    if storage is None:
        return {"storage_path": str(folder.records)}
    patient = fs.PyFileSystem(Storage(storage.url, PATIENCE))
    return {"storage_path": _below(storage, folder, folder.records), "storage_filesystem": patient}


def _below(storage: Storage, folder: Folder, path: Path) -> str:
    return f"{storage.path}/{path.relative_to(folder.path).as_posix()}"
