"""Reads somebody else's Optuna study: a journal file, an SQLite file, or a database server. Nothing is written."""

from __future__ import annotations

import re
import sqlite3
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gansearch.experiment import Choices, Entry, Range, masked
from gansearch.store.containment import open_file
from gansearch.store.folder import StudyError
from gansearch.study.foreign.found import Found, column, left_out, measured, objective, pick, scalar

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_SERVER = re.compile(r"(sqlite|mysql|mariadb|postgresql|postgres|oracle|mssql)(\+\w+)?://")
_STATUSES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def is_optuna(source: str) -> bool:
    """Return whether something may be an Optuna study: a file, or the URL of a database."""
    return bool(_SERVER.match(source)) or Path(source).is_file()


def read_optuna(source: str, name: str | None) -> Found:
    """Read a study. Raises StudyError where there is none, several and none is chosen, or it cannot be read."""
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    broken = (OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RuntimeError, ImportError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            storage = _storage(source)
            one = pick(source, "study", name, sorted(optuna.get_all_study_names(storage)))
            return _found(source, optuna.load_study(study_name=one, storage=storage))
    except StudyError:
        raise
    except (*broken, SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, SQLAlchemyError) else error
        reason = masked(str(cause)).partition("\n")[0] or type(error).__name__
        raise StudyError(f"{masked(source)}: cannot be read as an Optuna study ({reason})") from None


def _found(source: str, study: Study) -> Found:
    trials, count = study.get_trials(deepcopy=False), len(study.directions)
    names = study.metric_names or (["value"] if count == 1 else [f"value {i}" for i in range(count)])
    objectives = {objective(n): d.name == "MINIMIZE" for n, d in zip(names, study.directions, strict=True)}
    ended = [trial for trial in trials if trial.state.name in _STATUSES]
    search: dict[str, Entry] = {}
    for trial in ended:  # the later range of a parameter counts
        search |= {column(name, objectives): _entry(dist) for name, dist in trial.distributions.items()}
    left = len(trials) - len(ended)
    remarks = [left_out(left)] if left else []
    rows = [_row(trial, objectives) for trial in ended]
    return Found(masked(source), study.study_name, "Optuna study", objectives, search, rows, remarks)


def _storage(source: str) -> BaseStorage:
    """Open a storage without writing to it. Raises OSError for what is no regular file."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if _SERVER.match(source) and not source.startswith("sqlite"):
        return RDBStorage(source, skip_table_creation=True)
    path = Path(re.sub(r"^sqlite(\+\w+)?:///", "", source).removeprefix("file:").partition("?")[0]).resolve()
    with open_file(path) as file:
        is_sqlite = file.read(16) == b"SQLite format 3\0"
    if is_sqlite:
        opened = {"creator": lambda: sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)}
        return RDBStorage("sqlite:///read-only.db", opened, skip_table_creation=True)
    return JournalStorage(JournalFileBackend(str(path)))


def _row(trial: FrozenTrial, objectives: dict[str, bool]) -> dict[str, Any]:
    failed = trial.state.name == "FAIL"
    values = trial.values if trial.values and len(trial.values) == len(objectives) else []
    return {
        **measured(trial.user_attrs),
        **dict(zip(objectives, values, strict=False)),
        **{column(name, objectives): scalar(value) for name, value in trial.params.items()},
        "number": trial.number,
        "status": _STATUSES[trial.state.name],
        "feasible": all(value <= 0 for value in trial.constraints.values()),
        "started": _utc(trial.datetime_start),
        "ended": _utc(trial.datetime_complete),
        "error": str(trial.user_attrs.get("error") or ("Optuna does not record why" if failed else "")),
    }


def _utc(time: datetime | None) -> datetime | None:
    """Return a time of Optuna, which is local and does not say so, in UTC."""
    return time and time.astimezone(UTC)


def _entry(dist: BaseDistribution) -> Entry:
    from optuna.distributions import FloatDistribution, IntDistribution

    if isinstance(dist, FloatDistribution | IntDistribution):
        return Range.model_construct(low=dist.low, high=dist.high, log=dist.log, step=dist.step)
    return Choices.model_construct(choices=list(map(scalar, dist.choices)))  # type: ignore[attr-defined]
