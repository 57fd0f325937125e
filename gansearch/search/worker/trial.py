"""What one Ray worker runs: the seeds of a trial, at once or in turn, reported in batches and saved now and then."""

from __future__ import annotations

import dataclasses
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from ray import tune
from ray.actor import ActorHandle
from ray.exceptions import RayError

from gansearch.experiment import Experiment
from gansearch.gan import Result, SeedTrainer, Task, Trainer, stacked, trainer_for
from gansearch.search.worker.checkpoints import STATE, Saves, read_state
from gansearch.search.worker.distributed import WorkerDied, device_of, task_of, together, why
from gansearch.search.worker.halving import RUNGS
from gansearch.search.worker.samples import few, to_show
from gansearch.stability.result import SeedResult
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import Segment, Standing, parse

_LOG = logging.getLogger(__name__)

REPORT_SECONDS = 1.0
"""Between reports: often enough for a live view, seldom enough for the 2–4 ms in which the worker waits."""


@dataclass
class Ending:
    """What a trial left when its training ended, however it ended."""

    seeds: list[SeedResult]
    samples: np.ndarray | None
    """(N, ...) fakes of the first seed, at most 64 and 1 MB."""
    started: datetime
    ended: datetime
    node: str
    """Ray's address of the node."""
    error: str
    """The traceback of what was raised; empty if nothing was."""
    in_turn: str
    """Why its seeds were trained one after the other; empty if they were not, or there is one."""
    standings: list[Standing] = field(default_factory=list)
    """At the rungs that it reached."""
    remark: str = ""
    """What the user should know of a loop of their own; empty if nothing."""
    schedule: list[Segment] = field(default_factory=list)
    """What its weights went through, of a member of a population."""
    shown: dict[str, Any] = field(default_factory=dict)
    """How the task shows `samples`."""
    real: np.ndarray | None = None
    """As many held-out reals, to set the samples beside."""
    real_shown: dict[str, Any] = field(default_factory=dict)


def trainable(
    experiment: Experiment, rungs: ActorHandle | None = None, race: ActorHandle | None = None
) -> Callable[[dict[str, Any]], None]:
    """The function that Ray Tune runs for each trial of an experiment; with actors of Rungs and of Race."""

    def train(config: dict[str, Any]) -> None:
        run_trial(experiment, config, rungs, race)

    return train


def run_trial(
    experiment: Experiment,
    config: Mapping[str, Any],
    rungs: ActorHandle | None = None,
    race: ActorHandle | None = None,
) -> None:
    """Trains one trial, `config` as StudySearcher suggests it; reports {"rows", "on", "stability", "gpus"}, and at last
    {"rows", "on", "ending"}: `on` is Ray's id of the node, `stability` what it is so far, `gpus` the ids of its GPUs.

    Whatever the user's code raises ends the trial, not the worker.
    """
    trial = _Trial(experiment, config["params"], config["number"], rungs, race)
    _restore(trial, config["checkpoints"])
    cpus, gpus = own_resources()
    on = ray.get_runtime_context().get_node_id()
    sent, reported = 0, time.monotonic()
    saves = Saves(experiment.checkpoints, trial.updates)
    for _ in trial.train(cpus, gpus):
        due = saves.due(trial.updates)
        if not due and time.monotonic() - reported < REPORT_SECONDS:
            continue
        news = {**trial.news(sent), "on": on}
        if not (due and _saved(trial.state(), news)):
            tune.report(news)
        sent, reported = len(trial.rows), time.monotonic()
    tune.report({"rows": trial.rows[sent:], "on": on, "ending": trial.ending()})


