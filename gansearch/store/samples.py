"""Samples that were kept for people to look at, and what they are: images, points, sounds, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.store.folder import Folder, write_array, write_whole
from gansearch.store.nan_json import from_json, to_json

_MOST_RATE = 384_000
"""Samples a second that a sound card may have."""


@dataclass(frozen=True)
class Kept:
    """(N, ...) samples with what their task's `shown` said of them; {} where it said nothing."""

    array: np.ndarray
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """image, points, audio, text or table: what was said where that is possible, else by the shape; else ""."""
        said = self.shown.get("kind")
        possible = isinstance(said, str) and said in _POSSIBLE and _POSSIBLE[said](self)
        return str(said) if possible else _by_shape(self.array)

    @property
    def rate(self) -> int:
        """Of sounds, samples a second."""
        return round(self.shown["rate"])

    @property
    def texts(self) -> list[str]:
        return [str(text) for text in self.shown["texts"]]

    @property
    def columns(self) -> list[str]:
        return [str(name) for name in self.shown["columns"]]

    @property
    def rows(self) -> list[list[Any]]:
        """Of a table, as long as its columns."""
        return [list(row) for row in self.shown["rows"]]


def write_samples(folder: Folder, number: int, array: np.ndarray, shown: Mapping[str, Any]) -> None:
    """Keeps (N, ...) fakes of a trial's first seed in data units, and how its task shows them."""
    write_array(folder.record(number) / "samples.npy", array)
    write_whole(folder.record(number) / "samples.json", to_json(shown))


def read_samples(folder: Folder, number: int | None, confirmed: bool = False) -> np.ndarray | None:
    """(N, ...) fakes of a trial's first seed in data units, or of the first one that confirmed it; None without any.

    With `number` None those of the default settings, which have no trial.
    """
    name = "samples.npy" if not confirmed else "confirmed.npy"
    try:
        return np.load(folder.record(number) / name, allow_pickle=False)
    except (OSError, ValueError):
        return None


def read_kept(folder: Folder, number: int | None, confirmed: bool = False) -> Kept | None:
    """The fakes that `read_samples` finds, and how they are shown; None where none were kept."""
    array = read_samples(folder, number, confirmed)
    name = "confirmed.json" if confirmed else "samples.json"
    return None if array is None else Kept(array, _read_shown(folder.record(number) / name))


def write_real(folder: Folder, array: np.ndarray, shown: dict[str, Any]) -> None:
    """Keeps (N, ...) held-out reals beside which all trials' fakes are shown; once a sweep."""
    if not folder.real.is_file():
        write_whole(folder.real.with_suffix(".json"), to_json(shown))
        write_array(folder.real, array)


def read_real(folder: Folder) -> Kept | None:
    """The held-out reals, or None where none were kept."""
    try:
        array = np.load(folder.real, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return Kept(array, _read_shown(folder.real.with_suffix(".json")))


def _read_shown(path: Path) -> dict[str, Any]:
    try:
        shown = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return shown if isinstance(shown, dict) else {}


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


def _are_sounds(kept: Kept) -> bool:
    rate = kept.shown.get("rate")
    audible = isinstance(rate, int | float) and 1 <= rate <= _MOST_RATE
    return audible and kept.array.ndim in (2, 3) and kept.array.size > 0


def _is_table(kept: Kept) -> bool:
    columns, rows = kept.shown.get("columns"), kept.shown.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list) or not columns:
        return False
    return all(isinstance(row, list) and len(row) == len(columns) for row in rows)


_POSSIBLE = {
    "image": lambda kept: _are_images(kept.array),
    "points": lambda kept: _are_points(kept.array),
    "audio": _are_sounds,
    "text": lambda kept: isinstance(kept.shown.get("texts"), list),
    "table": _is_table,
}
