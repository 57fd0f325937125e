"""Short bursts of trials on one GPU, each in a process of its own, as many at once as is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import torch

from gansearch.experiment import Experiment
from gansearch.gan import Loop, TaskError
from gansearch.gan.stacked import Stacked, refusal
from gansearch.scripts.task import Script
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.cost import endless_trainer
from gansearch.search.dry_run.estimate import Measured
from gansearch.search.dry_run.fill import MOST_ON_A_GPU, Card, Fill, fitting, fullest, try_numbers
from gansearch.search.dry_run.loop import try_loop
from gansearch.search.dry_run.measuring import configurations, in_worker, measure
from gansearch.search.dry_run.script import try_script
from gansearch.search.worker.gpu import is_out_of_memory, with_remedy
from gansearch.search.worker.link import Link
from gansearch.search.worker.process import Origin, ProcessDied, ProcessRaised, call
from gansearch.search.worker.seed import SeedJob, task_of

SECONDS = 2.0
"""Of training in a burst."""
_ON_CLUSTER_SECONDS = 1200.0
_WARM = 5
"""Updates of each network before the clock starts: the first ones choose kernels."""


def measure_fill(experiment: Experiment, nodes: Cluster, in_cluster: bool) -> Fill | None:
    """Return how full the GPUs are to be made, by what was measured on one of each kind; None where there are none.

    It is measured in workers of the Ray that this process has joined, or in processes of this one. Raises what
    `gansearch.search.dry_run.dry_run.dry_run` raises.
    """
    gpus, resources = nodes.total("GPU"), experiment.resources
    if not gpus:
        return None
    trials = min(experiment.most_trials, experiment.limits.concurrent or experiment.most_trials)
    cards = []
    for kind, count, cpus in nodes.gpu_kinds(resources):
        beside = min(int(cpus / resources.cpus + 1e-9), -int(-trials // gpus), MOST_ON_A_GPU)
        card = (
            in_worker(experiment, {"GPU": 1.0, **kind}, _ON_CLUSTER_SECONDS, measure_card, experiment, beside)
            if in_cluster
            else measure_card(experiment, beside)
        )
        if card is None:
            return Fill(1)
        cards.append(replace(card, count=count))
    return Fill(fullest(cards), tuple(cards))


def measure_card(experiment: Experiment, most: int) -> Card | None:
    """Return what up to `most` trials at once do on the first GPU that this process may use; None where there is none.

    This process itself uses none, so that the memory is the trials' alone. Raises TaskError.
    """
    origin = Origin.of(experiment)
    (alone,) = _together(origin, "measure_alone", experiment, 1)
    if isinstance(alone, str):
        raise TaskError(alone)
    if not alone.gpu_total:
        return None
    most = min(most, fitting(alone.gpu_memory, alone.gpu_total))
    rates = try_numbers(partial(burst, experiment, origin), most)
    return Card(alone.device, alone.gpu_memory, alone.gpu_total, rates)


def burst(experiment: Experiment, origin: Origin, trials: int) -> float | None:
    """Return the updates a second of so many trials at once, all together; None where they do not fit.

    Raises TaskError where the task raises, or one trial alone does not fit.
    """
    results = _together(origin, "train_together", experiment, trials)
    errors = [result for result in results if isinstance(result, str)]
    if not errors:
        return float(sum(results))
    own = [error for error in errors if error and not is_out_of_memory(error)]
    if trials > 1 and not own:
        return None
    why = next(iter([*own, *map(with_remedy, errors)])) or "its process was killed"
    raise TaskError(f"{experiment.task_name} raised when it was trained:\n{why}")


def _together(origin: Origin, name: str, experiment: Experiment, count: int) -> list[Any]:
    """Return what a function of this module returns in so many new processes, which meet once; of one that fails, why.

    It is "" of a process that was killed, as the system does where memory is short, or that the others have failed.
    """
    barrier = Barrier(count)

    def one(_: int) -> Any:
        try:
            return call(origin, f"{__name__}:{name}", (experiment,), {"meet": barrier.wait}, at_once=True)
        except (ProcessRaised, ProcessDied, BrokenBarrierError) as error:
            barrier.abort()  # it was not passed, and never will be
            return str(error) if isinstance(error, ProcessRaised) else ""

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def measure_alone(link: Link, experiment: Experiment) -> Measured | str:
    """Measure an experiment in this process. Return what is wrong with its task where something is."""
    try:
        return measure(experiment, 1.0)
    except TaskError as error:
        return str(error)


def train_together(link: Link, experiment: Experiment) -> float:
    """Train for a moment, at the same time as the other processes of the burst. Return the updates a second."""
    training = configurations(experiment, 1)[0]
    job = SeedJob(experiment, {}, experiment.seed, experiment.resources.cpus, gpus=1.0)
    job.prepare_process()
    device, task = torch.device(job.device), task_of(experiment)
    if isinstance(task, Script):
        link("meet")
        return 1 / try_script(experiment, task, training, True).costs[0].update_d
    if isinstance(task, Loop):
        link("meet")
        return 1 / try_loop(experiment, task, training, device).costs[0].update_d
    trainers = [
        endless_trainer(experiment, task, training, device, number) for number in range(experiment.least_replicas)
    ]
    at_once = len(trainers) > 1 and not refusal(trainers)
    trained = Stacked(trainers) if at_once else trainers[0]
    with trainers[0].random_state:
        _updates(trained, lambda done: done >= _WARM, device)
        link("meet")
        start = time.perf_counter()
        done = _updates(trained, lambda done: time.perf_counter() - start >= SECONDS, device)
        return 2 * done * (len(trainers) if at_once else 1) / (time.perf_counter() - start)


def _updates(trained: Any, over: Callable[[int], bool], device: torch.device) -> int:
    """Update D and G in turn until it is over, and wait for the device; return how often."""
    done = 0
    while not over(done):
        trained.update_discriminator()
        trained.update_generator()
        done += 1
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return done
