"""A user's table, read and looked through: which columns are numbers, which categories, and what cannot be used."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gansearch.gan.readers.columns import Categorical, Column, Numeric
from gansearch.gan.readers.files import files_of, need
from gansearch.gan.task import TaskError

ENDINGS = (".csv", ".parquet")
BUNDLED = "sklearn:"
MOST_CATEGORIES = 50
FEW = 5
"""Different numbers of a column of numbers that is taken for one of categories: ranks of so few are no scale."""


class Frame(NamedTuple):
    rows: pd.DataFrame
    """The columns that are learned, without missing numbers."""
    columns: list[Column]
    warnings: list[str]


def read_table(path: str, wanted: Sequence[str] | None, categorical: Sequence[str], separator: str) -> Frame:
    """The table at `path`, its `wanted` columns (all by default). Raises TaskError that names the column."""
    frame = _bundled(path.removeprefix(BUNDLED)) if path.startswith(BUNDLED) else _of_file(path, separator)
    frame.columns = [str(name) for name in frame.columns]
    for option, names in {"columns": wanted or [], "categorical": categorical}.items():
        for name in names:
            if name not in frame.columns:
                raise TaskError(
                    f"task_options.{option}: the table has no column {name!r}{_hint(name, list(frame.columns))}"
                )
    frame = frame[list(wanted)] if wanted else frame
    told: list[str] = []
    constant = [str(name) for name in frame if frame[name].nunique(dropna=False) < 2]
    if constant:
        left = "is left out" if len(constant) == 1 else "are left out"
        told.append(f"{_names(constant)} always the same value, and {left}")
        frame = frame.drop(columns=constant)
    if frame.shape[1] == 0:
        raise TaskError(f"task_options.path: {path} has no column whose values differ")
    numeric = [str(name) for name in frame if name not in categorical and _is_numeric(str(name), frame[name])]
    numbers = {name: frame[name].to_numpy(float, na_value=np.nan) for name in numeric}
    finite = pd.DataFrame({name: np.isfinite(values) for name, values in numbers.items()}, frame.index)
    whole = frame[finite.all(axis=1)]
    if len(whole) < len(frame):
        gaps = [name for name in numeric if not finite[name].all()]
        told.append(f"{len(frame) - len(whole)} of {len(frame)} rows lack a number in {', '.join(gaps)}; left out")
    need(len(whole), f"rows with all numbers, of {len(frame)}", "give more rows, or leave columns with gaps out")
    columns: list[Column] = []
    for name in map(str, frame):
        columns.append((Numeric if name in numeric else Categorical)(name, whole[name]))
    return Frame(whole.reset_index(drop=True), columns, told)


def _is_numeric(name: str, values: pd.Series) -> bool:
    """Whether a column holds numbers, not categories. Raises TaskError for what is neither."""
    kind, different = values.dtype, values.nunique()
    if pd.api.types.is_bool_dtype(kind):
        return False
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return different > FEW
    if _are_dates(values):
        raise TaskError(
            f"task_options.columns: {name!r} holds dates, which cannot be learned as they are; leave it out, "
            "or write what matters of it as numbers (year, hours since ...)"
        )
    strays = values[pd.to_numeric(values, errors="coerce").isna() & values.notna()]
    if different > FEW and len(strays) < len(values) / 10:
        raise TaskError(
            f"task_options.columns: {name!r} holds numbers but for {len(strays)} texts such as {strays.iloc[0]!r}; "
            "leave them empty where they mean that the number is missing, or name the columns to learn without it"
        )
    if different > MOST_CATEGORIES:
        raise TaskError(
            f"task_options.columns: {name!r} holds {different} different texts, and at most {MOST_CATEGORIES} "
            f"categories can be learned; name the columns to learn without it"
        )
    return False


def _are_dates(values: pd.Series) -> bool:
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind in "mM":
        return True
    some = values.dropna().head(100).astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it has to guess the format
        dates = pd.to_datetime(some, errors="coerce", format="mixed")
    return len(some) > 0 and bool(dates.notna().all()) and bool(some.str.contains(r"\d[-/.]\w+[-/.]\d").all())


def _of_file(path: str, separator: str) -> pd.DataFrame:
    files = files_of(path, ENDINGS)
    if len(files) > 1:
        raise TaskError(f"task_options.path: {path} holds {len(files)} tables; name one of them, such as {files[0]}")
    (file,) = files
    try:
        frame = pd.read_parquet(file) if file.suffix.lower() == ".parquet" else pd.read_csv(file, sep=separator)
    except (OSError, ValueError) as error:  # of pyarrow and of pandas; a text that is not UTF-8 as well
        raise TaskError(f"task_options.path: {file} cannot be read: {str(error).splitlines()[0]}") from None
    if frame.shape[1] == 1 and any(mark in str(frame.columns[0]) for mark in ";\t|"):
        raise TaskError(
            f"task_options.separator: {separator!r} finds a single column in {file}, "
            f"{str(frame.columns[0])!r}; name what stands between its columns"
        )
    return frame


def _bundled(name: str) -> pd.DataFrame:
    from sklearn import datasets

    loaders: dict[str, Callable[..., Any]] = {
        name: getattr(datasets, f"load_{name}") for name in ("breast_cancer", "diabetes", "iris", "wine")
    }
    if name not in loaders:
        raise TaskError(f"task_options.path: scikit-learn brings no table {name!r}{_hint(name, list(loaders))}")
    bunch = loaders[name](as_frame=True)
    frame: pd.DataFrame = bunch.frame
    if "target_names" in bunch:
        frame["target"] = [str(bunch.target_names[code]) for code in frame["target"]]
    return frame


def _hint(name: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(allowed), n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; it has {', '.join(list(allowed)[:20])}"


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(names)
    return f"the column {listed} has" if len(names) == 1 else f"the columns {listed} have"
