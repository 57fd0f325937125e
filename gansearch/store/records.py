"""The tables of a sweep: a record for every trial, and the two parquet files made of the records.

A record is what one trial left: `trials/00012/result.json` with its row and its seeds, `curves.parquet` with
its probes, and `samples.npy`, with how those are shown in `samples.json`. It is written before the Optuna study is
told, so that no finished trial can be lost.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gansearch.experiment import Experiment, LoopTraining, Training
from gansearch.stability.verdict import worst
from gansearch.store.folder import Folder, write_array, write_whole

BALANCE = ("lr", "lr_ratio", "lr_d", "lr_g", "pretrain_steps", "update_ratio")
"""The columns of the balance, present in every trials table."""
_MEDIANS = ("saturated_right", "saturated_wrong", "separability", "referee_gap")
_BEFORE = ("number", "status", "verdict", "stability", "stability_spread", "distance", "distance_spread")
_AFTER = (*_MEDIANS, "updates", "train_seconds", "started", "ended", "node", "error")
CURVE_COLUMNS = (
    "number",
    "seed",
    "update",
    "loss_d",
    "loss_g",
    "p_real",
    "p_fake",
    "saturated_right",
    "saturated_wrong",
    "separability",
    "grad_norm_d",
    "grad_norm_g",
    "distance",
)
_CURVES = pa.schema([(name, pa.int64() if name in CURVE_COLUMNS[:3] else pa.float64()) for name in CURVE_COLUMNS])
_AT_ONCE = 500
"""Trials whose curves are in memory while the table is written."""


def trial_columns(searched: Iterable[str]) -> list[str]:
    """The columns of trials.parquet, in order; `searched` are the names under `search:`."""
    return [*_BEFORE, *BALANCE, *(name for name in searched if name not in BALANCE), *_AFTER]


def balance(training: Training) -> dict[str, float]:
    """The numbers of the balance of one resolved configuration, by column; a held balance has no update ratio.

    A loop of the user's own has those that it names so itself.
    """
    if isinstance(training, LoopTraining):
        return {name: math.nan if training.used(name) is None else training.used(name) for name in BALANCE}
    lr_d, lr_g = training.rates
    return {
        "lr": math.sqrt(lr_d * lr_g),
        "lr_ratio": lr_d / lr_g,
        "lr_d": lr_d,
        "lr_g": lr_g,
        "pretrain_steps": training.pretrain_steps,
        "update_ratio": math.nan if training.balance == "held" else training.update_ratio,
    }


def others(trials: pd.DataFrame) -> list[str]:
    """The searched columns outside the balance."""
    return [name for name in trials.columns if name not in trial_columns(())]


def trial_row(
    number: int,
    experiment: Experiment,
    params: Mapping[str, Any],
    seeds: Sequence[Mapping[str, Any]],
    *,
    started: datetime,
    ended: datetime,
    node: str,
    error: str = "",
) -> dict[str, Any]:
    """A trial's row: medians over its seeds, the worst verdict, and max − min over seeds as the spread.

    `seeds` may be empty for a trial that died before its first seed ended; then `error` says why.
    """
    statuses = {seed["status"] for seed in seeds}
    failed = not seeds or bool(error) or "failed" in statuses
    row: dict[str, Any] = {
        "number": number,
        "status": "failed" if failed else "pruned" if "pruned" in statuses else "complete",
        "verdict": worst(seed["verdict"] for seed in seeds) if seeds else None,
        **balance(experiment.training.with_params(params)),
        **{name: value for name, value in params.items() if name not in BALANCE},
        **{name: median(seed[name] for seed in seeds) for name in ("stability", "distance", *_MEDIANS)},
        **{f"{name}_spread": spread(seed[name] for seed in seeds) for name in ("stability", "distance")},
        "updates": sum(seed["updates"] for seed in seeds),
        "train_seconds": sum(seed["train_seconds"] for seed in seeds),
        "started": started,
        "ended": ended,
        "node": node,
        "error": error or next((seed["error"] for seed in seeds if seed["error"]), ""),
    }
    return {name: row[name] for name in trial_columns(params)}


def scheduled(params: Mapping[str, Any], segments: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """A trial's parameters for `Training.with_params` with a schedule: its first segment, and the rest as changes.

    A segment is {"after", "lr_d", "lr_g", "update_ratio"}, or "target_separability" in its place; without any the
    parameters are returned as they are.
    """
    if not segments:
        return dict(params)
    start, *changes = segments
    values = {name: value for name, value in start.items() if name != "after"}
    kept = {name: value for name, value in params.items() if name not in ("lr", "lr_ratio")}
    return {**kept, **values, "schedule": [dict(change) for change in changes]}


def median(values: Iterable[float]) -> float:
    """The median of those values that are numbers; NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else math.nan


