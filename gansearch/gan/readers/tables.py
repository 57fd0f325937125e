"""Reads a user's table: a text such as CSV, a parquet file, or a table that comes with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api import types

from gansearch.experiment import suggest
from gansearch.experiment.paths import expanded
from gansearch.formatting import printable
from gansearch.gan.options import option_error
from gansearch.gan.readers.contents import is_parquet, read_bytes
from gansearch.gan.readers.delimited import Delimited
from gansearch.gan.readers.files import need, one_file, path_errors
from gansearch.gan.readers.parquet import Parquet
from gansearch.gan.readers.walk import is_file

ENDINGS = (".csv", ".tsv", ".parquet", ".gz", ".bz2", ".xz", ".zst", ".zip")
"""Files of a folder; a file that is named itself may have any ending."""
BUNDLED = "sklearn:"
_BUNDLED_NAMES = ("breast_cancer", "diabetes", "iris", "wine")


@dataclass(frozen=True)
class TableFile:
    """A table that has been read."""

    frame: pd.DataFrame
    warnings: list[str] = field(default_factory=list)
    """What a user should know of the reading, a sentence each."""
    files: Callable[[pd.DataFrame], dict[str, bytes]] = lambda made: {}
    """Files, by name, that hold rows as the table's own file has them; {} where it has no form of its own."""


def read_table(
    path: str,
    wanted: Sequence[str] | None = None,
    separator: str = "",
    header: bool | None = None,
    kinds: Mapping[str, str] | None = None,
) -> TableFile:
    """Reads the table at `path`, its `wanted` columns (all by default). Raises TaskError.

    `separator` "" and `header` None are found. `kinds` are those that the user knows.
    """
    if path.startswith(BUNDLED):
        return TableFile(_selected(_bundled(path.removeprefix(BUNDLED)), wanted))
    file = expanded(path)
    file = file if path and is_file(file) else one_file(path, ENDINGS)
    known = [name for name, kind in (kinds or {}).items() if kind != "number"]

    def chosen(names: Sequence[str]) -> Sequence[str]:
        check_columns(names, "columns", wanted or [])
        return wanted or names

    with path_errors(f"{file} cannot be read"):
        with file.open("rb") as stream:
            source = file if is_parquet(stream.read(4)) else read_bytes(file)
        if isinstance(source, Path) or is_parquet(source):
            read: Parquet | Delimited = Parquet(source, chosen, known)
        else:
            read = Delimited(source, separator, header, chosen, known, {*(wanted or ()), *(kinds or ())})
    if separator:
        _check_separator(read.frame, separator, file)
    need(len(read.frame), "rows", "give more rows")
    return TableFile(read.frame, [f"{file}: {text}" for text in read.warnings], read.files)


def read_by_pandas(path: str, wanted: Sequence[str] | None, separator: str, as_written: bool) -> pd.DataFrame:
    """Reads a table as pandas does, for folders of formats 1 to 4. Raises TaskError.

    `as_written` keeps apart what pandas would make one: integers with gaps stay integers, and 007 a text.
    """
    if path.startswith(BUNDLED):
        return _selected(_bundled(path.removeprefix(BUNDLED)), wanted)
    file = one_file(path, (".csv", ".parquet"))
    separator = separator or ","
    with path_errors(f"{file} cannot be read"):
        if file.suffix.lower() == ".parquet":
            frame = pd.read_parquet(file)
        else:
            frame = _as_written(file, separator) if as_written else pd.read_csv(file, sep=separator)
    frame.columns = frame.columns.map(str)
    _check_separator(frame, separator, file)
    frame = _selected(frame, wanted)
    need(len(frame), "rows", "give more rows")
    return frame


def check_columns(present: Collection[str], option: str, names: Sequence[str]) -> None:
    """Raises TaskError where the table lacks a column that an option names."""
    for name in names:
        if name not in present:
            hint = suggest(name, present) or f"; it has {', '.join(list(present)[:20])}"
            raise option_error(option, f"the table has no column {name!r}{printable(hint)}")


def _selected(frame: pd.DataFrame, wanted: Sequence[str] | None) -> pd.DataFrame:
    check_columns(frame.columns, "columns", wanted or [])
    return frame[list(wanted)] if wanted else frame


def _check_separator(frame: pd.DataFrame, separator: str, file: Path) -> None:
    name = str(frame.columns[0]) if len(frame.columns) == 1 else ""
    if any(mark in name for mark in ",;\t|".replace(separator, "")):
        one = f"a single column in {file}, {name!r}"
        raise option_error("separator", f"{separator!r} finds {one}; name what separates its columns")


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
