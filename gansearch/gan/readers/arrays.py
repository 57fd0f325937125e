"""Files of numbers as arrays of points: .npy, .npz, .csv and .parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gansearch.gan.readers.files import need
from gansearch.gan.task import TaskError


def read_points(path: Path) -> tuple[np.ndarray, int]:
    """(N, D) float64 points of a file, and how many of its rows were left out for a number missing or infinite.

    Raises TaskError where there is no such file, or something in it that is not numbers.
    """
    if not path.is_file():
        what = "is a folder, not a file of points" if path.is_dir() else "there is no such file"
        raise TaskError(f"task_options.path: {path}: {what}")
    try:
        values = _READERS[path.suffix.lower()](path)
    except KeyError:
        known = ", ".join(_READERS)
        raise TaskError(f'task_options.path: {path}: "{path.suffix}" is not one of {known}') from None
    except TaskError:
        raise
    except Exception as error:  # noqa: BLE001 (readers raise whatever a broken file makes them)
        raise TaskError(f"task_options.path: {path} cannot be read ({str(error).splitlines()[0]})") from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values) or not values.shape[1]:
        raise TaskError(
            f"task_options.path: {path} holds {values.dtype} of shape {values.shape}; points are real numbers, (N, D)"
        )
    points = values.astype(np.float64)
    finite = np.isfinite(points).all(1)
    need(int(finite.sum()), f"points of {path} are whole", "add some")
    return points[finite], int((~finite).sum())


def _npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=False)


def _npz(path: Path) -> np.ndarray:
    with np.load(path, allow_pickle=False) as arrays:
        if len(arrays.files) != 1:
            raise TaskError(
                f"task_options.path: {path} holds {len(arrays.files)} arrays ({', '.join(arrays.files) or 'none'}); "
                "put the points alone into a file"
            )
        return arrays[arrays.files[0]]


def _csv(path: Path) -> np.ndarray:
    import pandas as pd

    table = pd.read_csv(path)
    if all(_is_number(name) for name in table.columns):  # no names, but the first point
        table = pd.read_csv(path, header=None)
    return _numeric(path, table)


def _parquet(path: Path) -> np.ndarray:
    import pandas as pd

    return _numeric(path, pd.read_parquet(path))


def _numeric(path: Path, table: Any) -> np.ndarray:
    others = [str(name) for name, kind in table.dtypes.items() if kind.kind not in "iuf"]
    if others:
        raise TaskError(
            f"task_options.path: {path}: {'column' if len(others) == 1 else 'columns'} {', '.join(others[:5])} "
            f"{'holds' if len(others) == 1 else 'hold'} something else than numbers; leave it out of the file"
        )
    return table.to_numpy(np.float64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_READERS = {".npy": _npy, ".npz": _npz, ".csv": _csv, ".parquet": _parquet}
