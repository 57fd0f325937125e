"""Logs that are one document: JSON, a notebook's output, a data frame, a parquet file of a sweep."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.diagnosis.lines.json_lines import JsonLines
from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.numbers.records import Records

LARGEST = 1 << 28
"""Bytes of a document that is read as a whole."""
FEWEST_NANS = 3
"""Rows at the end without a value that are a loss of nan, and no blanks."""


def document(path: Path) -> Any:
    """A JSON file, None where it is none."""
    if path.stat().st_size > LARGEST:
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def notebook_text(cells: Iterable[Any]) -> str:
    """What the cells of a notebook printed."""
    outputs = [cell.get("outputs") for cell in cells if isinstance(cell, dict)]
    texts = []
    for output in (one for several in outputs if isinstance(several, list) for one in several if isinstance(one, dict)):
        data = output.get("data")
        text = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else None) or ""
        texts.append("".join(map(str, text)))
    return "\n".join(texts) + "\n"


def json_table(value: Any) -> Records | None:
    """The table in a document: a list of objects, an object of equally long lists, or either of them one level down."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        source = JsonLines()
        source.take(value, range(1, len(value) + 1))
        return source.records
    if not isinstance(value, dict):
        return None
    lists = {name: one for name, one in value.items() if isinstance(one, list) and len(one) > 1}
    columns = {name: one for name, one in lists.items() if all(isinstance(x, int | float | None) for x in one)}
    if columns:
        longest = max(map(len, columns.values()))
        rows = {name: one for name, one in columns.items() if len(one) == longest}
        return frame_table({name: np.array([np.nan if x is None else x for x in one]) for name, one in rows.items()})
    inner = [one for one in value.values() if isinstance(one, list | dict)]
    tables = [table for table in map(json_table, inner) if table is not None and table.names]
    return max(tables, key=len, default=None)


def frame_table(columns: Mapping[Any, Any]) -> Records:
    """The numbers of a data frame, or of a mapping of columns.

    A missing value is a blank, since a frame does not tell it from a nan, unless the column was full up to some row and
    has nothing from there on.
    """
    records = Records()
    for name in columns:
        values = np.asarray(columns[name])
        try:
            values = values.astype(float) if values.dtype.kind in "biufO" else np.zeros(())
        except (TypeError, ValueError, OverflowError):
            continue
        if values.ndim == 1:
            if not len(records):
                records.add_lines(range(len(values)), range(1, len(values) + 1))
            printed = ~np.isnan(values)
            full = int(np.argmin(np.append(printed, False)))
            if len(values) - full >= FEWEST_NANS and not printed[full:].any() and full:
                printed[:] = True
            records.add(str(name), np.flatnonzero(printed), values[printed])
    return records


def curves_table(path: Path) -> tuple[Records, list[str]]:
    """Of a sweep's curves those of its last trial and seed, the first of its seeds."""
    import pandas
    import pyarrow

    try:
        table = pandas.read_parquet(path)
    except pyarrow.ArrowInvalid as error:
        raise LogError(f"{path} cannot be read: {error}.") from None
    if not {"number", "seed", "loss_d"} <= {*table.columns}:
        raise LogError(f"{path} has no columns number, seed and loss_d of a sweep's curves.")
    if table.empty:
        raise LogError(f"{path} has no curves yet.")
    runs = table.groupby(["number", "seed"]).ngroups
    table = table[table["number"] == table["number"].max()]
    number, seed = int(table["number"].iloc[0]), int(table["seed"].min())
    note = f"The sweep has {runs} runs: trial {number} with seed {seed} is read."
    columns = table[table["seed"] == seed].drop(columns=["number", "seed"])
    return frame_table(columns), [note] if runs > 1 else []
