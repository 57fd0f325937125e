"""A dry run: an experiment tried out in a few seconds, before a sweep of hours."""

from __future__ import annotations

import dataclasses
import resource
import sys
import time
from collections import Counter
from collections.abc import Hashable
from statistics import mean

import optuna
import ray
import torch
from ray.exceptions import RayError, RayTaskError

from gansearch.experiment import Experiment, Range, Training
from gansearch.gan import Loop, Task, TaskError, Trainer, check_task, load_task
from gansearch.gan.registry import user_traceback
from gansearch.search.check import check_search
from gansearch.search.cluster.cluster import cluster, this_machine
from gansearch.search.cluster.runtime_env import code_for
from gansearch.search.dry_run.cost import LookCost, UpdateCost, counts, look_cost, update_cost
from gansearch.search.dry_run.estimate import Estimate, Measured
from gansearch.search.dry_run.loop import try_loop
from gansearch.search.errors import SweepError
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.worker.halving import RUNGS

CONFIGURATIONS = 16
"""Drawn at random, so that a trial's expected time is that of the space."""
_SECONDS = 1.5
"""Training that is timed, over all kinds of configurations together."""
_MOST_SECONDS = 10.0
"""After these no other kind is timed."""
_FOREVER = 10**9
"""Updates of what is timed: no measurement falls due on the way."""
_CONTEXT_MOST = 2**30
"""Most bytes that are taken for this process's own context of a GPU: others may use it too."""
_FREE_SECONDS = 300.0
"""That a cluster has to give the dry run a worker and its result."""


def dry_run(experiment: Experiment, address: str | None = None) -> Estimate:
    """Loads, checks, trains for about a second and measures, on what a trial would get; starts no trial.

    Where a trial has several workers one of them is tried, with the whole batch: no trial takes longer or more memory
    than that, but for what the workers tell each other.

    Here, without Ray, or in a worker of the cluster at `address`. Raises ExperimentError, TaskError or SweepError.
    """
    check_search(experiment)
    if address is None:
        here = this_machine()
        here.slots(experiment.resources)
        return Estimate(experiment, here, measure(experiment, here.bundle(experiment.resources).get("GPU", 0.0)))
    code = code_for(experiment)
    with cluster(address, code.runtime_env) as there:
        there.slots(experiment.resources)
        gpus = there.bundle(experiment.resources).get("GPU", 0.0)
        return Estimate(experiment, there, _measure_there(code.experiment, gpus))


