"""A study of somebody else, opened: its table, its best trial, and figures and a report of what it recorded."""

from __future__ import annotations

import html
import math
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Experiment, Range, folder_name
from gansearch.formatting import without_nan
from gansearch.stability.verdict import HEALTHY
from gansearch.store.folder import Folder, StudyError, save
from gansearch.study.analysis.choose import Choice
from gansearch.study.analysis.importance import importance
from gansearch.study.compare import Comparison
from gansearch.study.figures import trials as figures_trials
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.progress import progress
from gansearch.study.foreign.found import Found, chosen
from gansearch.study.foreign.optuna_study import is_optuna, read_optuna
from gansearch.study.foreign.tune_folder import is_tune, read_tune
from gansearch.study.report.page import Charts, render
from gansearch.study.report.report import failures
from gansearch.study.swept import Study

_COLUMNS = (
    *("number", "status", "verdict", "stability", "distance", "feasible"),
    *("started", "ended", "node", "error", "updates", "train_seconds"),
)
"""Columns of every table."""
_MAX_ROWS = 1000
"""Rows of the trials table."""


def is_foreign(source: str | Path) -> bool:
    """Return whether something is an Optuna study or a folder of Ray Tune, and no results folder of ours."""
    path, _ = chosen(str(source))
    return not Folder(path).is_ours and (is_optuna(path) or is_tune(Path(path)))


def open_foreign(source: str | Path) -> ForeignStudy:
    """Open a study of somebody else: FILE, sqlite:///FILE, the URL of a database, or a folder of Ray Tune.

    `?study=NAME` chooses one of several studies, `?metric=NAME&mode=max` what Ray Tune optimised. Nothing is written to
    it, and no pickle is opened. Raises StudyError where it cannot be read.
    """
    path, choices = chosen(str(source))
    return ForeignStudy(read_optuna(path, choices.get("study")) if is_optuna(path) else read_tune(path, choices))


