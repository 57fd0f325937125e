"""Reads points from files of numbers: .npy, .npz, .pt, and the tables .csv and .parquet."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gansearch.gan.options import option_error
from gansearch.gan.readers.files import LEAST, need, one_file, path_errors

MOST_BYTES = 2**33
"""Of an array, unpacked."""
_OBJECTS = "holds Python objects, which are not loaded, as they may run any program; save an array of numbers alone"


class Points(NamedTuple):
    """Points of a file, and what the user should know of it."""

    values: np.ndarray
    """(N, D) float64, all finite."""
    warnings: Sequence[str] = ()
    files: Callable[[np.ndarray], dict[str, bytes]] = lambda samples: {}
    """Files, by name, that hold (M, D) points as the file has them; {} of arrays."""


def read_points(path: str) -> Points:
    """Returns the points of a file. Rows with a number missing or infinite are left out, with a warning.

    Raises TaskError where there is no such file, or where it holds anything but numbers.
    """
    file = one_file(path, tuple(_READERS))
    with path_errors(f"{file} cannot be read"):
        values, warnings, files = _READERS[file.suffix.lower()](file)
        if values.ndim == 1:
            values = values[:, None]
        if values.ndim != 2 or values.dtype.kind not in "iuf" or not values.shape[1]:
            what = f"{values.dtype} of shape {values.shape}"
            raise option_error("path", f"{file} holds {what}; points are real numbers of shape (N, D)")
        _check_size(file, 8 * values.size)
        points = values.astype(np.float64)
    finite = np.isfinite(points).all(1)
    lies = "a point is a row: transpose the array" if len(points) < LEAST <= points.shape[1] else "add some"
    need(int(finite.sum()), f"points of {file} have all numbers", lies)
    if missing := len(points) - int(finite.sum()):
        what = f"{missing:,} of {len(points):,} rows of {file} have a number missing or infinite and are left out"
        warnings = [*warnings, what]
    return Points(points[finite], warnings, files)


def _check_size(file: Path, count: int) -> None:
    if count > MOST_BYTES:
        raise option_error("path", f"{file} holds {count:,} bytes of numbers, but {MOST_BYTES:,} are the most")


def _numpy(file: Path) -> Points:
    try:
        if file.suffix.lower() == ".npz":
            with zipfile.ZipFile(file) as archive:
                _check_size(file, sum(member.file_size for member in archive.infolist()))
        loaded = np.load(file, "r", allow_pickle=False)  # mapped: a file that is shorter than it says takes no memory
        if isinstance(loaded, np.ndarray):
            return Points(loaded)
        with loaded as arrays:
            if len(arrays.files) != 1:
                names = ", ".join(arrays.files) or "none"
                raise option_error("path", f"{file} holds {len(arrays.files)} arrays ({names}); save the points alone")
            return Points(arrays[arrays.files[0]])
    except ValueError as error:
        if "object" in str(error).lower() or "pickle" in str(error).lower():
            raise option_error("path", f"{file} {_OBJECTS}") from None
        raise


def _torch(file: Path) -> Points:
    import torch

    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise option_error("path", f"{file} {_OBJECTS}") from None
    if not isinstance(loaded, torch.Tensor):
        raise option_error("path", f"{file} holds a {type(loaded).__name__}; save the tensor of the points alone")
    loaded = loaded.detach()
    return Points((loaded.double() if loaded.is_floating_point() else loaded).numpy())


def _table(file: Path) -> Points:
    import pandas as pd

    from gansearch.gan.readers.tables import read_table  # pandas takes a second to import

    table = read_table(str(file))
    frame, warnings = table.frame, [text for text in table.warnings if "holds no names" not in text]  # none are needed
    counting = [
        str(name)
        for name in frame
        if str(name).startswith("Unnamed: ") and frame[name].notna().all() and _counts(frame[name].to_numpy(object))
    ]
    if counting and len(counting) < len(frame.columns):
        frame = frame.drop(columns=counting)
        warnings.append(f"{file}: a column without a name counts the rows and is left out: {', '.join(counting)}")
    others = [str(name) for name, kind in frame.dtypes.items() if kind.kind not in "iuf"]
    if others:
        raise option_error("path", f"{file}: not numbers: {', '.join(others[:5])}; leave these columns out of the file")
    whole = [str(name) for name, kind in frame.dtypes.items() if kind.kind in "iu"]

    def files(samples: np.ndarray) -> dict[str, bytes]:
        made = pd.DataFrame(samples.astype(np.float64), columns=frame.columns)
        made[whole] = made[whole].round().astype(np.int64)
        for name in counting:
            made[name] = np.arange(len(made)) + int(table.frame[name].iloc[0])
        return table.files(made[table.frame.columns])

    return Points(frame.to_numpy(np.float64, na_value=np.nan), warnings, files)


def _counts(values: np.ndarray) -> bool:
    """Whether values are 0, 1, 2 and so on, or 1, 2, 3."""
    return any(bool((values == np.arange(first, first + len(values))).all()) for first in (0, 1))


_READERS = {".npy": _numpy, ".npz": _numpy, ".pt": _torch, ".csv": _table, ".parquet": _table}