def _saved(state: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Reports news with a checkpoint; False where there is no room for one, and the trial goes on without."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            torch.save(state, Path(folder) / STATE)
            tune.report(dict(news), checkpoint=tune.Checkpoint.from_directory(folder))
    except (OSError, RuntimeError) as error:  # torch.save makes a RuntimeError of a full disk
        _LOG.warning("A checkpoint was not written: %s", error)
        return False
    return True


def train_seed(
    experiment: Experiment, params: Mapping[str, Any], seed: int, cpus: float, gpus: float, prune: bool
) -> Trainer:
    """A trainer for one seed of one configuration on this worker's device. Raises what the task raises."""
    # PyTorch's thread number belongs to the calling thread, and Ray Tune makes a new one for each trial.
    torch.set_num_threads(max(1, int(cpus)))
    task, training = task_of(experiment), experiment.training.with_params(params)
    assert isinstance(task, Task)
    return Trainer(task, training, seed=seed, device=device_of(gpus), prune=prune)


@contextmanager
def training_of(
    experiment: Experiment, params: Mapping[str, Any], seed: int, cpus: float, gpus: float, prune: bool
) -> Iterator[SeedTrainer]:
    """The same, or a user's loop, with the trial's other workers where it has several; they are gone afterwards."""
    torch.set_num_threads(max(1, int(cpus)))
    if experiment.resources.processes == 1:
        training = experiment.training.with_params(params)
        yield trainer_for(task_of(experiment), training, seed, device_of(gpus), prune)
        return
    with together(experiment, params, seed, cpus, gpus, prune) as trainer:
        yield trainer


@dataclass
class _Trial:
    """The progress of one trial over its seeds."""

    experiment: Experiment
    params: Mapping[str, Any]
    number: int = 0
    rungs: ActorHandle | None = None
    race: ActorHandle | None = None
    standings: list[Standing] = field(default_factory=list)
    seeds: list[SeedResult] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    samples: np.ndarray | None = None
    error: str = ""
    started: datetime | None = None
    trainers: list[SeedTrainer] = field(default_factory=list)
    """Those that train: of all seeds at once, or of one in its turn."""
    resumed: list[dict[str, Any]] = field(default_factory=list)
    """The states of the trainers that a checkpoint was in the middle of."""
    in_turn: str = ""
    remark: str = ""

    def train(self, cpus: float, gpus: float) -> Iterator[None]:
        """Trains all seeds and yields after each probe: at once where their networks allow it, else one by one; then
        those that it earns.

        At once a seed that failed or was pruned leaves the others to go on; in turn it is the last. What the user's
        code raises is kept in `error`; what the consumer raises between probes is not caught.
        """
        try:
            self.trainers = [*self._at_once(cpus, gpus)]
            if self.trainers:
                yield from self._run()
            while self._wants_another():
                with training_of(*self._seed(len(self.seeds)), cpus, gpus, self.experiment.prune) as trainer:
                    self.trainers = [trainer]
                    yield from self._run()
        except WorkerDied:
            raise  # which Ray Tune trains again from its checkpoint, as after the end of this worker
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
            self.error = why(error)
            if self.race is not None:
                self.race.another.remote(self.number, [])
            if torch.cuda.is_available():
                torch.cuda.empty_cache()  # the worker goes on with the next trial

    def _at_once(self, cpus: float, gpus: float) -> list[Trainer]:
        """Trainers of all seeds that need not be earned, or none where they take turns."""
        replicas = self.experiment.least_replicas
        if replicas == 1 or self.seeds or len(self.resumed) == 1 or self.experiment.is_loop:
            return []
        if self.experiment.resources.processes > 1:
            self.in_turn = "the workers of a trial train one seed together"
            return []
        trainers = [train_seed(*self._seed(n), cpus, gpus, self.experiment.prune) for n in range(replicas)]
        self.in_turn = "" if self.resumed else stacked.refusal(trainers)
        return [] if self.in_turn else trainers

    def _seed(self, replica: int) -> tuple[Experiment, Mapping[str, Any], int]:
        return self.experiment, self.params, self.experiment.seed + replica

    def _run(self) -> Iterator[None]:
        # A worker's first trainer waits for data and imports; that is no part of training.
        self.started = self.started or datetime.now(UTC)
        for trainer, state in zip(self.trainers, self.resumed, strict=False):
            trainer.load_state(state)
        self.resumed = []
        for probes in stacked.run(self.trainers):
            self.rows += [{"seed": seed, **dataclasses.asdict(probe)} for seed, probe in probes.items()]
            self._reach_rung()
            yield
        for trainer in self.trainers:
            self._keep(trainer.result())
            self.remark = self.remark or trainer.remark(self.params)
        self.trainers = []

    def _reach_rung(self) -> None:
        """At a rung, ends the run where it is behind other trials'. Of seeds in turn the first one stands for all."""
        going = [trainer for trainer in self.trainers if not trainer.stopped]
        if self.rungs is None or self.seeds or not going:
            return
        rung = sum(share <= going[0].share < 1 for share, _ in RUNGS) - 1
        if rung < 0 or any(rung <= known.rung for known in self.standings):
            return
        stabilities, distances = zip(*(trainer.standing() for trainer in going), strict=True)
        standing = Standing(rung, statistics.median(stabilities), statistics.median(distances))
        self.standings.append(standing)
        try:
            why = ray.get(self.rungs.reach.remote(standing))
        except RayError:
            return  # the node that kept the rungs is gone
        for trainer in going:
            trainer.stopped = why

    def news(self, sent: int) -> dict[str, Any]:
        """What a report holds while it trains, after `sent` rows."""
        stability = statistics.median(trainer.stability for trainer in self.trainers)
        return {"rows": self.rows[sent:], "stability": stability, "gpus": own_gpus()}

    def ending(self) -> Ending:
        node, now = ray.util.get_node_ip_address(), datetime.now(UTC)
        return Ending(
            *(self.seeds, self.samples, self.started or now, now, node, self.error, self.in_turn, self.standings),
            remark=self.remark,
            **to_show(self.experiment, self.samples),
        )

    def state(self) -> dict[str, Any]:
        """Everything, as torch.load(weights_only=True) takes it."""
        return {
            "params": to_json(self.params),
            "seeds": to_json([dataclasses.asdict(seed) for seed in self.seeds]),
            "standings": to_json([dataclasses.asdict(standing) for standing in self.standings]),
            "rows": to_json(self.rows),
            "samples": None if self.samples is None else torch.from_numpy(self.samples),
            "trainers": [trainer.state() for trainer in self.trainers],
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError for another configuration's: a study that lost its end gives out numbers anew."""
        if from_json(state["params"]) != from_json(to_json(self.params)):
            raise ValueError("the checkpoint is of another configuration")
        self.seeds = [parse(SeedResult, seed) for seed in from_json(state["seeds"])]
        self.standings = [parse(Standing, standing) for standing in from_json(state["standings"])]
        self.rows = from_json(state["rows"])
        self.samples = None if state["samples"] is None else state["samples"].numpy()
        self.resumed = state["trainers"]

    @property
    def updates(self) -> int:
        """Of the seeds that are done, and of each that is being trained."""
        return sum(seed.updates for seed in self.seeds) + sum(trainer.updates for trainer in self.trainers[:1])

    def _keep(self, result: Result) -> None:
        self.seeds.append(result.without_samples())
        if len(self.seeds) == 1:
            self.samples = few(self.experiment, result.samples)

    def _wants_another(self) -> bool:
        """Whether one more seed is trained: the least while none fails or is pruned, then those that are earned."""
        done = len(self.seeds)
        if self.resumed:
            return True  # a checkpoint was in the middle of it
        if done < self.experiment.least_replicas:
            return all(seed.status == "complete" for seed in self.seeds)
        if self.race is None:
            return False
        try:
            earned: bool = ray.get(self.race.another.remote(self.number, self.seeds))
        except RayError:
            return False  # the node that kept the race is gone
        return earned and done < self.experiment.most_replicas


def _restore(trial: _Trial, checkpoints: list[str]) -> None:
    """Continues from Ray's checkpoint of this trial, else from the newest whole one of those given."""
    own = tune.get_checkpoint()
    for checkpoint in [own] if own else checkpoints:
        try:
            trial.load_state(read_state(checkpoint))
            return
        except Exception:  # noqa: BLE001 (a checkpoint cut off in writing; there is an older one, or the beginning)
            continue


def own_gpus() -> str:
    """The ids of this worker's GPUs on its node, as Ray names them; empty without any."""
    return ", ".join(map(str, ray.get_gpu_ids()))


def own_resources() -> tuple[float, float]:
    """CPUs and GPUs of this worker."""
    resources = tune.get_context().get_trial_resources().bundles[0]
    return resources.get("CPU", 1.0), resources.get("GPU", 0.0)
