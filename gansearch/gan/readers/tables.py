"""Reads a user's table: which columns are numbers, which categories, and which cannot be learned."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from gansearch.experiment import suggest
from gansearch.gan.options import option_error
from gansearch.gan.readers.columns import Categorical, Column, Numeric
from gansearch.gan.readers.files import need, one_file, path_errors

ENDINGS = (".csv", ".parquet")
BUNDLED = "sklearn:"
_BUNDLED_NAMES = ("breast_cancer", "diabetes", "iris", "wine")
MOST_CATEGORIES = 50
FEW = 5
"""Different numbers up to which a column is one of categories: ranks of so few are no scale."""


class Frame(NamedTuple):
    """A table without what cannot be learned, and what the user should know of it."""

    rows: pd.DataFrame
    """The columns that are learned, without missing numbers."""
    columns: list[Column]
    warnings: list[str]


def read_table(path: str, wanted: Sequence[str] | None, categorical: Sequence[str], separator: str) -> Frame:
    """Reads the table at `path`, its `wanted` columns (all by default). Raises TaskError that names the column."""
    frame = _bundled(path.removeprefix(BUNDLED)) if path.startswith(BUNDLED) else _read(path, separator)
    frame.columns = frame.columns.map(str)
    for option, names in {"columns": wanted or [], "categorical": categorical}.items():
        for name in names:
            if name not in frame.columns:
                hint = suggest(name, frame.columns) or f"; it has {', '.join(frame.columns[:20])}"
                raise option_error(option, f"the table has no column {name!r}{hint}")
    frame = frame[list(wanted)] if wanted else frame
    notes = []
    constant = [name for name in frame if frame[name].nunique(dropna=False) < 2]
    if constant:
        notes.append(f"columns that always have the same value are left out: {', '.join(map(str, constant))}")
        frame = frame.drop(columns=constant)
    if frame.shape[1] == 0:
        raise option_error("path", f"{path} has no column whose values differ")
    numeric = [str(name) for name in frame if name not in categorical and _is_numeric(str(name), frame[name])]
    finite = frame[numeric].apply(lambda values: np.isfinite(values.to_numpy(float, na_value=np.nan)))
    rows = frame[finite.all(axis=1)]
    if len(rows) < len(frame):
        gaps = ", ".join(name for name in numeric if not finite[name].all())
        notes.append(f"{len(frame) - len(rows)} of {len(frame)} rows lack a number in {gaps} and are left out")
    need(len(rows), f"rows with all numbers, of {len(frame)}", "give more rows, or leave columns with gaps out")
    columns = [(Numeric if name in numeric else Categorical)(str(name), rows[name]) for name in frame]
    return Frame(rows.reset_index(drop=True), columns, notes)


def _is_numeric(name: str, values: pd.Series) -> bool:
    """Whether a column holds numbers, not categories. Raises TaskError for what is neither."""
    different = values.nunique()
    if types.is_bool_dtype(values.dtype):
        return False
    if types.is_numeric_dtype(values.dtype) and not types.is_complex_dtype(values.dtype):
        return different > FEW
    problem = ""
    strays = values[pd.to_numeric(values, errors="coerce").isna() & values.notna()]
    if _are_dates(values):
        problem = "dates, which cannot be learned; leave it out, or write numbers (year, hours since ...)"
    elif different > FEW and len(strays) < len(values) / 10:
        stray = f"{len(strays)} texts such as {strays.iloc[0]!r}"
        problem = f"numbers but for {stray}; leave these empty where the number is missing, or learn other columns"
    elif different > MOST_CATEGORIES:
        problem = f"{different} different texts, and at most {MOST_CATEGORIES} can be learned; learn other columns"
    if problem:
        raise option_error("columns", f"{name!r} holds {problem}")
    return False


def _are_dates(values: pd.Series) -> bool:
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        return True
    some = values.dropna().head(100).astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that pandas has to guess the format
        dates = pd.to_datetime(some, errors="coerce", format="mixed")
    return len(some) > 0 and bool(dates.notna().all()) and bool(some.str.contains(r"\d[-/.]\w+[-/.]\d").all())


def _read(path: str, separator: str) -> pd.DataFrame:
    file = one_file(path, ENDINGS)
    with path_errors(f"{file} cannot be read"):
        frame = pd.read_parquet(file) if file.suffix.lower() == ".parquet" else pd.read_csv(file, sep=separator)
    if frame.shape[1] == 1 and any(mark in str(frame.columns[0]) for mark in ";\t|"):
        one = f"a single column in {file}, {str(frame.columns[0])!r}"
        raise option_error("separator", f"{separator!r} finds {one}; name what separates its columns")
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
