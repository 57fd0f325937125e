"""Reads points from files of numbers: .npy, .npz, .csv and .parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gansearch.gan.options import option_error
from gansearch.gan.readers.files import need, one_file, path_errors

if TYPE_CHECKING:
    import pandas as pd


def read_points(path: str) -> tuple[np.ndarray, list[str]]:
    """Returns the (N, D) float64 points of a file, and a warning that counts rows with a number missing or infinite.

    These rows are left out. Raises TaskError where there is no such file, or where it holds anything but numbers.
    """
    file = one_file(path, tuple(_READERS))
    with path_errors(f"{file} cannot be read"):
        values = _READERS[file.suffix.lower()](file)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.dtype.kind not in "iuf" or not values.shape[1]:
        what = f"{values.dtype} of shape {values.shape}"
        raise option_error("path", f"{file} holds {what}; points are real numbers of shape (N, D)")
    points = values.astype(np.float64)
    finite = np.isfinite(points).all(1)
    need(int(finite.sum()), f"points of {file} have all numbers", "add some")
    missing = len(points) - int(finite.sum())
    warning = f"{missing:,} of {len(points):,} rows of {file} have a number missing or infinite and are left out"
    return points[finite], [warning] if missing else []


def _numpy(file: Path) -> np.ndarray:
    loaded = np.load(file, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded as arrays:
        if len(arrays.files) != 1:
            names = ", ".join(arrays.files) or "none"
            raise option_error("path", f"{file} holds {len(arrays.files)} arrays ({names}); save the points alone")
        return arrays[arrays.files[0]]


def _csv(file: Path) -> np.ndarray:
    import pandas as pd

    first = pd.read_csv(file, header=None, nrows=1)
    return _numbers(file, pd.read_csv(file, header=0 if _not_numbers(first) else None))


def _parquet(file: Path) -> np.ndarray:
    import pandas as pd

    return _numbers(file, pd.read_parquet(file))


def _numbers(file: Path, table: pd.DataFrame) -> np.ndarray:
    others = _not_numbers(table)
    if others:
        raise option_error("path", f"{file}: not numbers: {', '.join(others[:5])}; leave these columns out of the file")
    return table.to_numpy(np.float64)


def _not_numbers(table: pd.DataFrame) -> list[str]:
    return [str(name) for name, kind in table.dtypes.items() if kind.kind not in "iuf"]


_READERS = {".npy": _numpy, ".npz": _numpy, ".csv": _csv, ".parquet": _parquet}
