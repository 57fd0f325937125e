"""Reads a user's table: a file, or one that comes with scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from gansearch.experiment import suggest
from gansearch.gan.options import option_error
from gansearch.gan.readers.files import need, one_file, path_errors

ENDINGS = (".csv", ".parquet")
BUNDLED = "sklearn:"
_BUNDLED_NAMES = ("breast_cancer", "diabetes", "iris", "wine")


def read_table(path: str, wanted: Sequence[str] | None, separator: str, as_written: bool = True) -> pd.DataFrame:
    """Reads the table at `path`, its `wanted` columns (all by default). Raises TaskError.

    `as_written` keeps apart what pandas would make one: integers with gaps stay integers, and 007 a text.
    """
    frame = _bundled(path.removeprefix(BUNDLED)) if path.startswith(BUNDLED) else _read(path, separator, as_written)
    frame.columns = frame.columns.map(str)
    check_columns(frame, "columns", wanted or [])
    need(len(frame), "rows", "give more rows")
    return frame[list(wanted)] if wanted else frame


def check_columns(frame: pd.DataFrame, option: str, names: Sequence[str]) -> None:
    """Raises TaskError where the table lacks a column that an option names."""
    for name in names:
        if name not in frame.columns:
            hint = suggest(name, frame.columns) or f"; it has {', '.join(frame.columns[:20])}"
            raise option_error(option, f"the table has no column {name!r}{hint}")


def _read(path: str, separator: str, as_written: bool) -> pd.DataFrame:
    file = one_file(path, ENDINGS)
    with path_errors(f"{file} cannot be read"):
        if file.suffix.lower() == ".parquet":
            frame = pd.read_parquet(file)
        else:
            frame = _as_written(file, separator) if as_written else pd.read_csv(file, sep=separator)
    if frame.shape[1] == 1 and any(mark in str(frame.columns[0]) for mark in ";\t|"):
        one = f"a single column in {file}, {str(frame.columns[0])!r}"
        raise option_error("separator", f"{separator!r} finds {one}; name what separates its columns")
    return frame


def _as_written(file: Path, separator: str) -> pd.DataFrame:
    frame = pd.read_csv(file, sep=separator, dtype_backend="numpy_nullable")
    texts = pd.read_csv(file, sep=separator, dtype="string")
    for name in frame:
        if types.is_bool_dtype(frame[name].dtype):
            is_other = not bool(texts[name].dropna().isin(["True", "False"]).all())
        else:
            is_other = types.is_numeric_dtype(frame[name].dtype) and bool(texts[name].str.match(r"[+-]?0\d").any())
        if is_other:
            frame[name] = texts[name]
    return frame


def _bundled(name: str) -> pd.DataFrame:
    from sklearn import datasets

    if name not in _BUNDLED_NAMES:
        hint = suggest(name, _BUNDLED_NAMES) or f"; it has {', '.join(_BUNDLED_NAMES)}"
        raise option_error("path", f"scikit-learn brings no table {name!r}{hint}")
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = bunch.frame
    if "target_names" in bunch:
        frame["target"] = [str(bunch.target_names[code]) for code in frame["target"]]
    return frame


def as_numbers(*frames: pd.DataFrame) -> list[np.ndarray]:
    """(N, C) float64 of frames with the same columns: numbers as they are, others as codes in order; gaps are NaN."""
    together = pd.concat(frames, ignore_index=True)
    columns = []
    for _, values in together.items():
        numbers = pd.to_numeric(values, errors="coerce")
        if (numbers.isna() & values.notna()).any():
            codes, _ = pd.factorize(values.astype("string"), sort=True)
            numbers = pd.Series(codes).replace(-1, np.nan)
        columns.append(numbers.to_numpy(float, na_value=np.nan))
    ends = np.cumsum([len(frame) for frame in frames])
    return np.split(np.stack(columns, 1), ends[:-1])