def spread(values: Iterable[float]) -> float:
    """max − min of those values that are numbers; NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return max(finite) - min(finite) if finite else math.nan


def write_record(
    folder: Folder,
    row: Mapping[str, Any],
    seeds: Sequence[Mapping[str, Any]],
    curves: Sequence[Mapping[str, Any]],
    samples: np.ndarray | None = None,
    standings: Sequence[Mapping[str, float]] = (),
    schedule: Sequence[Mapping[str, float]] = (),
    shown: Mapping[str, Any] | None = None,
) -> None:
    """Writes what a trial left; result.json comes last, so that a record is whole if it is there."""
    path = folder.record(row["number"])
    path.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(curves, columns=list(CURVE_COLUMNS))
    write_whole(path / "curves.parquet", lambda file: frame.to_parquet(file, index=False))
    if samples is not None:
        write_array(path / "samples.npy", samples)
        write_whole(path / "samples.json", to_json(shown or {}))
    record = {"row": dict(row), "seeds": list(seeds), "standings": list(standings)}
    if schedule:
        record["schedule"] = list(schedule)
    write_whole(path / "result.json", to_json(record))


def read_record(folder: Folder, number: int) -> dict[str, Any] | None:
    """{"row", "seeds"} of a trial, of a population's member also "schedule"; None where there is no whole record."""
    try:
        record: dict[str, Any] = from_json((folder.record(number) / "result.json").read_text())
    except (OSError, ValueError):
        return None
    for name in ("started", "ended"):
        record["row"][name] = pd.Timestamp(record["row"][name]).to_pydatetime()
    return record


def read_samples(folder: Folder, number: int | None, confirmed: bool = False) -> np.ndarray | None:
    """(N, ...) fakes of a trial's first seed in data units, or of the first one that confirmed it; None without any.

    With `number` None those of the default settings, which have no trial.
    """
    name = "samples.npy" if not confirmed else "confirmed.npy"
    try:
        return np.load(folder.record(number) / name, allow_pickle=False)
    except (OSError, ValueError):
        return None


