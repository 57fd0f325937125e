"""trials.parquet and curves.parquet: the tables of a sweep, made of its records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gansearch.store.folder import Folder, write_whole
from gansearch.store.numbers_file import read_table
from gansearch.store.record import GPU, STATUSES, TrialRecord, trial_columns
from gansearch.store.trial_files import CURVE_COLUMNS, read_curve_table, read_record, read_trial_curves

_CURVES = pa.schema([(name, pa.int64() if name in CURVE_COLUMNS[:3] else pa.float64()) for name in CURVE_COLUMNS])
_UPDATE = CURVE_COLUMNS.index("update")
_PARTS = _CURVES.set(_UPDATE, pa.field("update", pa.float64()))
"""The same where time may have parts, as of a script that counts epochs."""
_TEXTS, _TIMES = ("verdict", "node", "error"), ("started", "ended")
_LARGEST = 3e38
_AT_ONCE = 500
"""Trials whose curves are in memory at once while the table is written."""


def other_columns(trials: pd.DataFrame) -> list[str]:
    """The searched columns outside the balance."""
    return [name for name in trials.columns if name not in trial_columns(())]


def write_tables(
    folder: Folder, searched: Iterable[str], records: Iterable[TrialRecord], has_parts: bool = False
) -> None:
    """Write trials.parquet from records, and curves.parquet from the curves of the same trials.

    `has_parts` says whether their time may have parts, as that of a script does which counts epochs.
    """
    rows = [record.row for record in sorted(records, key=lambda record: record.number)]
    trials = pd.DataFrame(rows, columns=trial_columns(searched))
    for name in ("started", "ended"):
        trials[name] = pd.to_datetime(trials[name], utc=True)
    write_whole(folder.trials, lambda file: trials.to_parquet(file, index=False))
    schema = _PARTS if has_parts else _CURVES
    write_whole(folder.curves, lambda file: _write_curves(folder, list(trials["number"]), file, schema))


def _write_curves(folder: Folder, numbers: Sequence[int], file: Path, schema: pa.Schema) -> None:
    """Write the curves of some trials, part by part: those of a long sweep need not fit into memory."""
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            frames = [frame for frame in (read_trial_curves(folder, number) for number in part) if len(frame)]
            if frames:
                table = pd.concat(frames, ignore_index=True)
                writer.write_table(pa.Table.from_pandas(table, schema=schema, preserve_index=False))


def read_trials(folder: Folder, searched: Iterable[str]) -> pd.DataFrame:
    """trials.parquet, and the records that are not in it yet because the sweep runs or died.

    A file that lacks a column is as none: the records hold all of it. Empty, with its columns, if no trial has ended.
    Raises OSError or ValueError for a broken file.
    """
    searched = list(searched)
    columns = trial_columns(searched)
    table = read_table(folder.trials) if folder.trials.is_file() else pd.DataFrame(columns=columns)
    if not {*columns} - {*GPU} <= set(table.columns):  # an earlier version has none of these
        table = pd.DataFrame(columns=columns)
    table = table[[name for name in table.columns if name in columns]]
    _check(table)
    late = (read_record(folder, number) for number in sorted({*folder.numbers()} - set(table["number"])))
    rows = [record.row for record in late if record]
    if rows:
        frame = pd.DataFrame(rows)
        table = pd.concat([table, frame], ignore_index=True) if len(table) else frame.reindex(columns=columns)
        table = table.sort_values("number", ignore_index=True)
    numbers = {name: float for name in ("stability", "distance", "train_seconds") if len(table) == 0}
    times = {name: _times(table[name]) for name in _TIMES}
    later = {name: np.nan for name in GPU if name not in table}  # a table of an earlier version
    return _sound(table.astype(numbers).assign(**times, **later))


def _check(table: pd.DataFrame) -> None:
    """Raise ValueError where rows are no trials."""
    numbers, statuses = table["number"], set(table["status"].map(str))
    if len(table) and not (pd.api.types.is_integer_dtype(numbers) and numbers.is_unique and numbers.min() >= 0):
        raise ValueError("the numbers of the trials are none")
    if unknown := statuses - set(STATUSES):
        raise ValueError(f"no trial ends as {unknown.pop()[:50]!r}")


def _times(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of times; what is none, nor a text, is missing. Raises ValueError for other texts."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = column.where(column.map(lambda time: isinstance(time, str | datetime)), None)
    return pd.to_datetime(column, utc=True)


def _sound(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of trials that may be anybody's with numbers that can be calculated with, NaN for others."""
    others = {*_TIMES, *_TEXTS, "number", "status"}
    columns = [name for name in table.columns if name in trial_columns(()) or pd.api.types.is_float_dtype(table[name])]
    texts = {name: table[name].where(table[name].map(lambda text: isinstance(text, str)), None) for name in _TEXTS}
    return table.assign(**texts, **{name: _calculable(table[name]) for name in columns if name not in others})


def _calculable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column with NaN for what is no number, and for those beyond float32, which no model takes.

    A distance may be infinite.
    """
    numbers = pd.Series(np.nan, column.index) if pd.api.types.is_bool_dtype(column) else column
    values = pd.to_numeric(numbers, errors="coerce")
    return values.where(~(values.abs() > _LARGEST) | (np.isinf(values) & str(column.name).startswith("distance")))


def read_curves(folder: Folder) -> pd.DataFrame:
    """curves.parquet, and the curves of trials that are not in it yet. Damaged ones are left out.

    Raises OSError or ValueError for a broken file.
    """
    empty = pd.DataFrame(columns=list(CURVE_COLUMNS), dtype=float)
    table = read_curve_table(folder.curves) if folder.curves.is_file() else empty
    late = sorted({*folder.numbers()} - set(table["number"]))
    frames = [table, *(read_trial_curves(folder, number) for number in late)]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else empty
