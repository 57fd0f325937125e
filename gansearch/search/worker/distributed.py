"""The workers of one trial: this Ray worker leads, and the others are Ray tasks in the same placement group.

They belong to this worker's process and to the trial's placement group: whatever ends either ends them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
import torch
from ray.exceptions import RayError
from ray.tune import PlacementGroupFactory
from ray.util import get_current_placement_group, get_node_ip_address
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from gansearch.experiment import Experiment, Resources
from gansearch.gan import Loop, Task, Trainer, load_task
from gansearch.gan.distributed.group import Meeting, Parted
from gansearch.gan.distributed.trainer import follow, lead
from gansearch.gan.user_code import user_traceback

_HERE = "127.0.0.1"
_CAUSE_SECONDS = 20.0
"""In which a worker that broke a group off is known to have ended."""
_LOOK_SECONDS = 1.0


class WorkerDied(RuntimeError):
    """One of a trial's workers was killed, or can no longer be reached: the trial's training is to be tried again."""


class WorkerRaised(RuntimeError):
    """The user's code raised on another worker of the trial; the message holds its traceback."""


def placement(resources: Resources, bundle: Mapping[str, float]) -> PlacementGroupFactory:
    """What a trial reserves: a bundle for each of its workers."""
    strategy = "PACK" if resources.across_nodes else "STRICT_PACK"
    return PlacementGroupFactory([dict(bundle)] * resources.processes, strategy=strategy)


def device_of(gpus: float) -> str:
    """Where a worker with so many GPUs trains."""
    return "cuda" if gpus and torch.cuda.is_available() else "cpu"


_TASKS: dict[str, Task | Loop] = {}


def task_of(experiment: Experiment) -> Task | Loop:
    """The experiment's task, kept while the worker lives: reading data can take longer than a short trial."""
    key = json.dumps([experiment.task, experiment.task_options], sort_keys=True, default=str)
    if key not in _TASKS:
        _TASKS.clear()
        _TASKS[key] = load_task(experiment.task, experiment.task_options)
    return _TASKS[key]


def why(error: BaseException) -> str:
    """What a record says of an error that ended a training."""
    return str(error) if isinstance(error, WorkerRaised) else user_traceback(error)


@contextmanager
def together(
    experiment: Experiment, params: Mapping[str, Any], seed: int, cpus: float, gpus: float, prune: bool
) -> Iterator[Trainer]:
    """A trainer that the trial's other workers follow; afterwards they are gone, however it ended.

    Raises WorkerRaised where the user's code does so on another worker, WorkerDied where one is lost.
    """
    resources = experiment.resources
    address = get_node_ip_address() if resources.across_nodes else _HERE
    meeting, store = Meeting.call(address, resources.processes)
    task = task_of(experiment)
    assert isinstance(task, Task)
    others = _start_others(experiment, params, seed, cpus, gpus, meeting)
    training, device, over = experiment.training.with_params(params), device_of(gpus), threading.Event()

    def look() -> None:
        if ray.wait(others, timeout=0)[0]:
            raise Parted("a worker ended before the training began")

    try:
        with lead(meeting, store, task, training, seed, device, prune, look) as trainer:
            threading.Thread(target=_watch, args=(others, trainer.group.abort, over), daemon=True).start()
            yield trainer
        ray.wait(others, num_returns=len(others), timeout=_CAUSE_SECONDS)
    except Parted as error:
        raise _cause(others, error) from None
    finally:
        over.set()
        for other in others:
            ray.cancel(other, force=True)


def _start_others(
    experiment: Experiment, params: Mapping[str, Any], seed: int, cpus: float, gpus: float, meeting: Meeting
) -> list[ray.ObjectRef]:
    def options(rank: int) -> dict[str, Any]:
        bundle = PlacementGroupSchedulingStrategy(get_current_placement_group(), placement_group_bundle_index=rank)
        return {"num_cpus": cpus, "num_gpus": gpus, "max_retries": 0, "scheduling_strategy": bundle}

    take_part = ray.remote(_take_part)
    return [
        take_part.options(**options(rank)).remote(experiment, params, seed, cpus, gpus, meeting, rank)
        for rank in range(1, meeting.size)
    ]


def _take_part(
    experiment: Experiment,
    params: Mapping[str, Any],
    seed: int,
    cpus: float,
    gpus: float,
    meeting: Meeting,
    rank: int,
) -> str:
    """What another worker of a trial runs. Returns the traceback of what the user's code raised, or ""."""
    torch.set_num_threads(max(1, int(cpus)))
    address = get_node_ip_address() if experiment.resources.across_nodes else _HERE
    training = experiment.training.with_params(params)
    try:
        task = task_of(experiment)
        assert isinstance(task, Task)
        follow(meeting, rank, task, training, seed, device_of(gpus), address)
    except Parted:
        return ""  # another worker's end
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        return f"on worker {rank} of {meeting.size} (counted from 0):\n{user_traceback(error)}"
    return ""


def _watch(others: Sequence[ray.ObjectRef], abort: Any, over: threading.Event) -> None:
    """Ends this worker's waiting on its GPU for another one that has ended before its time."""
    while not over.wait(_LOOK_SECONDS):
        for other in ray.wait(list(others), num_returns=len(others), timeout=0)[0]:
            if _end(other) is not None:
                abort()
                return


def _cause(others: Sequence[ray.ObjectRef], parted: Parted) -> Exception:
    """Why a group broke off: what the user's code raised elsewhere, else which worker is lost."""
    ray.wait(list(others), timeout=_CAUSE_SECONDS)
    done, _ = ray.wait(list(others), num_returns=len(others), timeout=_LOOK_SECONDS)
    ends = [end for end in map(_end, done) if end is not None]
    raised = [end for end in ends if isinstance(end, WorkerRaised)]
    return next(iter([*raised, *ends]), WorkerDied(f"the workers of the trial lost each other: {parted}"))


def _end(other: ray.ObjectRef) -> Exception | None:
    """What went wrong on a worker that has ended; None if nothing did."""
    try:
        raised = ray.get(other)
    except RayError as error:
        return WorkerDied(f"another worker of the trial died: {str(error).strip().splitlines()[0]}")
    return WorkerRaised(raised) if raised else None