def measure(experiment: Experiment, gpus: float) -> Measured:
    """Tries the experiment out in this process, as a trial's worker would train. Raises TaskError."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(experiment.resources.cpus)))
    device = torch.device("cuda" if gpus and torch.cuda.is_available() else "cpu")
    try:
        task = load_task(experiment.task, experiment.task_options)
        check_task(task, device)
        if isinstance(task, Loop):
            found = try_loop(experiment, task, configurations(experiment, 1)[0], device, _device(device))
            gpu = _gpu_memory(device)
            return dataclasses.replace(
                found,
                memory=_peak_memory(),
                gpu_memory=gpu.get("gpu_memory", 0),
                gpu_total=gpu.get("gpu_total", 0),
            )
        return _measure(experiment, task, device)
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        if _out_of_memory(error):
            raise TaskError(
                f"{experiment.task}: a trial needs more memory than there is ({str(error).splitlines()[0]}); "
                "make training.batch_size or the networks smaller"
            ) from error
        raise TaskError(f"{experiment.task} raised when it was trained:\n{user_traceback(error)}") from error
    finally:
        torch.set_num_threads(threads)


def configurations(experiment: Experiment, count: int = CONFIGURATIONS) -> list[Training]:
    """So many of the space at random, the same ones each time; one where nothing is searched."""
    space = SearchSpace(experiment)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.params(space.ask(study).params) for _ in range(count if space.distributions else 1)]
    return [experiment.training.with_params(chosen) for chosen in drawn]


class Prices:
    """What each kind of configuration costs on a device, and each look."""

    def __init__(self, experiment: Experiment, task: Task, device: torch.device, drawn: list[Training]):
        self.experiment, self.task, self.device = experiment, task, device
        kinds = Counter(map(_kind, drawn))
        example = {_kind(training): training for training in drawn}
        self.looks: LookCost = look_cost(self._trainers(drawn[0], 1)[0])
        self._updates: dict[Hashable, dict[int, UpdateCost]] = {}
        start, worked = time.monotonic(), time.process_time()
        for kind, _ in kinds.most_common():
            if self._updates and time.monotonic() - start > _MOST_SECONDS:
                break
            self._updates[kind] = self._of_kind(example[kind], _SECONDS / len(kinds))
        share = (time.process_time() - worked) / (time.monotonic() - start)
        self.idle = max(0.0, 1 - share) if device.type == "cpu" else 0.0
        """Share of that time in which this process had no CPU."""

    def updates(self, training: Training, seeds: int = 1) -> UpdateCost:
        """Of a kind that was not timed: the mean of those that were."""
        known = self._updates.get(_kind(training))
        costs = [known[seeds]] if known else [costs[seeds] for costs in self._updates.values()]
        return UpdateCost(mean(cost.d for cost in costs), mean(cost.g for cost in costs), costs[0].in_turn)

    def run(self, training: Training, seeds: int = 1, more: int = 0) -> tuple[float, float]:
        """Seconds of updates and of looks of a whole run of so many seeds; `more` measurements of the quality."""
        cost, (d, g) = self.updates(training, seeds), counts(training)
        return d * cost.d + g * cost.g, seeds * self.looks.seconds(training.updates, more)

    def _of_kind(self, training: Training, seconds: float) -> dict[int, UpdateCost]:
        least = self.experiment.least_replicas
        alone = {1: update_cost(self._trainers(training, 1), seconds)}
        return alone if least == 1 else {**alone, least: update_cost(self._trainers(training, least), seconds)}

    def _trainers(self, training: Training, seeds: int) -> list[Trainer]:
        endless = training.with_params({"updates": _FOREVER})
        first = self.experiment.seed
        return [Trainer(self.task, endless, first + replica, self.device) for replica in range(seeds)]


def _measure(experiment: Experiment, task: Task, device: torch.device) -> Measured:
    drawn = configurations(experiment)
    prices = Prices(experiment, task, device, drawn)
    least, more = experiment.least_replicas, len(RUNGS) if experiment.prune else 0
    trials = [prices.run(training, least, more) for training in drawn]
    longer = {"updates": experiment.confirm.updates} if experiment.confirm and experiment.confirm.updates else {}
    confirmations = [sum(prices.run(training.with_params(longer))) for training in drawn]
    updates = [prices.updates(training) for training in drawn]
    together = [prices.updates(training, least) for training in drawn]
    looks = prices.looks
    largest = _largest(experiment, drawn)
    if largest is not None:  # for its memory
        update_cost(prices._trainers(largest, least), 0.0)
    trainer = prices._trainers(drawn[0], 1)[0]
    data = trainer.data
    return Measured(
        device=_device(device),
        train_samples=None if data.real is None else data.count,
        held_out=len(data.held_out),
        shape=tuple(data.held_out.shape[1:]),
        generator=sum(p.numel() for p in trainer.generator.parameters()),
        discriminator=sum(p.numel() for p in trainer.discriminator.parameters()),
        update_d=mean(cost.d for cost in updates),
        update_g=mean(cost.g for cost in updates),
        probe=looks.probe,
        quality=looks.quality,
        referee=looks.referee,
        trial=mean(map(sum, trials)),
        longest=max(map(sum, trials)),
        seed=mean(sum(prices.run(training, 1)) for training in drawn),
        confirmation=mean(confirmations),
        looking=sum(looks for _, looks in trials) / sum(map(sum, trials)),
        at_once=mean(not cost.in_turn for cost in together) if least > 1 else 0.0,
        in_turn=next((cost.in_turn for cost in together if cost.in_turn), ""),
        idle=prices.idle,
        memory=_peak_memory(),
        reports=(),
        remarks=tuple(task.warnings()),
        **_gpu_memory(device),
    )


def _measure_there(experiment: Experiment, gpus: float) -> Measured:
    """The same in a worker of the Ray that this process has joined."""
    remote = ray.remote(num_cpus=experiment.resources.cpus, num_gpus=gpus, max_retries=0)(measure)
    reference = remote.remote(experiment, gpus)
    done, _ = ray.wait([reference], timeout=_FREE_SECONDS)
    if not done:
        ray.cancel(reference, force=True)
        raise SweepError(f"the cluster had no worker free for a dry run within {_FREE_SECONDS / 60:g} minutes")
    try:
        measured: Measured = ray.get(reference)
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        raise TaskError(f"{experiment.task}: the worker died in the dry run: {error}") from None
    return measured


def _kind(training: Training) -> Hashable:
    """Equal for configurations whose updates are the same work."""
    penalties = (training.r1_gamma, training.r2_gamma, training.gp_lambda, training.instance_noise, training.ema)
    names = (training.loss, training.optimizer, training.balance, training.simultaneous, training.spectral_norm)
    return (*names, training.batch_size, *(value > 0 for value in penalties))


def _largest(experiment: Experiment, drawn: list[Training]) -> Training | None:
    """The dearest of those drawn with the largest batch of a searched range; None where no range is searched."""
    entry = experiment.search.get("batch_size")
    if not isinstance(entry, Range):
        return None
    dearest = max(
        drawn, key=lambda training: sum(map(bool, (training.r1_gamma, training.r2_gamma, training.gp_lambda)))
    )
    return dearest.with_params({"batch_size": int(entry.high)})


def _device(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def _peak_memory() -> int:
    """Most bytes of main memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _gpu_memory(device: torch.device) -> dict[str, int]:
    if device.type != "cuda":
        return {}
    free, total = torch.cuda.mem_get_info(device)
    context = min(total - free - torch.cuda.memory_reserved(device), _CONTEXT_MOST)
    return {"gpu_memory": torch.cuda.max_memory_reserved(device) + context, "gpu_total": total}


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
