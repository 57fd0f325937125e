"""What a results folder says of its sweep: its tables, the choice, verdicts and summary."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import pandas as pd

from gansearch.experiment import Experiment, ScriptTask
from gansearch.formatting import error_line, readings, without_nan
from gansearch.stability.verdict import ADVICE, HEALTHY, SCORE_VERSION, VERDICTS, worst
from gansearch.store.confirmation import FreshSeed, read_confirmation, read_default
from gansearch.store.folder import Folder, StudyError
from gansearch.store.record import STATUSES, scheduled
from gansearch.store.run_file import read_run
from gansearch.store.tables import read_curves, read_trials
from gansearch.store.trial_files import read_record
from gansearch.study.analysis.changes import Change, best_changes
from gansearch.study.analysis.choose import Choice, choose_best, choose_closest
from gansearch.study.analysis.importance import importance
from gansearch.study.analysis.race import choose_raced, rules_of
from gansearch.study.analysis.seeds import Seeds, confirmed, default_settings, default_values, of_trial
from gansearch.study.analysis.time_spent import confirmed_seconds


class StudyData:
    """The results of a sweep. Each part is read when it is first asked for, and then kept."""

    def __init__(self, folder: Folder, experiment: Experiment):
        """Describe the sweep in a folder; nothing is read yet."""
        self.folder = folder
        self.experiment = experiment

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row for each trial, with the columns of trials.parquet."""
        return self._table(lambda: read_trials(self.folder, self.experiment.search))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row for each trial, seed and probe, with the columns of curves.parquet."""
        return self._table(lambda: read_curves(self.folder))

    @cached_property
    def confirmation(self) -> list[FreshSeed]:
        """The results of the candidates on fresh seeds; in a race only those with the budget that is asked for now."""
        results, confirm = read_confirmation(self.folder), self.experiment.confirm
        return [one for one in results if one.budget == confirm.updates] if self.folder.races and confirm else results

    @cached_property
    def run(self) -> dict[str, Any]:
        """How the sweep was run: slots, wall_seconds, versions, hardware, command; {} where that is not known."""
        return read_run(self.folder)

    @property
    def score_remark(self) -> str:
        """By which versions of the stability score the trials were judged; empty where it is this gansearch's."""
        versions = self.run.get("score", [1])
        if versions == [SCORE_VERSION] or self.trials.empty:
            return ""
        judged = f"version{'s' if len(versions) > 1 else ''} {' and '.join(map(str, versions))}"
        return f"judged by {judged} of the stability score; this gansearch has version {SCORE_VERSION}"

    @cached_property
    def best(self) -> Choice | None:
        """The best-balanced configuration; None where nothing is healthy, or nothing measures a script's distance."""
        if isinstance(self.experiment.task, ScriptTask) and self.experiment.task.distance is None:
            return None
        if self.folder.races and self.confirmation:
            rules = rules_of(self.experiment, self.trials)
            return self._with_schedule(choose_raced(self.trials, self.confirmation, rules))
        return self._with_schedule(choose_best(self.trials, self.confirmation))

    @cached_property
    def closest(self) -> Choice | None:
        """What came closest to it, where nothing is healthy; None where every trial failed before it had a verdict."""
        return None if self.best else self._with_schedule(choose_closest(self.trials, self.confirmation))

    @property
    def healthy_word(self) -> str:
        """What a healthy run is called: of a script it may be one in which nothing wrong can be seen."""
        return "healthy" if isinstance(self.experiment.task, ScriptTask) else "balanced"

    @property
    def headline(self) -> str:
        """Which trial was chosen, and as what, in a line; empty where there is none."""
        choice, script = self.choice, self.experiment.task if isinstance(self.experiment.task, ScriptTask) else None
        if choice is None:
            return ""
        if self.best:
            what = "the nearest of the healthy" if script else "the best-balanced configuration"
            return f"Trial {choice.number} is {what}"
        if script and script.distance is None and self.verdict_of(choice) in HEALTHY:
            return f"No best without a distance (task.distance); trial {choice.number} is the healthiest"
        why = "Nothing is healthy"
        if choice.confirmed:
            where = "enough fresh seeds" if self.folder.races else "every fresh seed"
            why = f"No candidate was {self.healthy_word} on {where}"
        return f"{why}; trial {choice.number} came closest"

    @property
    def choice(self) -> Choice | None:
        """The best-balanced configuration, else what came closest."""
        return self.best or self.closest

    @cached_property
    def importance(self) -> dict[str, dict[str, float]]:
        """{"stability": {name: share}, "distance": {...}}; {} with too few trials, or where each is a schedule."""
        return {} if self.experiment.is_population else importance(self.trials, self.experiment.search)

    @cached_property
    def default(self) -> Seeds | None:
        """The default settings on some seeds, where somebody has tried them (see `default_settings`)."""
        return default_settings(self.folder, self.experiment, self.trials, confirmed(self.trials, self.confirmation))

    @cached_property
    def groups(self) -> list[Seeds]:
        """The chosen configuration on its seeds, the other confirmed candidates, and the default settings.

        Candidates that are balanced on every seed come before the others, each by their median distance.
        """
        choice, default = self.choice, self.default
        groups = confirmed(self.trials, self.confirmation)
        if choice and not choice.confirmed:
            groups = [of_trial(self.folder, self.trials, choice.number)]

        def order(group: Seeds) -> tuple[bool, bool, float]:
            other = choice is not None and group.number != choice.number
            return other, group.healthy < len(group.seeds), math.inf if math.isnan(group.distance) else group.distance

        groups.sort(key=order)
        if default is None or (choice and default.number == choice.number):
            return groups
        return [*(group for group in groups if group.number != default.number), default]

    def changes(self, settings: Mapping[str, Any] | None = None) -> list[Change]:
        """Which one change of some settings, by default the default ones, is expected to bring most; that comes first.

        Each searched field has one, with the value that is expected to be best, where that is better than its own.
        `settings` has a value for each searched field. The fresh seeds count like trials.
        """
        return best_changes(self._runs, self.experiment, settings)

    @property
    def _runs(self) -> pd.DataFrame:
        """The searched fields and distances of all runs: trials, and the configurations on fresh seeds."""
        fields = list(self.experiment.search)
        runs = [self.trials[[*fields, "distance"]]]
        for group in self.groups:
            if group.fresh and group.number is not None:
                own: dict[Any, Any] = self.trials.loc[self.trials["number"] == group.number, fields].iloc[0].to_dict()
            elif group.fresh and (values := default_values(self.experiment)):
                own = values
            else:
                continue
            runs.append(pd.DataFrame([{**own, "distance": seed.distance} for seed in group.seeds]))
        return pd.concat(runs, ignore_index=True)

    @property
    def counts(self) -> dict[str, int]:
        """Trials in all and by status."""
        counted = self.trials["status"].value_counts()
        return {"total": len(self.trials)} | {name: int(counted.get(name, 0)) for name in STATUSES}

    @property
    def verdicts(self) -> dict[str, int]:
        """Trials by verdict, worst first; those that died before they had one are left out."""
        counted = self.trials["verdict"].value_counts()
        return {verdict: int(counted[verdict]) for verdict in VERDICTS if verdict in counted}

    @property
    def unknown(self) -> str:
        """Why a verdict is unknown, in the words of the first trial that has this one; empty where none has."""
        numbers = self.trials.loc[self.trials["verdict"] == "unknown", "number"]
        record = read_record(self.folder, int(numbers.iloc[0])) if len(numbers) else None
        return record.sentence("unknown") if record else ""

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

    @property
    def gpu_hours(self) -> float | None:
        """GPUs times hours, of trials and runs on fresh seeds; None where there was no GPU, or nobody counted."""
        seconds = self.trials["gpu_seconds"].dropna()
        hours = self.run.get("gpu_hours", float(seconds.sum()) / 3600 if len(seconds) else None)
        return None if hours is None else float(hours)

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch report --json`: plain numbers or None, times in seconds."""
        trials = self.trials
        wall = self.run.get("wall_seconds")
        if wall is None and len(trials):
            wall = (trials["ended"].max() - trials["started"].min()).total_seconds()
        facts = {
            "trials": self.counts,
            "verdicts": self.verdicts,
            "best": self._choice_summary(self.best),
            "default": self._default_summary(),
            "importance": self.importance,
            "wall_seconds": wall,
            "train_seconds": float(trials["train_seconds"].sum()),
            "slots": self.run.get("slots"),
        }
        if self.gpu_hours is not None:
            facts["gpu_hours"] = self.gpu_hours
        if self.best is None:
            facts["closest"] = self._choice_summary(self.closest)
        if self.failure:
            facts["error"] = self.failure
        return dict(without_nan(facts))

    def nothing_healthy(self) -> str:
        """A sentence or two on why there is no best configuration, and which field to change."""
        choice = self.closest
        if self.failure:
            number = self.trials["number"].iloc[0]
            return f"nothing to export: every trial failed before it had a verdict; trial {number}: {self.failure}"
        if choice is None:
            return "nothing to export: no trial has ended."
        status, verdict = self._row(choice)["status"], self.verdict_of(choice)
        known = ", ".join([str(verdict), *readings(choice.stability)])
        if self.headline.startswith("No best"):
            return f"{self.headline} ({known}). Export it with --anyway."
        if choice.confirmed:
            where = "enough fresh seeds" if self.folder.races else "every fresh seed"
            start = f"nothing healthy to export: no candidate was {self.healthy_word} on {where}; trial"
            facts = f"{choice.healthy} of {len(choice.seeds)} {self.healthy_word}, else {verdict}"
        else:
            start = "nothing healthy to export; trial"
            facts = known + (f", {status}" if status != "complete" else "")
        sentences = [
            f"{start} {choice.number} came closest ({facts}).",
            ADVICE.get(verdict or "", ""),  # none for a pruned trial that was balanced so far
            "Export it with --anyway.",
        ]
        return " ".join(filter(None, sentences))

    def verdict_of(self, choice: Choice) -> str | None:
        """The worst verdict of its confirmation, else its trial's; None where it died before it had one."""
        if choice.verdicts:
            return worst(verdict if verdict in VERDICTS else "diverged" for verdict in choice.verdicts)
        verdict = self._row(choice)["verdict"]
        return str(verdict) if verdict in VERDICTS else None

    def _row(self, choice: Choice) -> pd.Series[Any]:
        """The row of its trial."""
        return self.trials[self.trials["number"] == choice.number].iloc[0]

    def _with_schedule(self, choice: Choice | None) -> Choice | None:
        """A choice that is a member of a population, with the schedule that its weights went through."""
        record = choice and read_record(self.folder, choice.number)
        return replace(choice, params=scheduled(choice.params, record.schedule)) if choice and record else choice

    def _choice_summary(self, choice: Choice | None) -> dict[str, Any] | None:
        """The numbers of its trial, and beside them those of its confirmation."""
        if choice is None:
            return None
        row = self._row(choice)
        return {
            "number": choice.number,
            "params": choice.params,
            "stability": float(row["stability"]),
            "distance": float(row["distance"]),
            "confirmed": {"seeds": list(choice.seeds), **_measured(choice)} if choice.confirmed else None,
        }

    def _default_summary(self) -> dict[str, Any] | None:
        """The default settings on their seeds; `fresh` says whether the search has never used these."""
        default = self.default
        if default is None:
            return None
        return {
            "number": default.number,
            "fresh": default.fresh,
            "seeds": [seed.seed for seed in default.seeds if seed.seed >= 0],
            **_measured(default),
        }

    def _table(self, read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        try:
            return read()
        except (OSError, ValueError, KeyError) as error:
            raise StudyError(f"{self.folder.path}: a table cannot be read ({error_line(str(error))})") from None


def _measured(one: Choice | Seeds) -> dict[str, Any]:
    """What a configuration's seeds gave."""
    interval = list(one.interval) if one.interval else None
    numbers = {name: getattr(one, name) for name in ("healthy", "stability", "distance")}
    return {**numbers, "interval": interval, "verdicts": one.verdicts}