class ForeignStudy(Study):
    """The results of somebody else's study: `trials` as a table, the `best` trial, figures and a report.

    What it did not record is NaN in the table, has no figure, and is named in `remarks`.
    """

    def __init__(self, found: Found):
        """Take what was read."""
        # Like a training loop, whose parameters have no values but those that were searched.
        task = f"{found.kind}:train"
        experiment = Experiment.model_construct(name=found.name, task=task, search=dict(found.search))
        super().__init__(Folder(chosen(found.source)[0]), experiment)
        self.found = found
        self.objective, self.minimised = next(iter(found.objectives.items()))

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each trial that has ended."""
        names = dict.fromkeys([*_COLUMNS, *self.found.objectives, *self.found.search])
        table = pd.DataFrame(
            self.found.rows, columns=[*dict.fromkeys([*names, *(n for r in self.found.rows for n in r)])]
        )
        numbers = {"stability", "distance", "updates", "train_seconds", *self.found.objectives}
        numbers |= {name for name, entry in self.found.search.items() if isinstance(entry, Range)}
        times = {name: pd.to_datetime(table[name], utc=True) for name in ("started", "ended")}
        missing = {"verdict": None, "node": "", "error": ""}
        texts = {name: table[name].astype(object).where(table[name].notna(), text) for name, text in missing.items()}
        return table.assign(**times, **texts, **{name: pd.to_numeric(table[name], errors="coerce") for name in numbers})

    @cached_property
    def best(self) -> Choice | None:
        """The best trial by the first objective: of those that are balanced, where any trial has a verdict."""
        return self._first(self.trials[self.trials["verdict"].isin(HEALTHY)]) if self.verdicts else self.closest

    @cached_property
    def closest(self) -> Choice | None:
        """The best trial by the first objective, whatever its verdict."""
        return self._first(self.trials)

    @cached_property
    def importance(self) -> dict[str, dict[str, float]]:
        """The share of each parameter for each objective, and for the stability where it is known."""
        shares = importance(self.trials.assign(distance=math.nan), self.found.search)
        for name in self.found.objectives:
            found = importance(self.trials.assign(stability=math.nan, distance=self.trials[name]), self.found.search)
            shares |= {name: found["distance"]} if found else {}
        return shares

    @cached_property
    def remarks(self) -> list[str]:
        """What was left out or is not recorded, in sentences."""
        known = {name for name in self.trials if self.trials[name].notna().any()}
        wanted = {
            "verdict": "No trial has a verdict: StabilityMonitor gives it (StabilityObjective, monitor.metrics()).",
            "stability": "No trial has a stability, so there is no map of it.",
            "started": "Times are not recorded.",
        }
        broken = int((~self.trials["feasible"].astype(bool)).sum())
        text = f"{broken} of {len(self.trials)} trials break a constraint, and are no candidates for the best."
        return [
            *self.found.remarks,
            *([text] if broken else []),
            *(t for name, t in wanted.items() if name not in known),
        ]

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch report --json`: as a sweep's, with what the study did not record as None."""
        started, ended = self.trials["started"].min(), self.trials["ended"].max()
        best = self.choice and {
            "number": self.choice.number,
            "params": self.choice.params,
            **{name: float(self._row(self.choice)[name]) for name in (*self.found.objectives, "stability", "distance")},
            "verdict": self._row(self.choice)["verdict"],
            "confirmed": None,
        }
        seconds = self.trials["train_seconds"]
        facts = {
            "kind": self.found.kind,
            "objectives": {name: "min" if small else "max" for name, small in self.found.objectives.items()},
            "trials": self.counts,
            "verdicts": self.verdicts,
            "best" if self.best or not best else "closest": best,
            "importance": self.importance,
            "wall_seconds": (ended - started).total_seconds() if pd.notna(started) and pd.notna(ended) else None,
            "train_seconds": float(seconds.sum()) if seconds.notna().any() else None,
            "remarks": self.remarks,
        }
        return dict(without_nan({"best": None, **facts}))

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, a page that needs no network, and return its path: NAME-report.html in this folder."""
        path = Path(f"{folder_name(self.found.name)}-report.html") if path is None else Path(path)
        targets = [*self.found.objectives, *(["stability"] if self.trials["stability"].notna().any() else [])]
        slices = {f"slices-{i}": lambda name=name: self.plot_slices(name) for i, name in enumerate(targets)}
        others = {"progress": self.plot_progress, "shares": self.plot_importance}
        if "stability" in targets:
            others["map"] = self.plot_stability_map
        text = render(
            "foreign.html",
            Charts({**others, **slices, "parallel": self.plot_parallel, "timeline": self.plot_timeline}),
            study=self,
            summary=self.summary(),
            choice=self.choice,
            row=self._row(self.choice) if self.choice else None,
            targets=targets,
            columns=self._shown(),
            rows=self._rows(),
            errors=failures(self),
            verdict_counts=dict(reversed(self.verdicts.items())),
        )
        return save(path, text)

    def export(self, path: str | Path | None = None, format: str = "yaml", anyway: bool = False) -> str:
        """Raise StudyError: only of a sweep it is known how `gansearch train` trains a configuration."""
        raise StudyError(
            f"{self.found.source}: is no sweep of gansearch, which alone is exported; `best.params` has it"
        )

    def compare(self, *others: Study) -> Comparison:
        """Raise StudyError: only sweeps have what is compared."""
        raise StudyError(f"{self.found.source}: is no sweep of gansearch, which alone is compared")

    def plot_progress(self) -> go.Figure:
        """Plot the first objective of each trial, and the best one so far."""
        return progress(self.trials, self.objective, self.minimised, self._best)

    def plot_slices(self, target: str | None = None) -> go.Figure:
        """Plot an objective, by default the first one, or the stability, over each searched parameter."""
        target = target or self.objective
        if target not in (*self.found.objectives, "stability"):
            raise StudyError(f"no slices of {target!r}: it is not one of {', '.join(self.found.objectives)}, stability")
        return figures_trials.slices(self.trials, self.experiment, target, self._best)

    def plot_parallel(self, nearest: float = 1.0) -> go.Figure:
        """Plot a line for each trial, or the nearest ones, through its parameters, its objectives and its stability."""
        targets = [*self.found.objectives, "stability"]
        return figures_trials.parallel(self._nearest(nearest), self.experiment, self._best, targets)

    def plot_timeline(self) -> go.Figure:
        """Plot the trials over time."""
        if not self.summary()["wall_seconds"]:
            raise EmptyFigureError("times are not recorded")
        return super().plot_timeline()

    def _first(self, trials: pd.DataFrame) -> Choice | None:
        """The best complete trial that keeps its constraints."""
        able = trials[(trials["status"] == "complete") & trials["feasible"].astype(bool)].dropna(subset=self.objective)
        if able.empty:
            return None
        row = able.sort_values([self.objective, "number"], ascending=[self.minimised, True]).iloc[0]
        given = next(one for one in self.found.rows if one["number"] == row["number"])
        params = {name: given[name] for name in self.found.search if name in given}
        return Choice(int(row["number"]), params, float(row["stability"]), float(row["distance"]))

    def _is_whole(self, name: str) -> bool:
        """Whether a column is a range whose values are whole numbers, of which the page keeps every digit."""
        values = [row[name] for row in self.found.rows if row.get(name) is not None]
        is_range = isinstance(self.found.search.get(name), Range)
        return is_range and all(isinstance(value, int) and abs(value) < 2**53 for value in values)

    def _shown(self) -> list[str]:
        """The columns of the table that have anything in them."""
        names = ["number", "status", "verdict", *self.found.objectives, "stability", *self.found.search]
        names += ["separability", "saturated_right", "saturated_wrong", "updates", "train_seconds"]
        known = self.trials.replace([""], np.nan)
        return [name for name in dict.fromkeys(names) if name in known and known[name].notna().any()]

    def _rows(self) -> list[dict[Any, Any]]:
        """The first rows of the table, the best first."""
        rank = self.trials["status"].map(["complete", "pruned", "failed"].index)
        order = self.trials.sort_values(self.objective, ascending=self.minimised)
        order = order.loc[rank[order.index].sort_values(kind="stable").index]
        first = order[self._shown()].head(_MAX_ROWS)
        rows = first.astype({name: "Int64" for name in map(str, first) if self._is_whole(name)}).astype(object)
        return rows.where(rows.notna(), None).to_dict("records")

    def __repr__(self) -> str:
        """One line."""
        return f"ForeignStudy({self.found.source!r}): {self.found.kind} {self.found.name}"

    def _repr_html_(self) -> str:
        return html.escape(repr(self))
