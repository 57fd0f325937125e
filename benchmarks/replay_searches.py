"""gansearch's own search for a replay, by its own sampler, rungs and choice; nothing of these is written here again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
import pandas as pd
from replay_anchors import NoRule
from replay_landscape import Landscape, Look, Run
from replay_sweep import Check, Seed, Trial

from gansearch.experiment import Experiment
from gansearch.experiment.sections import Confirm
from gansearch.search.sampling.objective import study_of, tell
from gansearch.search.sampling.prior import prior_centres
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.worker.halving import Rungs, rungs_of
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import Standing, TrialRecord, parse, trial_record
from gansearch.study.analysis.choose import Choice, by_distance, candidates, choose_best, choose_closest, closest
from gansearch.study.analysis.race import SHARE, next_runs, rules_for, rules_of, winner

Centres = Sequence[Mapping[str, Any]]
TIME = datetime(2030, 1, 1, tzinfo=UTC)
BEYOND_HOPE = -1


class ProductRule:
    """The rungs, and trials beyond hope."""

    def __init__(self, by_distance: bool):
        self.rungs = Rungs(by_distance)
        self.standings: dict[int, list[Standing]] = {}
        """By trial."""
        self.nearest: set[int] = set()
        """The trials that are not given up, as they were the nearest of all at the rung that they reached last."""
        self.hopeless: set[int] = set()
        """The trials that would be given up if they were not among these."""

    def stops(self, number: int, check: Check, looks: Sequence[Look]) -> bool:
        if check.rung == BEYOND_HOPE:
            self.hopeless.add(number)
            return number not in self.nearest
        known = looks[-1] if looks else Look(check.update, math.nan, math.nan)
        standing = Standing(check.rung, known.stability, known.distance)
        self.standings.setdefault(number, []).append(standing)
        reason, nearest = self.rungs.reach(standing)
        (self.nearest.add if nearest else self.nearest.discard)(number)
        return bool(reason) or (number in self.hopeless and not nearest)

    def ended(self, trial: Trial) -> None:
        pass


class Product:
    """A sweep of an experiment by `gansearch sweep`."""

    measures_stopped = False
    """Their distance is that of the rung."""

    def __init__(self, land: Landscape, experiment: Experiment, seed: int, centres: Centres | None = None):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.land, self.experiment = land, experiment.model_copy(update={"seed": seed})
        self.rule = ProductRule(experiment.stops_by_distance) if experiment.prune else NoRule()
        self.study = study_of(optuna.storages.InMemoryStorage(), "replay", experiment.objective)
        others = prior_centres(self.experiment) if centres is None else centres
        self.study.sampler = make_sampler(self.experiment, centres=others)
        self.space = SearchSpace(self.experiment)
        enqueue(self.study, self.space)
        self.asked: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, Mapping[str, Any]]:
        trial = self.space.ask(self.study)
        self.asked[trial.number] = trial
        return trial.number, self.space.params(trial.params)

    def checks(self, params: Mapping[str, Any], run: Run) -> list[Check]:
        """In each rung, and where the run was found beyond hope."""
        if not self.experiment.prune:
            return []
        before = params.get("pretrain_steps", 0)
        due = [before + share * (self.land.updates - before) for share, _ in rungs_of(self.experiment)]
        found = [Check(run.asked_at(at), rung) for rung, at in enumerate(due)]
        beyond = run.end["beyond_hope_at"]
        if math.isfinite(beyond) and run.end["status"] != "failed":
            found.append(Check(beyond, BEYOND_HOPE))
        return sorted(found, key=lambda check: (check.update, check.rung))

    def tell(self, trial: Trial) -> None:
        standings = self.rule.standings.get(trial.number, []) if isinstance(self.rule, ProductRule) else []
        record = record_of(trial, self.experiment, standings)
        tell(self.asked.pop(trial.number), record, self.experiment.objective)

    def share(self, budget: float) -> float | None:
        """What race, seeds of the winner and default settings leave, where there are any."""
        if self.experiment.confirm is None:
            return None
        rules = rules_for(self.experiment, self.experiment.trials)
        return (budget - (rules.replicas - 1) - rules.default) / (1 + SHARE)

    def best(self, trials: Sequence[Trial]) -> Mapping[str, Any] | None:
        """The nearest of the healthy, of those that have ended; the sweep is cut off where no more is confirmed."""
        table = table_of([trial for trial in trials if trial.end or trial.stopped], self.experiment)
        if table.empty:
            return None
        healthy = by_distance(table)["number"].tolist()
        number = healthy[0] if healthy else closest(table)
        return None if number is None else next(trial.params for trial in trials if trial.number == number)

    def stage(self, trials: Sequence[Trial]) -> Confirmation | Race:
        return Race(trials, self.experiment)


class Version02(Product):
    """A sweep with the rules of the folders that version 0.2 began."""

    measures_stopped = True

    def __init__(self, land: Landscape, experiment: Experiment, seed: int):
        rules = {"objective": "both", "sampler": "tpe", "prune": "both"}
        super().__init__(land, experiment.model_copy(update=rules), seed)

    def share(self, budget: float) -> float | None:
        """What confirmation leaves, where there is one."""
        confirm = self.experiment.confirm
        if confirm is None:
            return None
        return budget - confirm.replicas * (confirm.top + self.experiment.confirms_default)

    def stage(self, trials: Sequence[Trial]) -> Confirmation | Race:
        return Confirmation(trials, self.experiment)


class Race:
    """The race of the nearest trials, then the winner's other seeds and the default settings."""

    def __init__(self, trials: Sequence[Trial], experiment: Experiment):
        self.trials, self.table = trials, table_of(trials, experiment)
        self.rules = rules_of(experiment, self.table) if trials else None

    def next(self, done: Mapping[Seed, Run], running: Sequence[Seed]) -> Seed | None:
        if self.rules is None:
            return None
        runs = next_runs(self.table, results_of(done), running, self.rules)
        return Seed(*runs[0]) if runs else None

    def exported(self, done: Mapping[Seed, Run]) -> Mapping[str, Any] | None:
        choice = self.choice(done) or (None if self.table.empty else choose_closest(self.table, results_of(done)))
        return None if choice is None else self.trials[choice.number].params

    def choice(self, done: Mapping[Seed, Run]) -> Choice | None:
        """What best.yaml says, but for the neighbourhood; None where nothing is healthy."""
        return winner(self.table, results_of(done), self.rules) if self.rules else None


