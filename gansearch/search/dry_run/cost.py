"""The seconds that a configuration takes: its updates and evaluations, timed on the device that a trial would use."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch.utils.benchmark import Timer

from gansearch.experiment import Experiment, Training
from gansearch.gan.conditions import quality_of
from gansearch.gan.graphs import WARM
from gansearch.gan.probe_schedule import MEASUREMENTS, probe_updates
from gansearch.gan.stacked import Stacked, refusal
from gansearch.gan.task import Task
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates.capture import refusal as refusal_of_graphs
from gansearch.search.worker.halving import rungs_of

_SECONDS = 0.05
"""Training of each network, configuration and number of seeds that is timed at least."""
_GAIN = 1.5
"""Times as fast from which `training.graph` is advised."""
_FOREVER = 10**9
"""Updates of what is timed, so that no probe falls due."""


@dataclass(frozen=True)
class Cost:
    """Seconds that one configuration takes."""

    update_d: float
    """One update of D, of one seed."""
    update_g: float
    trial: float
    """A whole trial with its least seeds."""
    seed: float
    """One seed more."""
    confirmation: float
    """One run of the confirmation."""
    evaluation: float = 0.0
    """The probes, the quality and the referee of the trial."""
    in_turn: str = ""
    """Why the seeds take turns; empty where they are trained at once, or there is one."""
    remark: str = ""
    """What its trainer remarks."""

    def slower(self, factor: float) -> Cost:
        """Return the same in so many times the seconds."""
        parts: dict[str, Any] = {name: factor * part for name, part in asdict(self).items() if type(part) is not str}
        return replace(self, **parts)


@dataclass(frozen=True)
class EvaluationCost:
    """Seconds of one probe, of one measurement of the quality and of the referee at the end; one seed."""

    probe: float = 0.0
    quality: float = 0.0
    referee: float = 0.0

    def seconds(self, updates: int, more: int = 0) -> float:
        """Return those of a run of so many updates, with `more` measurements of the quality than it makes itself."""
        probes = len(probe_updates(updates))
        return probes * self.probe + (min(MEASUREMENTS, probes) + more) * self.quality + self.referee


def cost(
    experiment: Experiment, task: Task, training: Training, device: torch.device, evaluation: EvaluationCost
) -> Cost:
    """Train a configuration for a moment, its least seeds at once where a trial would, and return what it costs.

    Raises what the task raises.
    """
    seeds, in_turn = experiment.least_replicas, ""
    trainer = endless_trainer(experiment, task, training, device)
    compiling = first_seconds(trainer) if training.compile or training.graph else 0.0
    d, g = update_seconds(trainer)
    all_d, all_g = seeds * d, seeds * g
    if seeds > 1:
        trainers = [endless_trainer(experiment, task, training, device, seed) for seed in range(seeds)]
        in_turn = refusal(trainers)
        if not in_turn:
            trainer = trainers[0]
            all_d, all_g = update_seconds(Stacked(trainers))
    updates_d, updates_g = counts(training)
    evaluated = seeds * evaluation.seconds(training.updates, len(rungs_of(experiment)) if experiment.prune else 0)
    budget = (experiment.confirm and experiment.confirm.updates) or training.updates
    longer_d, longer_g = counts(training.with_params({"updates": budget}))
    return Cost(
        update_d=d,
        update_g=g,
        trial=compiling + updates_d * all_d + updates_g * all_g + evaluated,
        seed=updates_d * d + updates_g * g + evaluation.seconds(training.updates),
        confirmation=compiling + longer_d * d + longer_g * g + evaluation.seconds(budget),
        evaluation=evaluated,
        in_turn=in_turn,
        remark=trainer.remark(),
    )


def graph_gain(experiment: Experiment, task: Task, training: Training, device: torch.device, known: Cost) -> str:
    """Train a configuration as CUDA graphs for a moment, and return what is to be said of that beside its cost without.

    It is empty where `training.graph` is set, or goes without, or brings little.
    """
    if training.graph or refusal_of_graphs(training, device):
        return ""
    trainer = endless_trainer(experiment, task, training.with_params({"graph": True}), device)
    first_seconds(trainer)
    if trainer.remark():
        return ""
    gain = (known.update_d + known.update_g) / sum(update_seconds(trainer))
    return f"training.graph: true makes updates {gain:.1f} times as fast on this GPU" if gain >= _GAIN else ""


def endless_trainer(
    experiment: Experiment, task: Task, training: Training, device: torch.device, seed: int = 0
) -> Trainer:
    """Return a trainer that never comes to a probe; `seed` is added to the experiment's."""
    return Trainer(task, training.with_params({"updates": _FOREVER}), experiment.seed + seed, device)


def first_seconds(trainer: Trainer) -> float:
    """Make the first updates of each network, which compile or capture it; return the seconds, taken once a worker."""
    start = time.perf_counter()
    with trainer.random_state:
        for _ in range(WARM + 1 if trainer.graphs and not trainer.graphs.why else 1):
            trainer.update_discriminator()
            trainer.update_generator()
    return time.perf_counter() - start


def update_seconds(trained: Trainer | Stacked) -> tuple[float, float]:
    """Train for a moment and return the seconds of an update of D and of G, of all seeds together."""
    first = trained.trainers[0] if isinstance(trained, Stacked) else trained
    with first.random_state:
        d, g = (
            Timer("update()", globals={"update": update}, num_threads=torch.get_num_threads())
            .blocked_autorange(min_run_time=_SECONDS)
            .median
            for update in (trained.update_discriminator, trained.update_generator)
        )
    return d, g


def evaluation_cost(trainer: Trainer) -> EvaluationCost:
    """Time each evaluation of a trainer whose budget is far away: a probe that is due measures the quality too.

    Raises what the task raises, and TaskError where `quality()` returns anything but numbers with a distance.
    """
    device = trainer.device
    real, *y = (part.cpu() for part in (trainer.data.held_out, *trainer.data.conditions))
    quality_of(trainer.task, real, trainer.samples(len(real)).cpu(), *y)  # the first one may load or train a judge
    trainer.probe()
    probe = statistics.median(_timed(trainer.probe, device) for _ in range(3))
    quality = _timed(trainer.standing, device)
    return EvaluationCost(probe, quality, _timed(trainer.result, device))  # which knows the quality


def counts(training: Training) -> tuple[float, float]:
    """Return the (D, G) updates of a run; as many of both where the run itself decides on their balance."""
    after = training.updates - training.before
    equal = training.balance == "held" or training.simultaneous
    g = training.start_steps + after / (1 + (1.0 if equal else training.update_ratio))
    return training.updates - g, g


def _timed(call: Callable[[], object], device: torch.device) -> float:
    """Return the seconds until the device has done what a single call asks of it."""
    start = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
