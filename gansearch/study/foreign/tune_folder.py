"""Reads somebody else's experiment folder of Ray Tune: its JSON and CSV files. Its pickles are never opened."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gansearch.experiment.words import suggest
from gansearch.formatting import error_line
from gansearch.stability.report import NUMBERS
from gansearch.store.containment import TEXT_BYTES, read_text
from gansearch.store.folder import StudyError
from gansearch.study.foreign.found import Found, column, entry_of, is_number, left_out, measured, scalar

_TUNES = {
    *("time_this_iter_s", "time_total_s", "training_iteration", "iterations_since_restore", "time_since_restore"),
    *("timestamp", "date", "done", "pid", "hostname", "node_ip", "trial_id", "experiment_tag", "should_checkpoint"),
    *("checkpoint_dir_name", "episodes_total", "timesteps_total", "warmup_time", "experiment_id", "config"),
}
"""Names in a result that Tune gives."""
_OURS = {*NUMBERS, "healthy", "hopeless", "verdict_number", "verdict", "step", "epoch"}
_RESULTS = ("result.json", "progress.csv")
_STATUSES = {"TERMINATED": "complete", "ERROR": "failed"}


def is_tune(folder: Path) -> bool:
    """Return whether a folder holds trials of Ray Tune."""
    return any(map(_has_results, _folders(folder)))


def read_tune(source: str, choices: Mapping[str, str]) -> Found:
    """Read a folder. Raises StudyError where it holds no result, or nothing says which number was optimised."""
    folder, remarks = Path(source), ["Which trials a scheduler stopped early is in no file but pickles."]
    states = _states(folder)
    trials = [trial for path in filter(_has_results, _folders(folder)) if (trial := _trial(path, states))]
    if waiting := sum(trial["status"] is None for trial in trials):
        remarks.append(left_out(waiting))
    trials = sorted((trial for trial in trials if trial["status"]), key=_order)
    if not trials:
        raise StudyError(f"{source}: no trial of this run of Ray Tune has ended, or left a result that can be read")
    metric = _metric(source, trials, choices.get("metric"))
    mode = choices.get("mode", "min")
    if mode not in ("min", "max"):
        raise StudyError(f"{source}: mode={mode} is not one of min, max{suggest(mode, ('min', 'max'))}")
    if "mode" not in choices:
        remarks.append(f"Whether a small {metric} is good is in a pickle: it is taken so; ?mode=max says otherwise.")
    varied = {name for trial in trials for name in trial["config"]}
    tried = {name: [t["config"][name] for t in trials if name in t["config"]] for name in sorted(varied)}
    search = {column(name, [metric]): entry_of(values) for name, values in tried.items()}
    rows = [_row(number, trial, metric) for number, trial in enumerate(trials)]
    return Found(source, folder.resolve().name, "run of Ray Tune", {metric: mode == "min"}, search, rows, remarks)


def _order(trial: Mapping[str, Any]) -> int:
    """Return the number that Tune gave a trial, with which its tag begins: 3_lr=0.001."""
    number = str(trial["result"].get("experiment_tag", "")).partition("_")[0]
    return int(number) if number.isdecimal() else 0


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in the order of their names; links are none."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def _has_results(folder: Path) -> bool:
    return (folder / "params.json").is_file() and any((folder / name).is_file() for name in _RESULTS)


def _states(folder: Path) -> dict[str, str]:
    """Return the status of each trial by its id, as the newest state of the run has it; {} where that has none."""
    for path in sorted(folder.glob("experiment_state-*.json"), reverse=True):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            state = json.loads(read_text(path))
            trials = [json.loads(one[0]) for one in state["trial_data"]]
            return {str(trial["trial_id"]): str(trial["status"]) for trial in trials}
    return {}


def _trial(folder: Path, states: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a trial's config, last result and status, None while it runs; nothing where its files are broken."""
    result = _last_result(folder)
    if result is None:
        return None
    error, config = "", result.get("config", {})
    with suppress(OSError, ValueError, RecursionError):
        config = json.loads(read_text(folder / "params.json"))
    with suppress(OSError, ValueError):
        error = error_line(read_text(folder / "error.txt"))
    known = states.get(str(result.get("trial_id")))
    status = _STATUSES.get(known) if known else ("failed" if error else "complete")
    if result.get("hopeless") == 1 and status == "complete":
        status = "pruned"
    return {"config": _flat(config), "result": _flat(result), "status": status, "error": error}


def _last_result(folder: Path) -> dict[str, Any] | None:
    """Return the last whole line of a trial's results."""
    with suppress(OSError, ValueError, RecursionError):
        for line in reversed(read_text(folder / "result.json", TEXT_BYTES).splitlines()):
            with suppress(ValueError):
                if isinstance(found := json.loads(line), dict):
                    return found
    with suppress(OSError, ValueError, csv.Error):
        rows = [*csv.DictReader(read_text(folder / "progress.csv", TEXT_BYTES).splitlines())]
        return {name: _cell(text) for name, text in rows[-1].items() if name} if rows else None
    return None


def _cell(text: str | None) -> Any:
    with suppress(TypeError, ValueError):
        return float(text)  # type: ignore[arg-type]
    return text


def _flat(data: Any, path: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with names such as optimizer/lr; lists as text."""
    if isinstance(data, Mapping):
        parts = [_flat(value, f"{path}/{name}".lstrip("/")) for name, value in data.items()]
        return {name: value for part in parts for name, value in part.items()}
    return {path: scalar(data)}


def _metric(source: str, trials: list[dict[str, Any]], wanted: str | None) -> str:
    """Return the number that was optimised: the one that is chosen, the `distance`, or the only one."""
    names = {name for trial in trials for name, value in trial["result"].items() if is_number(value)}
    if wanted is not None:
        if wanted not in names:
            raise StudyError(f"{source}: no result has a number {wanted!r}{suggest(wanted, names)}")
        return wanted
    left = sorted(name for name in names - _TUNES - _OURS if not name.startswith("config/"))
    if "distance" in left or len(left) == 1:
        return "distance" if "distance" in left else left[0]
    listed = ", ".join(left[:20]) or "none"
    raise StudyError(
        f"{source}: say which number was optimised, with {source}?metric=NAME or ?metric=NAME&mode=max; "
        f"its results have {listed}"
    )


def _row(number: int, trial: Mapping[str, Any], metric: str) -> dict[str, Any]:
    result, seconds = trial["result"], trial["result"].get("time_total_s")
    ended = result.get("timestamp")
    times = {}
    if is_number(ended) and is_number(seconds):
        with suppress(OverflowError, OSError, ValueError):
            times = {
                "started": datetime.fromtimestamp(ended - seconds, UTC),
                "ended": datetime.fromtimestamp(ended, UTC),
                "train_seconds": seconds,
            }
    return {
        **measured(result),
        **times,
        **{column(name, [metric]): value for name, value in trial["config"].items()},
        metric: result.get(metric) if is_number(result.get(metric)) else None,
        "number": number,
        "status": trial["status"],
        "feasible": True,
        "node": str(result.get("node_ip") or ""),
        "error": trial["error"],
    }