class Confirmation:
    """The candidates, then the default settings, on all their seeds."""

    def __init__(self, trials: Sequence[Trial], experiment: Experiment):
        assert experiment.confirm is not None
        self.trials, self.table = trials, table_of(trials, experiment)
        numbers: list[int | None] = []
        if trials:
            numbers += candidates(self.table, experiment.confirm.top)
            numbers += [None] if experiment.confirms_default else []
        self.seeds = [Seed(number, seed) for number in numbers for seed in range(experiment.confirm.replicas)]

    def next(self, done: Mapping[Seed, Run], running: Sequence[Seed]) -> Seed | None:
        return next((seed for seed in self.seeds if seed not in done and seed not in running), None)

    def exported(self, done: Mapping[Seed, Run]) -> Mapping[str, Any] | None:
        if self.table.empty:
            return None
        choice = self.choice(done) or choose_closest(self.table, results_of(done))
        return None if choice is None else self.trials[choice.number].params

    def choice(self, done: Mapping[Seed, Run]) -> Choice | None:
        """What best.yaml says; None where nothing is healthy."""
        return choose_best(self.table, results_of(done))


def results_of(done: Mapping[Seed, Run]) -> list[FreshSeed]:
    """As confirmation.json and default.json have them, in the order in which they ended."""
    return [parse(FreshSeed, {**run.end, "seed": seed.seed, "number": seed.number}) for seed, run in done.items()]


def record_of(trial: Trial, experiment: Experiment, standings: Sequence[Standing] = ()) -> TrialRecord:
    """A trial's record as the driver makes it. Of a stopped one the recordings have no verdict: the rule had none."""
    if trial.end is None:
        last = trial.looks[-1] if trial.looks else Look(trial.updates, math.nan, math.nan)
        end: Mapping[str, Any] = {
            "status": "pruned",
            "verdict": "uninformative",
            "stability": last.stability,
            "distance": last.distance,
        }
    else:
        end = trial.end
    seed = parse(SeedResult, {**end, "seed": experiment.seed, "updates": int(trial.updates), "train_seconds": 0.0})
    times = {"started": TIME, "ended": TIME}
    return trial_record(trial.number, experiment, trial.params, [seed], **times, node="", standings=standings)


def table_of(trials: Iterable[Trial], experiment: Experiment) -> pd.DataFrame:
    """The table of trials of the sweep."""
    return pd.DataFrame([record_of(trial, experiment).row for trial in trials])


def gansearch(land: Landscape, seed: int) -> Product:
    """The experiment with the defaults of everything but its space."""
    return Product(land, land.experiment.model_copy(update={"confirm": Confirm()}), seed)


def gansearch_unconfirmed(land: Landscape, seed: int) -> Product:
    return Product(land, land.experiment.model_copy(update={"confirm": None}), seed)


def without_prior(land: Landscape, seed: int) -> Product:
    return Product(land, land.experiment.model_copy(update={"confirm": Confirm()}), seed, [])


def wrong_prior(land: Landscape, seed: int) -> Product:
    """The worst tenth of the landscape's own configurations for a prior."""
    configurations = {run.end["index"]: run.end for run in land.runs}.values()
    ranked = sorted(configurations, key=land.median, reverse=True)
    worst = [{name: run[name] for name in land.experiment.search} for run in ranked[: len(ranked) // 10]]
    return Product(land, land.experiment.model_copy(update={"confirm": Confirm()}), seed, worst)


def version_02(land: Landscape, seed: int) -> Product:
    return Version02(land, land.experiment.model_copy(update={"confirm": Confirm()}), seed)


def version_02_unconfirmed(land: Landscape, seed: int) -> Product:
    return Version02(land, land.experiment.model_copy(update={"confirm": None}), seed)


PRODUCTS = {
    "gansearch": gansearch,
    "gansearch_unconfirmed": gansearch_unconfirmed,
    "without_prior": without_prior,
    "wrong_prior": wrong_prior,
    "version_02": version_02,
    "version_02_unconfirmed": version_02_unconfirmed,
}
