"""What trials do that one process trains at once, measured on the resources of one trial."""

from __future__ import annotations

import time

import torch

from gansearch.experiment import Experiment
from gansearch.formatting import many
from gansearch.gan import Task, Trainer
from gansearch.gan.kinds import Kinds
from gansearch.gan.stacked import together
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.cost import endless_trainer, evaluation_cost
from gansearch.search.dry_run.fill import try_numbers
from gansearch.search.dry_run.measuring import configurations, in_worker
from gansearch.search.dry_run.stack import Stack, chosen
from gansearch.search.worker.seed import SeedJob, task_of

MOST_MEASURED = 16
"""Most trials at once that are tried out."""
_SECONDS = 1.0
"""Of training, for each number."""
_WARM = 10
"""Updates of each trial before the clock starts."""
_WORKER_SECONDS = 600.0


def given_stack(experiment: Experiment, wanted: int) -> Stack:
    """Return a number that is asked for, or 1 where no configuration can be trained at once with others."""
    why = _unfit(experiment)
    return Stack(1, why=why) if why else Stack(wanted)


def measured_stack(experiment: Experiment, nodes: Cluster, in_cluster: bool) -> Stack:
    """Return the number by what is measured, in a worker of the Ray that this process has joined, or in this process.

    Raises what `gansearch.search.dry_run.dry_run.dry_run` raises.
    """
    if why := _unfit(experiment):
        return Stack(1, why=why)
    slots, wanted = nodes.slots(experiment.resources), experiment.resources.stack
    trials = min(experiment.most_trials, experiment.limits.concurrent or experiment.most_trials)
    most = min(-(-trials // slots), MOST_MEASURED) if wanted == "auto" else wanted
    gpus = nodes.bundle(experiment.resources).get("GPU", 0.0)
    given = experiment, gpus, most
    return in_worker(experiment, {"GPU": gpus}, _WORKER_SECONDS, measure, *given) if in_cluster else measure(*given)


def measure(experiment: Experiment, gpus: float, most: int) -> Stack:
    """Train up to `most` configurations for some seconds, alone and at once, with the resources of one trial.

    A number that is given is measured alone. Raises what the task raises.
    """
    threads = torch.get_num_threads()
    job = SeedJob(experiment, {}, experiment.seed, experiment.resources.cpus, gpus)
    job.prepare_process()
    try:
        return _measured(experiment, torch.device(job.device), most)
    finally:
        torch.set_num_threads(threads)


def _unfit(experiment: Experiment) -> str:
    """Return why no trial can be trained at once with others, as far as the experiment says it."""
    if experiment.is_loop:
        return f"{experiment.task_name} trains by itself"
    if experiment.is_population:
        return "members of a population change their settings as they train"
    return ""


def _measured(experiment: Experiment, device: torch.device, most: int) -> Stack:
    task, wanted, seeds = task_of(experiment), experiment.resources.stack, experiment.least_replicas
    assert isinstance(task, Task)
    drawn = configurations(experiment, most)
    budget, first = experiment.training.updates, endless_trainer(experiment, task, drawn[0], device)
    evaluating, kinds = seeds * evaluation_cost(first).seconds(budget) / budget, Kinds()

    def seconds(number: int, updates: int) -> float:
        """Return those of an update of all seeds of one trial, when so many trials train."""
        trials = [drawn[n % len(drawn)] for n in range(number)]
        trainers = [endless_trainer(experiment, task, one, device, seed) for one in trials for seed in range(seeds)]
        groups = kinds.groups(trainers) if len(trainers) > 1 else [trainers]
        for group in groups:
            _train(group, _WARM)
        start = _now(device)
        for group in groups:
            _train(group, _WARM + updates)
        return (_now(device) - start) / (updates * number)

    alone = seconds(1, 20)

    def rate(number: int) -> float | None:
        try:
            return 1 / (seconds(number, max(8, int(_SECONDS / (alone * number)))) + evaluating)
        except torch.OutOfMemoryError:
            return None

    rates = try_numbers(rate, most) if wanted == "auto" else {n: r for n in (1, most) if (r := rate(n))}
    cpu = f"CPU, {many(torch.get_num_threads(), 'thread')}"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else cpu
    number = chosen(rates) if wanted == "auto" else most
    why = (kinds.of(first.training).why or "") if number == 1 else ""
    return Stack(number, rates, why, name, evaluating * rates.get(1, 0.0))


def _train(trainers: list[Trainer], until: int) -> None:
    if len(trainers) > 1:
        together(trainers).advance(until)
        return
    with trainers[0].random_state:
        while trainers[0].updates < until:
            trainers[0].step()


def _now(device: torch.device) -> float:
    """Return seconds: those of a single thread on a CPU, whatever else the machine does."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif torch.get_num_threads() == 1:
        return time.process_time()
    return time.perf_counter()
