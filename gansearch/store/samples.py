"""Samples that are stored for people to look at, and their kind: images, points, sounds, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.store.containment import Refused
from gansearch.store.folder import Folder, StudyError, write_array, write_whole
from gansearch.store.nan_json import read_json, to_json
from gansearch.store.numbers_file import read_array

_MOMENTS = "moments.npy"
_MOST_MOMENTS = 20
"""Moments of a file that are read at most: a training has seven, and some more if its budget grew."""
_MAX_RATE = 384_000
"""Samples a second that a sound card may have."""


@dataclass(frozen=True)
class SampleSet:
    """(N, ...) samples in data units."""

    array: np.ndarray
    display: Mapping[str, Any] = field(default_factory=dict)
    """What the task's `shown` returned for them; empty where it returned nothing."""

    @property
    def kind(self) -> str:
        """One of image, points, audio, text, table: what the task says if the array allows it, else by shape, or ""."""
        said = self.display.get("kind")
        possible = isinstance(said, str) and said in _POSSIBLE and _POSSIBLE[said](self)
        return str(said) if possible else _by_shape(self.array)

    @property
    def rate(self) -> int:
        """Of sounds, samples a second."""
        return round(self.display["rate"])

    @property
    def texts(self) -> list[str]:
        """Of texts, each sample as text."""
        return [str(text) for text in self.display["texts"]]

    @property
    def columns(self) -> list[str]:
        """Of a table, the names of its columns."""
        return [str(name) for name in self.display["columns"]]

    @property
    def rows(self) -> list[list[Any]]:
        """Of a table, its rows."""
        return [list(row) for row in self.display["rows"]]


def write_samples(
    folder: Folder, number: int | None, array: np.ndarray, display: Mapping[str, Any], confirmed: bool = False
) -> None:
    """Write the samples of a trial's first seed, or of the first seed that confirmed it.

    With `number` None they are those of the default settings, which have no trial.
    """
    folder.record(number).mkdir(parents=True, exist_ok=True)
    _write(_path(folder, number, confirmed), array, display)


def read_samples(folder: Folder, number: int | None, confirmed: bool = False) -> SampleSet | None:
    """The samples that `write_samples` has written; None where there are none that can be read."""
    return _read(_path(folder, number, confirmed))


def write_real(folder: Folder, array: np.ndarray, display: Mapping[str, Any], inputs: np.ndarray | None = None) -> None:
    """Write (N, ...) held-out real samples, which are shown beside every trial's; only the first call has an effect.

    With pairs they are the targets of (N, ...) `inputs`, which each trial's samples were made of in the same order.
    """
    if folder.real.is_file():
        return
    if inputs is not None:
        write_array(folder.inputs, inputs)
    _write(folder.real, array, display)


def read_real(folder: Folder) -> SampleSet | None:
    """The held-out real samples; None where there are none that can be read."""
    return _read(folder.real)


def read_inputs(folder: Folder) -> np.ndarray | None:
    """The inputs of the held-out real samples; None without pairs."""
    found = _read(folder.inputs)
    return None if found is None else found.array


def write_moments(folder: Path, updates: Sequence[int], array: np.ndarray, display: Mapping[str, Any]) -> None:
    """Write (M, K, ...) samples of the same latents after M numbers of updates, into a trial's folder or a seed's.

    Nothing is written of what is no picture and no points.
    """
    if len(array) and SampleSet(array[0], display).kind in ("image", "points"):
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / _MOMENTS, array, {"updates": list(updates), "display": display})


def read_moments(folder: Path) -> dict[int, SampleSet]:
    """What `write_moments` has written, by the number of updates; {} where there is nothing that can be read."""
    found = _read(folder / _MOMENTS)
    updates, display = ((found and found.display.get(name)) for name in ("updates", "display"))
    if found is None or not isinstance(updates, list) or not isinstance(display, dict) or found.array.ndim < 2:
        return {}
    pairs = zip(updates[:_MOST_MOMENTS], found.array, strict=False)
    return {update: SampleSet(array, display) for update, array in pairs if type(update) is int}


def _path(folder: Folder, number: int | None, confirmed: bool) -> Path:
    return folder.record(number) / ("confirmed.npy" if confirmed else "samples.npy")


def _write(path: Path, array: np.ndarray, display: Mapping[str, Any]) -> None:
    """The array comes last: samples are there if it is."""
    write_whole(path.with_suffix(".json"), to_json(display))
    write_array(path, array)


def _read(path: Path) -> SampleSet | None:
    try:
        array = read_array(path)
    except Refused as refused:
        raise StudyError(str(refused)) from None
    except (OSError, ValueError):
        return None
    if array.ndim == 0:
        return None
    display = read_json(path.with_suffix(".json"))
    return SampleSet(array, display if isinstance(display, dict) else {})


def _by_shape(array: np.ndarray) -> str:
    if _are_images(array):
        return "image"
    return "points" if _are_points(array) and array.shape[1] == 2 else ""


def _are_images(array: np.ndarray) -> bool:
    """(N, H, W), (N, 1, H, W) or (N, 3, H, W); a side below 4 is a sequence, not an image."""
    one = array.shape[1:]
    return len(array) > 0 and min(one[-2:], default=0) >= 4 and (len(one) == 2 or (len(one) == 3 and one[0] in (1, 3)))


def _are_points(array: np.ndarray) -> bool:
    return array.ndim == 2 and array.shape[1] > 0 and bool(np.isfinite(array).all(1).any())


def _are_sounds(samples: SampleSet) -> bool:
    rate = samples.display.get("rate")
    audible = isinstance(rate, int | float) and 1 <= rate <= _MAX_RATE
    return audible and samples.array.ndim in (2, 3) and samples.array.size > 0


def _is_table(samples: SampleSet) -> bool:
    columns, rows = samples.display.get("columns"), samples.display.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns:
        return False
    return all(isinstance(row, list) and len(row) == len(columns) for row in rows)


_POSSIBLE = {
    "image": lambda samples: _are_images(samples.array),
    "points": lambda samples: _are_points(samples.array),
    "audio": _are_sounds,
    "text": lambda samples: isinstance(samples.display.get("texts"), list),
    "table": _is_table,
}
"""Whether samples can be of a kind."""