def write_tables(folder: Folder, searched: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes trials.parquet from rows and curves.parquet from the records of the same trials."""
    plain = sorted(map(dict, rows), key=lambda row: row["number"])
    trials = pd.DataFrame(plain, columns=trial_columns(searched))
    for name in ("started", "ended"):
        trials[name] = pd.to_datetime(trials[name], utc=True)
    write_whole(folder.trials, lambda file: trials.to_parquet(file, index=False))
    write_whole(folder.curves, lambda file: _write_curves(folder, list(trials["number"]), file))


def _write_curves(folder: Folder, numbers: Sequence[int], file: Path) -> None:
    """The curves of so many trials, some hundred at a time: a long sweep's do not fit into memory for nothing."""
    with pq.ParquetWriter(file, _CURVES) as writer:
        for start in range(0, len(numbers), _AT_ONCE):
            part = numbers[start : start + _AT_ONCE]
            frames = [frame for frame in (_curves_of(folder, number) for number in part) if len(frame)]
            if frames:
                table = pd.concat(frames, ignore_index=True)
                writer.write_table(pa.Table.from_pandas(table, schema=_CURVES, preserve_index=False))


def _curves_of(folder: Folder, number: int) -> pd.DataFrame:
    """A trial's own curves; where they were damaged, those that the table had of it."""
    nothing = pd.DataFrame(columns=list(CURVE_COLUMNS))
    try:
        return pd.read_parquet(folder.record(number) / "curves.parquet")
    except FileNotFoundError:
        return nothing
    except (OSError, ValueError):
        pass
    try:
        return pd.read_parquet(folder.curves, filters=[("number", "==", number)])
    except (OSError, ValueError):
        return nothing


def read_trials(folder: Folder, searched: Iterable[str]) -> pd.DataFrame:
    """trials.parquet, and the records that are not in it yet because the sweep still runs or died.

    Empty, with its columns, where no trial has ended. Raises OSError or ValueError for a broken file.
    """
    columns = trial_columns(searched)
    table = pd.read_parquet(folder.trials) if folder.trials.is_file() else pd.DataFrame(columns=columns)
    late = [read_record(folder, number) for number in sorted(_recorded(folder) - set(table["number"]))]
    rows = [record["row"] for record in late if record]
    if rows:
        frame = pd.DataFrame(rows)
        table = pd.concat([table, frame], ignore_index=True) if len(table) else frame.reindex(columns=columns)
        table = table.sort_values("number", ignore_index=True)
    numbers = {name: float for name in ("stability", "distance", "train_seconds") if len(table) == 0}
    times = {name: pd.to_datetime(table[name], utc=True) for name in ("started", "ended")}
    return table.astype(numbers).assign(**times)


def read_curves(folder: Folder) -> pd.DataFrame:
    """curves.parquet, and the curves of the records that are not in it yet, but for those that were damaged.

    Raises as `read_trials`.
    """
    empty = pd.DataFrame(columns=list(CURVE_COLUMNS), dtype=float)
    table = pd.read_parquet(folder.curves) if folder.curves.is_file() else empty
    late = sorted(_recorded(folder) - set(table["number"]))
    frames = [table, *(_curves_of(folder, number) for number in late)]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else empty


def read_confirmation(folder: Folder) -> list[dict[str, Any]]:
    """A seed's result per entry, with the number of its trial; empty where nothing was confirmed (yet)."""
    try:
        return list(from_json(folder.confirmation.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def read_default(folder: Folder) -> list[dict[str, Any]]:
    """What the default settings did, a seed's result per entry; empty where nobody has tried them.

    default.json is written by the confirmation; what `gansearch train experiment.yaml --json` prints will do as well.
    """
    try:
        seeds = from_json(folder.default.read_text(encoding="utf-8"))["seeds"]
        numbers = ({name: math.nan if seed[name] is None else seed[name] for name in _JUDGED} for seed in seeds)
        return [{**seed, **judged} for seed, judged in zip(seeds, numbers, strict=True)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


_JUDGED = ("seed", "verdict", "stability", "distance")
"""What is known of every seed."""


def _recorded(folder: Folder) -> set[int]:
    """Numbers of the trials that have a folder of their own."""
    return {int(path.name) for path in folder.records.glob("[0-9]*") if path.name.isdigit()}


def to_json(data: Any) -> str:
    """JSON text; NaN and infinities become the strings that `from_json` turns back, times ISO text."""
    return json.dumps(_plain(data), indent=1, allow_nan=False)


def from_json(text: str) -> Any:
    return json.loads(
        text, object_hook=lambda d: {k: _NUMBERS.get(v, v) if isinstance(v, str) else v for k, v in d.items()}
    )


_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _plain(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    if isinstance(data, datetime):
        return data.isoformat()
    if isinstance(data, float | np.floating) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else "Infinity" if data > 0 else "-Infinity"
    return data.item() if isinstance(data, np.generic) else data
