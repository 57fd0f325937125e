"""The seeds of a trial, trained at once or in turn: a task of ours, or a loop of the user's own."""

from __future__ import annotations

import dataclasses
import pickle
import statistics
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import torch

from gansearch.experiment import Experiment, ScriptTask
from gansearch.gan import Probe, SeedTrainer, Trainer, stacked
from gansearch.gan.moments import Moments
from gansearch.search.worker.distributed import WorkerDied, training_of
from gansearch.search.worker.halving import rungs_of
from gansearch.search.worker.rows import RowLink
from gansearch.search.worker.run import Ending, Run
from gansearch.search.worker.samples import over_time
from gansearch.search.worker.saves import Saves
from gansearch.search.worker.seed import SeedJob, trainer_of
from gansearch.stability.result import SeedResult
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import Standing, parse


class TrialRun(Run):
    """A trial over its seeds: those that every trial trains, then those that it earns."""

    def __init__(self, experiment: Experiment, config: Mapping[str, Any], cpus: float, gpus: float):
        """Start untrained. `config` may name the first "seed", and say that samples of its "moments" are kept."""
        super().__init__(experiment, config, cpus, gpus)
        self.moments = Moments() if config.get("moments") else None
        self.first_seed = config.get("seed", experiment.seed)
        self.standings: list[Standing] = []
        self.nearest = False
        """Whether no other trial was nearer to the data at its last rung: it is not given up as beyond hope."""
        self.trainers: list[SeedTrainer] = []
        """Those that train: of all seeds at once, or of one in its turn."""
        self.resumed: list[dict[str, Any]] = []
        """The states of the trainers that a checkpoint was in the middle of."""
        self.started: datetime | None = None
        self.in_turn = self.remark = self.apart = ""
        """Of `apart`: why it is not trained at once with other trials; empty where it is, or there are none."""
        self.files: dict[str, str] = {}
        """What is kept of its scripts, by path below the trial's folder."""
        self.saves = Saves(experiment.checkpoints, 0)

    def train(self) -> Generator[bool, None, None]:
        """Train all seeds: at once where their networks allow it, else one by one.

        At once, the others continue after a seed that failed or was pruned; in turn it is the last one. A loop of the
        user's own is called once in a process.
        """
        before = len(self.seeds)
        try:
            while self._wants_another():
                if self.experiment.is_loop and self.link and len(self.seeds) > before:
                    self.unfinished = True
                    return
                with self._next_trainers() as self.trainers:
                    self._begin()
                    alone = len(self.trainers) == 1
                    for probe in self.trainers[0].run() if alone else stacked.run(self.trainers):
                        self._note({0: probe} if isinstance(probe, Probe) else probe)
                        yield self.saves.due(self.updates) and not isinstance(self.experiment.task, ScriptTask)
                        self._advance()
                    self._finish()
        except WorkerDied:
            raise  # Tune trains it again from its checkpoint, as after the death of this worker
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
            self._keep_files()
            self.trainers = []
            self.fail(error)
            if self.link and self._earns:
                self.link("another", self.number, pickle.dumps([]))

    @contextmanager
    def _next_trainers(self) -> Iterator[list[SeedTrainer]]:
        if at_once := self._at_once():
            yield at_once
        else:
            with training_of(self._job(len(self.seeds)), self.link) as trainer:
                yield [trainer]

    def _at_once(self) -> list[SeedTrainer]:
        """Return the trainers of all seeds that need not be earned, or none where they take turns."""
        replicas = self.experiment.least_replicas
        if replicas == 1 or self.seeds or len(self.resumed) == 1 or self.experiment.is_loop:
            return []
        if self.experiment.resources.processes > 1:
            self.in_turn = "the workers of a trial train one seed together"
            return []
        trainers = [trainer_of(self._job(replica)) for replica in range(replicas)]
        self.in_turn = "" if self.resumed else stacked.refusal(cast(list[Trainer], trainers))
        return [] if self.in_turn else trainers

    def _job(self, replica: int) -> SeedJob:
        seed = self.first_seed + replica
        return SeedJob(self.experiment, self.params, seed, self.cpus, self.gpus, bool(self.experiment.prune))

    def _begin(self) -> None:
        # A worker's first trainer waits for data and imports, which is no part of training.
        self.started = self.started or datetime.now(UTC)
        for trainer, state in zip(self.trainers, self.resumed, strict=False):
            trainer.load_state(state)
            trainer.prune = trainer.prune and not self.nearest
        if self.resumed and self.link:
            for standing in self.standings:  # which the rungs of a resumed sweep do not know
                self.link("reach", pickle.dumps(standing), self.number)
        self.resumed = []
        self._keep_moment()
        self._advance()

    def _advance(self) -> None:
        """Make the updates before the next probe together with other trials, where this process has any."""
        if isinstance(self.link, RowLink):
            self.apart = self.link.advance(self.trainers) or self.apart

    def _note(self, probes: Mapping[int, Probe]) -> None:
        seeds = {place: trainer.seed for place, trainer in enumerate(self.trainers)}
        self._keep_moment()
        self.rows += [{"seed": seeds[n], **dataclasses.asdict(one)} for n, one in probes.items() if not one.is_empty]
        self._reach_rung()

    def _keep_moment(self) -> None:
        if self.moments and not self.seeds:
            self.moments.note(self.trainers[0])

    def _finish(self) -> None:
        if self.apart and self.experiment.resources.stack != "auto":
            self.remark = f"was not trained at once with others: {self.apart}"
        for trainer in self.trainers:
            self.keep(trainer.result())
            self.remark = self.remark or trainer.remark(self.params)
        self._keep_files()
        self.trainers = []

    def _keep_files(self) -> None:
        """Keep what the trainers write down of their runs."""
        for trainer in self.trainers:
            self.files |= {f"seed-{trainer.seed}/{name}": text for name, text in trainer.records().items()}

    def _reach_rung(self) -> None:
        """At a rung, decide on a trial by where others stood there. Of seeds in turn the first one represents all."""
        going = [trainer for trainer in self.trainers if not trainer.stopped]
        if not (self.link and self.experiment.prune) or self.seeds or not going:
            return
        rung = sum(share <= going[0].share < 1 for share, _ in rungs_of(self.experiment)) - 1
        if rung < 0 or any(rung <= known.rung for known in self.standings):
            return
        stabilities, distances = zip(*(trainer.standing() for trainer in going), strict=True)
        standing = Standing(rung, statistics.median(stabilities), statistics.median(distances))
        self.standings.append(standing)
        reason, self.nearest = self.link("reach", pickle.dumps(standing), self.number)
        for trainer in going:
            trainer.stopped, trainer.prune = reason, not self.nearest

    def status(self) -> dict[str, Any]:
        """Return the median stability so far; None at the end."""
        stabilities = [trainer.stability for trainer in self.trainers]
        return {"stability": statistics.median(stabilities) if stabilities else None}

    def ending(self) -> Ending:
        """Return what the seeds left."""
        started = self.started or datetime.now(UTC)
        more = {"remark": self.remark, "files": self.files, "moments": over_time(self.experiment, self.moments)}
        return self._ending(started, in_turn=self.in_turn, standings=self.standings, **more)

    def state(self) -> dict[str, Any]:
        """Return the seeds that are done, and the states of those that train."""
        return {
            "params": to_json(self.params),
            "seeds": to_json([dataclasses.asdict(seed) for seed in self.seeds]),
            "standings": to_json([dataclasses.asdict(standing) for standing in self.standings]),
            "nearest": self.nearest,
            "rows": to_json(self.rows),
            "samples": None if self.samples is None else torch.from_numpy(self.samples),
            "moments": self.moments and self.moments.state(),
            "trainers": [trainer.state() for trainer in self.trainers],
        }

    def load_state(self, state: Mapping[str, Any], resumed: bool = False) -> None:
        """Continue from a `state()`. All its rows are reported again.

        Raises ValueError for another configuration's: a study that lost its end gives out numbers again.
        """
        if from_json(state["params"]) != from_json(to_json(self.params)):
            raise ValueError("the checkpoint is of another configuration")
        self.seeds = [parse(SeedResult, seed) for seed in from_json(state["seeds"])]
        self.standings = [parse(Standing, standing) for standing in from_json(state["standings"])]
        self.nearest = state.get("nearest", False)
        self.rows = from_json(state["rows"])
        self.samples = None if state["samples"] is None else state["samples"].numpy()
        if self.moments and state.get("moments"):
            self.moments.load_state(state["moments"])
        self.resumed = state["trainers"]
        self.saves = Saves(self.experiment.checkpoints, self.updates)

    @property
    def updates(self) -> int:
        """Updates of the seeds that are done, and of each that is being trained."""
        return sum(seed.updates for seed in self.seeds) + sum(trainer.updates for trainer in self.trainers[:1])

    def _wants_another(self) -> bool:
        """Return whether more seeds are trained: the least while none fails or is pruned, then those it has earned."""
        done = len(self.seeds)
        if self.resumed:
            return True  # a checkpoint was in the middle of it
        if done < self.experiment.least_replicas:
            return all(seed.status == "complete" for seed in self.seeds)
        if self.link is None or not self._earns:
            return False
        earned: bool = self.link("another", self.number, pickle.dumps(self.seeds))
        return earned and done < self.experiment.most_replicas

    @property
    def _earns(self) -> bool:
        return self.experiment.least_replicas < self.experiment.most_replicas
