"""What a trial takes, measured by training for some seconds in this process, or in a worker of a cluster."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import optuna
import ray
import torch
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from gansearch.experiment import Choices, Experiment, Range, Training
from gansearch.formatting import many
from gansearch.gan import Loop, Task, TaskError, check_task
from gansearch.gan.data import data_of
from gansearch.gan.updates.forward import refuse_shape, remark_on
from gansearch.gan.user_code import as_program, user_traceback
from gansearch.scripts.task import Script, task_of
from gansearch.search.dry_run.cost import Cost, cost, endless_trainer, evaluation_cost, graph_gain
from gansearch.search.dry_run.estimate import Measured
from gansearch.search.dry_run.loop import try_loop
from gansearch.search.dry_run.script import try_script
from gansearch.search.errors import SweepError
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.worker.gpu import context_bytes

CONFIGURATIONS = 16
"""Drawn at random, so that a trial's expected time is that of the space."""
_MOST_SECONDS = 10.0
"""After these no other configuration is timed."""
_CONTEXT_BYTES = 2**30
"""Most that is counted for this process's own context of a GPU, which other processes may use too."""
WORKER_SECONDS = 300.0
"""Time for a cluster to start a worker and to return its result."""


def measure(experiment: Experiment, gpus: float) -> Measured:
    """Try the experiment out in this process, as a trial's worker would train it.

    Raises:
        TaskError: The task cannot be loaded, or raises when it is trained.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(experiment.resources.cpus)))
    device = torch.device("cuda" if gpus and torch.cuda.is_available() else "cpu")
    try:
        with as_program(experiment.task_name):
            task = task_of(experiment)
            drawn = configurations(experiment)
            if isinstance(task, Script):
                return replace(try_script(experiment, task, drawn[0], gpus > 0), **_device(device))
            check_task(task, device)
            if isinstance(task, Loop):
                measured = try_loop(experiment, task, drawn[0], device)
            else:
                measured = measure_task(experiment, task, drawn, device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS, else in KiB
        return replace(measured, memory=peak if sys.platform == "darwin" else peak * 1024, **_device(device))
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise TaskError(
                f"{experiment.task_name}: a trial needs more memory than there is ({str(error).splitlines()[0]}); "
                "make training.batch_size or the networks smaller"
            ) from error
        raise TaskError(f"{experiment.task_name} raised when it was trained:\n{user_traceback(error)}") from error
    finally:
        torch.set_num_threads(threads)


def configurations(experiment: Experiment, count: int = CONFIGURATIONS) -> list[Training]:
    """Draw configurations of the search space at random, the same ones each time; one where nothing is searched."""
    space = SearchSpace(experiment)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.params(space.ask(study).params) for _ in range(count if space.distributions else 1)]
    return [experiment.training.with_params(chosen) for chosen in drawn]


def measure_task(experiment: Experiment, task: Task, drawn: Sequence[Training], device: torch.device) -> Measured:
    """Return what these configurations take, or the first of them, where ten seconds are over before the last.

    This process then has taken as much memory as a trial.
    """
    for training in drawn:
        refuse_shape(training, data_of(task, device).held_out.shape[1:])
    trainer = endless_trainer(experiment, task, drawn[0], device)
    evaluation, costs = evaluation_cost(trainer), list[Cost]()
    start, worked = time.monotonic(), time.process_time()
    for training in drawn:
        costs.append(cost(experiment, task, training, device, evaluation))
        if time.monotonic() - start > _MOST_SECONDS:
            break
    share = (time.process_time() - worked) / (time.monotonic() - start)
    said = [*map(remark_on, drawn), *(own.remark for own in costs)]
    said.append(graph_gain(experiment, task, drawn[0], device, costs[0]))
    penalized = max(drawn, key=lambda one: sum(map(bool, (one.r1_gamma, one.r2_gamma, one.gp_lambda))))
    for size in _batch_sizes(experiment):
        cost(experiment, task, penalized.with_params({"batch_size": size}), device, evaluation)
    data, networks = trainer.data, {"generator": trainer.generator, "discriminator": trainer.discriminator}
    count, held_out, *shape = None if data.real is None else data.count, *data.held_out.shape
    weights = {name: sum(map(torch.numel, network.parameters())) for name, network in networks.items()}
    described = task.described()
    train = "without end" if count is None else f"{count:,} to train on"
    return Measured(
        costs=tuple(costs),
        evaluation=evaluation,
        data={"train": count, "held_out": held_out, "shape": shape, **({"described": described} if described else {})},
        weights=weights,
        tried=(
            f"data: {train}, {held_out:,} held out, of shape {tuple(shape)}",
            *(f"  {line}" for line in described),
            f"generator: {weights['generator']:,} parameters; discriminator: {weights['discriminator']:,}",
        ),
        idle=max(0.0, 1 - share) if device.type == "cpu" else 0.0,
        remarks=(*task.warnings(), *dict.fromkeys(filter(None, said))),
    )


def _batch_sizes(experiment: Experiment) -> list[int]:
    """Return the searched sizes that are tried in any case: 1, which batch norm may refuse, and the largest."""
    entry = experiment.search.get("batch_size")
    if isinstance(entry, Range):
        return [1] * (entry.low == 1) + [int(entry.high)]
    return [1] * (isinstance(entry, Choices) and 1 in entry.choices)


def in_worker(
    experiment: Experiment, resources: Mapping[str, float], seconds: float, call: Callable[..., Any], *given: Any
) -> Any:
    """Return what a call returns in a worker of the Ray that this process has joined, with a trial's CPUs.

    `resources` are its GPUs and what else it needs, by Ray's names. Raises what the call raises, SweepError where it
    takes more than so many seconds, TaskError where the worker dies.
    """
    others = {name: amount for name, amount in resources.items() if name != "GPU"}
    options = {"num_gpus": resources.get("GPU", 0.0), "resources": others, "max_retries": 0}
    reference = ray.remote(num_cpus=experiment.resources.cpus, **options)(call).remote(*given)
    try:
        return ray.get(reference, timeout=seconds)
    except GetTimeoutError:
        ray.cancel(reference, force=True)
        minutes = seconds / 60
        raise SweepError(f"the cluster had no worker free for a dry run within {minutes:g} minutes") from None
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        raise TaskError(f"{experiment.task_name}: the worker died in the dry run: {error}") from None


def _device(device: torch.device) -> dict[str, Any]:
    """Return the name of a device; of a GPU also the most bytes that this process has had, and all that it has."""
    if device.type != "cuda":
        return {"device": f"CPU, {many(torch.get_num_threads(), 'thread')}"}
    free, total = torch.cuda.mem_get_info(device)
    context = context_bytes(device)
    if context is None:
        context = min(total - free - torch.cuda.memory_reserved(device), _CONTEXT_BYTES)
    memory = torch.cuda.max_memory_reserved(device) + context
    return {"device": torch.cuda.get_device_name(device), "gpu_memory": memory, "gpu_total": total}
