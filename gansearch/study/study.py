"""A results folder, opened: its tables, its best-balanced configuration, and what can be made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from gansearch.experiment import Experiment, ExperimentError
from gansearch.formatting import error_line, many, without_nan
from gansearch.stability.verdict import ADVICE, VERDICTS, worst
from gansearch.store.confirmation import FreshSeed, read_confirmation, read_default
from gansearch.store.folder import Folder, NothingHealthy, StudyError, write_whole
from gansearch.store.nan_json import from_json
from gansearch.store.object_store import here
from gansearch.store.record import scheduled
from gansearch.store.tables import read_curves, read_trials
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.choose import Choice, choose_best, choose_closest
from gansearch.study.analysis.importance import importance
from gansearch.study.analysis.time_spent import confirmed_seconds
from gansearch.study.compare import Comparison, compare
from gansearch.study.export import FORMATS, export_text
from gansearch.study.plots import Plots
from gansearch.study.report.page import fragment


def load_study(dir: str | Path) -> Study:
    """Opens a results folder, also of a sweep that still runs or died. Raises StudyError where it is none.

    Of results at a URL, such as s3://bucket/prefix, it opens a copy.
    """
    folder = Folder(here(dir)).require_ours()
    try:
        return Study(folder, Experiment.load(folder.experiment))
    except ExperimentError as error:
        raise StudyError(str(error)) from None


class Study(Plots):
    """What a sweep left behind. Each part is read when first asked for, and then kept."""

    def __init__(self, folder: Folder, experiment: Experiment):
        self.folder = folder
        self.experiment = experiment

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row a trial, with the columns of trials.parquet."""
        return self._table(lambda: read_trials(self.folder, self.experiment.search))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row a trial, seed and probe, with the columns of curves.parquet."""
        return self._table(lambda: read_curves(self.folder))

    @cached_property
    def confirmation(self) -> list[FreshSeed]:
        """What the candidates did on fresh seeds."""
        return read_confirmation(self.folder)

    @cached_property
    def run(self) -> dict[str, Any]:
        """How it was made: slots, wall_seconds, versions, hardware, command; {} where that is not known."""
        try:
            return dict(from_json(self.folder.run.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    @cached_property
    def best(self) -> Choice | None:
        """The best-balanced configuration; None where nothing is healthy."""
        return self._with_schedule(choose_best(self.trials, self.confirmation))

    @cached_property
    def closest(self) -> Choice | None:
        """What came closest to it, where nothing is healthy; None where every trial failed before it had a verdict."""
        return None if self.best else self._with_schedule(choose_closest(self.trials, self.confirmation))

    @cached_property
    def importance(self) -> dict[str, dict[str, float]]:
        """{"stability": {name: share}, "distance": {...}}; {} with too few trials, or where each is a schedule."""
        return {} if self.experiment.is_population else importance(self.trials, self.experiment.search)

    @property
    def counts(self) -> dict[str, int]:
        """Trials in all and by status."""
        status = self.trials["status"]
        return {
            "total": len(status),
            **{name: int((status == name).sum()) for name in ("complete", "pruned", "failed")},
        }

    @property
    def verdicts(self) -> dict[str, int]:
        """Trials by verdict, worst first; those that died before they had one are left out."""
        found = self.trials["verdict"].value_counts()
        return {verdict: int(found[verdict]) for verdict in VERDICTS if verdict in found}

    @property
    def failure(self) -> str:
        """What the first trial raised, in a line, where none has a verdict; empty where one has, or none has ended."""
        if self.verdicts or self.trials.empty:
            return ""
        return error_line(str(self.trials["error"].iloc[0] or ""))

    @property
    def fresh_seconds(self) -> float | None:
        """About how long the runs on fresh seeds took; `wall_seconds` leaves them out. None where that is not known."""
        runs = [*self.confirmation, *read_default(self.folder)] if self.confirmation else []
        return confirmed_seconds(runs, self.run.get("slots"))

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch report --json`: plain numbers or None, times in seconds."""
        trials = self.trials
        wall = self.run.get("wall_seconds")
        if wall is None and len(trials):
            wall = (trials["ended"].max() - trials["started"].min()).total_seconds()
        found = {
            "trials": self.counts,
            "verdicts": self.verdicts,
            "best": self._told(self.best),
            "default": self._default_told(),
            "importance": self.importance,
            "wall_seconds": wall,
            "train_seconds": float(trials["train_seconds"].sum()),
            "slots": self.run.get("slots"),
        }
        if self.best is None:
            found["closest"] = self._told(self.closest)
        if self.failure:
            found["error"] = self.failure
        return dict(without_nan(found))

    def export(self, path: str | Path | None = None, format: str = "yaml", anyway: bool = False) -> str:
        """The best-balanced configuration as yaml, json or python text, also written to `path` if given.

        Raises StudyError where nothing is healthy; with `anyway` it is what came closest, if any trial has a verdict.
        """
        if format not in FORMATS:
            raise StudyError(f"{format!r} is not one of {', '.join(FORMATS)}")
        choice = self.best or (self.closest if anyway else None)
        if choice is None:
            raise NothingHealthy(f"{self.folder.path}: {self.nothing_healthy()}")
        text = export_text(choice, self.experiment, format)
        if path is not None:
            self._write(Path(path), text)
        return text

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the report, a page that needs no network, and returns its place: report.html by default."""
        from gansearch.study.report.report import report

        path = self.folder.report if path is None else Path(path)
        self._write(path, report(self))
        return path

    def nothing_healthy(self) -> str:
        """A sentence or two on why there is no best configuration, and which knob to turn."""
        choice = self.closest
        if self.failure:
            number = self.trials["number"].iloc[0]
            return f"nothing to export: every trial failed before it had a verdict; trial {number}: {self.failure}"
        if choice is None:
            return "nothing to export: no trial has ended."
        row = self.trials[self.trials["number"] == choice.number].iloc[0]
        verdict = self.verdict_of(choice)
        if choice.confirmed:
            start = "nothing healthy to export: no candidate was balanced on every fresh seed; trial"
            facts = f"{choice.healthy} of {len(choice.seeds)} balanced, else {verdict}"
        else:
            start, facts = "nothing healthy to export; trial", f"{verdict}, stability {choice.stability:.2f}"
            facts += f", {row['status']}" if row["status"] != "complete" else ""
        # Pruned trials can be balanced so far: there is no knob to turn then.
        sentences = [
            f"{start} {choice.number} came closest ({facts}).",
            ADVICE.get(verdict or "", ""),
            "Export it with --anyway.",
        ]
        return " ".join(filter(None, sentences))

    def verdict_of(self, choice: Choice) -> str | None:
        """The worst verdict of its confirmation, else its trial's; None where it died before it had one."""
        if choice.verdicts:
            return worst(verdict if verdict in VERDICTS else "diverged" for verdict in choice.verdicts)
        verdict = self.trials.loc[self.trials["number"] == choice.number, "verdict"].iloc[0]
        return str(verdict) if verdict in VERDICTS else None

    def compare(self, *others: Study) -> Comparison:
        """This study and others: a table with a row for each, and a figure."""
        return compare([self, *others])

    def show_samples(self) -> Any:
        """For notebooks: samples of the chosen trial and of others, as pictures, sounds, texts or tables, beside real
        ones."""
        from gansearch.study.report.samples import gallery

        return gallery(self)

    def __repr__(self) -> str:
        """One line, also where a table cannot be read: whoever looks at an object wants no exception."""
        name = f"Study({str(self.folder.path)!r}): {self.experiment.name}"
        try:
            best = f"best-balanced trial {self.best.number}" if self.best else "nothing healthy"
            return f"{name}, {many(len(self.trials), 'trial')}, {self.verdicts.get('balanced', 0)} balanced, {best}"
        except StudyError:
            return f"{name}, its tables cannot be read"

    def _repr_html_(self) -> str:
        """A card for notebooks: the answer, its numbers, and the trials by verdict."""
        choice = self.best or self.closest
        group = self.groups[0] if choice else None
        verdicts = dict(reversed(self.verdicts.items()))
        return fragment("card.html", study=self, choice=choice, group=group, verdicts=verdicts)

    def _with_schedule(self, choice: Choice | None) -> Choice | None:
        """A choice that is a population's member, with what its weights went through."""
        record = choice and read_record(self.folder, choice.number)
        return replace(choice, params=scheduled(choice.params, record.schedule)) if choice and record else choice

    def _told(self, choice: Choice | None) -> dict[str, Any] | None:
        """A choice as the contract has it: its trial's own numbers, and those of its confirmation beside."""
        if choice is None:
            return None
        row = self.trials[self.trials["number"] == choice.number].iloc[0]
        confirmed = {
            "seeds": list(choice.seeds),
            "healthy": choice.healthy,
            "stability": choice.stability,
            "distance": choice.distance,
            "interval": list(choice.interval) if choice.interval else None,
            "verdicts": choice.verdicts,
        }
        return {
            "number": choice.number,
            "params": choice.params,
            "stability": float(row["stability"]),
            "distance": float(row["distance"]),
            "confirmed": confirmed if choice.confirmed else None,
        }

    def _default_told(self) -> dict[str, Any] | None:
        """The default settings on their seeds; `fresh` says whether the search has never used these."""
        if self.default is None:
            return None
        return {
            "number": self.default.number,
            "fresh": self.default.fresh,
            "seeds": [seed.seed for seed in self.default.seeds if seed.seed >= 0],
            "healthy": self.default.healthy,
            "stability": self.default.stability,
            "distance": self.default.distance,
            "interval": list(self.default.interval) if self.default.interval else None,
            "verdicts": dict(Counter(seed.verdict for seed in self.default.seeds)),
        }

    def _table(self, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        try:
            return read()
        except (OSError, ValueError, KeyError) as error:
            raise StudyError(f"{self.folder.path}: a table cannot be read ({error_line(str(error))})") from None

    def _write(self, path: Path, text: str) -> None:
        try:
            write_whole(path, text)
        except OSError as error:
            raise StudyError(f"{path}: cannot be written ({error.strerror or error})") from None
