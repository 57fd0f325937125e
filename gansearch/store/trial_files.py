"""The files of one trial, in trials/NNNNN/: result.json, curves.parquet and samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gansearch.store.folder import Folder, write_whole
from gansearch.store.nan_json import read_json, to_json
from gansearch.store.numbers_file import read_table
from gansearch.store.record import TrialRecord, parse_record
from gansearch.store.samples import write_samples

CURVE_COLUMNS = (
    *("number", "seed", "update", "loss_d", "loss_g", "p_real", "p_fake"),
    *("saturated_right", "saturated_wrong", "separability", "grad_norm_d", "grad_norm_g", "distance"),
    *("r_t", "augment_p", "held_out_gap", "reconstruction"),
)
"""The columns of curves.parquet, in order; the last four are NaN in files of earlier versions, which lack them."""


def write_trial(
    folder: Folder,
    record: TrialRecord,
    probes: Sequence[Mapping[str, Any]],
    samples: np.ndarray | None = None,
    display: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> None:
    """Write what a trial left: its record, its probes, and (N, ...) samples with how its task shows them.

    `files` are texts by their path below the trial's folder: of a script's run its command, its changes, its output.
    result.json comes last: a trial is whole if it is there.
    """
    path = folder.record(record.number)
    path.mkdir(parents=True, exist_ok=True)
    curves = pd.DataFrame(probes, columns=list(CURVE_COLUMNS))
    write_whole(path / "curves.parquet", lambda file: curves.to_parquet(file, index=False))
    if samples is not None:
        write_samples(folder, record.number, samples, display or {})
    for name, text in (files or {}).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(path / name, text)
    write_record(folder, record)


def write_record(folder: Folder, record: TrialRecord) -> None:
    """Write the result.json of a trial."""
    write_whole(folder.record(record.number) / "result.json", to_json(record.as_dict()))


def read_record(folder: Folder, number: int) -> TrialRecord | None:
    """The record of a trial; None where there is no whole one. Raises StudyError as `read_json` does."""
    data = read_json(folder.record(number) / "result.json")
    try:
        record = parse_record(data)
    except ValueError:
        return None
    return record if record.number == number else None


def read_source(folder: Folder, number: int) -> str:
    """Where the configuration of a trial came from; empty where no record says so."""
    data = read_json(folder.record(number) / "result.json")
    return str(data.get("source", "")) if isinstance(data, dict) else ""


def read_records(folder: Folder) -> list[TrialRecord]:
    """The records of all trials that have ended, by number."""
    return [record for number in folder.numbers() if (record := read_record(folder, number))]


def read_curve_table(path: Path, filters: list[tuple[str, str, int]] | None = None) -> pd.DataFrame:
    """A file of curves in today's columns. Raises OSError or ValueError where it is broken, or has no places."""
    table = read_table(path, filters)
    if missing := set(CURVE_COLUMNS[:3]) - set(table.columns):
        raise ValueError(f"it has no column {', '.join(sorted(missing))}")
    for name, kind in table.dtypes.items():
        if name in CURVE_COLUMNS and kind.kind not in "iuf":
            raise ValueError(f"its column {name} holds no numbers")
    return table.reindex(columns=list(CURVE_COLUMNS))


def read_trial_curves(folder: Folder, number: int) -> pd.DataFrame:
    """The probes of one trial; from the table of all trials where its own file is damaged, empty without any."""
    path = folder.record(number) / "curves.parquet"
    sources = ((path, None), (folder.curves, [("number", "==", number)])) if path.exists() else ()
    for file, filters in sources:
        with suppress(OSError, ValueError):
            return read_curve_table(file, filters)
    return pd.DataFrame(columns=list(CURVE_COLUMNS))
