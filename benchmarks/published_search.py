"""gansearch's search in one process, without Ray: its sampler, rungs and race, each training a line of a file.

A search that is continued asks for its trials again, which the sampler finds by its seed and the results so far, and
takes those that have ended from the file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

import optuna
import pandas as pd
import torch

from gansearch.experiment import Experiment
from gansearch.gan import Trainer, load_task
from gansearch.search.sampling.objective import study_of, tell
from gansearch.search.sampling.prior import prior_centres
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.worker.halving import Rungs, rungs_of
from gansearch.stability.result import SeedResult
from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import Standing, TrialRecord, parse, trial_record
from gansearch.study.analysis.choose import choose_closest
from gansearch.study.analysis.race import next_runs, rules_of, winner

TIME = datetime(2030, 1, 1, tzinfo=UTC)


class Kept(Protocol):
    """Where trainings are kept, by (updates, number of the trial, seed)."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All of them."""

    def get(self, key: tuple[int, int, int], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The one of a key, which is made where there is none."""


class Search:
    """The sweep of an experiment, as far as its file goes and on."""

    def __init__(self, experiment: Experiment, kept: Kept, unseen: str = ""):
        """`unseen` is a built-in task of whose recorded runs the sampler's prior shall not know."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.experiment, self.kept = experiment, kept
        self.task = load_task(experiment.task, experiment.task_options)
        as_if = experiment.model_copy(update={"task": unseen or experiment.task})  # a task's own runs are left out
        self.study = study_of(optuna.storages.InMemoryStorage(), "published", experiment.objective)
        self.study.sampler = make_sampler(experiment, centres=prior_centres(as_if))
        self.space = SearchSpace(experiment)
        enqueue(self.study, self.space)
        self.rungs = Rungs(by_distance=experiment.stops_by_distance)
        self.params: dict[int, dict[str, Any]] = {}

    def best(self) -> dict[str, Any]:
        """The parameters that the sweep exports, or where nothing is healthy those that came closest."""
        records = [self._trial() for _ in range(self.experiment.most_trials)]
        trials = pd.DataFrame([record.row for record in records])
        rules, results = rules_of(self.experiment, trials), list[FreshSeed]()
        while runs := next_runs(trials, results, [], rules):
            number, seed = runs[0]
            assert number is not None
            end = self._kept(number, seed, self.params[number], prune=False)["end"]
            results.append(parse(FreshSeed, {**end, "number": number}))
        choice = winner(trials, results, rules) or choose_closest(trials, results)
        if choice is None:
            raise SystemExit(f"{self.experiment.name}: no trial came to an end")
        return self.params[choice.number]

    def _trial(self) -> TrialRecord:
        trial = self.space.ask(self.study)
        params = self.params[trial.number] = self.space.params(trial.params)
        run = self._kept(trial.number, self.experiment.seed, params, prune=True)
        standings = [parse(Standing, standing) for standing in run["standings"]]
        times = {"started": TIME, "ended": TIME}
        source = trial.user_attrs.get("source", "")
        results = [parse(SeedResult, run["end"])]
        record = trial_record(
            trial.number, self.experiment, params, results, **times, node="", standings=standings, source=source
        )
        tell(trial, record, self.experiment.objective)
        return record

    def _kept(self, number: int, seed: int, params: Mapping[str, Any], prune: bool) -> dict[str, Any]:
        """A training that is in the file, or that is made now."""
        key, made = (self.experiment.training.updates, number, seed), list[dict[str, Any]]()

        def make() -> dict[str, Any]:
            made.append(self._train(seed, params, prune))
            return made[0]

        run = self.kept.get(key, make)
        if run["params"] != params:
            raise SystemExit(f"{self.experiment.name}: the file's trial {number} is of another search; remove the file")
        if made:
            end = run["end"]
            became = f"{end['status']}, {end['verdict']}, distance {end['distance']:.3f}"
            print(f"{self.experiment.name} trial {number}, seed {seed}: {became}", params, flush=True)
        else:
            for standing in run["standings"]:
                self.rungs.reach(parse(Standing, standing))
        return run

    def _train(self, seed: int, params: Mapping[str, Any], prune: bool) -> dict[str, Any]:
        torch.set_num_threads(1)
        start = time.process_time()
        trainer = Trainer(self.task, self.experiment.training.with_params(params), seed, prune=prune)
        standings: list[Standing] = []
        for _ in trainer.run():
            rung = sum(share <= trainer.share < 1 for share, _ in rungs_of(self.experiment)) - 1
            if prune and not trainer.stopped and rung >= len(standings):
                standings.append(Standing(rung, *trainer.standing()))
                trainer.stopped, nearest = self.rungs.reach(standings[-1])
                trainer.prune = not nearest
        end = trainer.result().without_samples()
        seconds = round(time.process_time() - start, 1)
        return {"params": params, "seconds": seconds, "end": asdict(end), "standings": [*map(asdict, standings)]}
