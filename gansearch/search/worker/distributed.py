"""The workers of one trial: this Ray worker leads, and the others are Ray tasks in the same placement group.

They belong to this worker's process and to the trial's placement group: whatever ends either ends them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError
from ray.tune import PlacementGroupFactory
from ray.util import get_current_placement_group, get_node_ip_address
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from gansearch.experiment import Resources
from gansearch.gan import SeedTrainer, Task, Trainer
from gansearch.gan.distributed.group import Meeting, Parted
from gansearch.gan.distributed.trainer import follow, lead
from gansearch.gan.user_code import user_traceback
from gansearch.search.worker.seed import SeedJob, task_of, trainer_of

_LOCAL = "127.0.0.1"
_CAUSE_SECONDS = 20.0
"""In which a worker that broke a group off is known to have ended."""
_CHECK_SECONDS = 1.0


class WorkerDied(RuntimeError):
    """One of a trial's workers was killed, or can no longer be reached: the trial's training is to be tried again."""


class WorkerRaised(RuntimeError):
    """The user's code raised on another worker of the trial; the message holds its traceback."""


def placement(resources: Resources, bundle: Mapping[str, float]) -> PlacementGroupFactory:
    """Return what a trial reserves: a bundle for each of its workers."""
    strategy = "PACK" if resources.across_nodes else "STRICT_PACK"
    return PlacementGroupFactory([dict(bundle)] * resources.processes, strategy=strategy)


def why(error: BaseException) -> str:
    """Return what a record says of an error that ended a training."""
    return str(error) if isinstance(error, WorkerRaised) else user_traceback(error)


@contextmanager
def training_of(job: SeedJob) -> Iterator[SeedTrainer]:
    """Yield the trainer of a job, which the trial's other workers follow where it has several.

    Raises what the user's code raises, WorkerRaised where it does so on another worker, WorkerDied where one is lost.
    """
    if job.experiment.resources.processes == 1:
        yield trainer_of(job)
    else:
        with _together(job) as trainer:
            yield trainer


@contextmanager
def _together(job: SeedJob) -> Iterator[Trainer]:
    """Yield a trainer with followers, which are gone afterwards, however it ended."""
    job.set_threads()
    meeting, store = Meeting.call(_address(job), job.experiment.resources.processes)
    task = _task(job)
    followers = _start_followers(job, meeting)
    over = threading.Event()

    def check() -> None:
        if ray.wait(followers, timeout=0)[0]:
            raise Parted("a worker ended before the training began")

    try:
        with lead(meeting, store, task, job.training, job.seed, job.device, job.prune, check) as trainer:
            threading.Thread(target=_watch, args=(followers, trainer.group.abort, over), daemon=True).start()
            yield trainer
        ray.wait(followers, num_returns=len(followers), timeout=_CAUSE_SECONDS)
    except Parted as error:
        raise _cause(followers, error) from None
    finally:
        over.set()
        for follower in followers:
            ray.cancel(follower, force=True)


def _start_followers(job: SeedJob, meeting: Meeting) -> list[ray.ObjectRef]:
    def options(rank: int) -> dict[str, Any]:
        bundle = PlacementGroupSchedulingStrategy(get_current_placement_group(), placement_group_bundle_index=rank)
        return {"num_cpus": job.cpus, "num_gpus": job.gpus, "max_retries": 0, "scheduling_strategy": bundle}

    take_part = ray.remote(_take_part)
    return [take_part.options(**options(rank)).remote(job, meeting, rank) for rank in range(1, meeting.size)]


def _take_part(job: SeedJob, meeting: Meeting, rank: int) -> str:
    """Follow, on another worker of a trial. Return the traceback of what the user's code raised, or ""."""
    job.set_threads()
    try:
        follow(meeting, rank, _task(job), job.training, job.seed, job.device, _address(job))
    except Parted:
        return ""  # another worker has ended
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        return f"on worker {rank} of {meeting.size} (counted from 0):\n{user_traceback(error)}"
    return ""


def _address(job: SeedJob) -> str:
    return str(get_node_ip_address()) if job.experiment.resources.across_nodes else _LOCAL


def _task(job: SeedJob) -> Task:
    task = task_of(job.experiment)
    assert isinstance(task, Task)  # a loop has one worker
    return task


def _watch(followers: Sequence[ray.ObjectRef], abort: Any, over: threading.Event) -> None:
    """Abort where a follower has ended before its time: this worker may be waiting on its GPU for it."""
    while not over.wait(_CHECK_SECONDS):
        for follower in ray.wait(list(followers), num_returns=len(followers), timeout=0)[0]:
            if _failure(follower) is not None:
                abort()
                return


def _cause(followers: Sequence[ray.ObjectRef], parted: Parted) -> Exception:
    """Return why a group broke off: what the user's code raised elsewhere, else which worker is lost."""
    ray.wait(list(followers), timeout=_CAUSE_SECONDS)
    done, _ = ray.wait(list(followers), num_returns=len(followers), timeout=_CHECK_SECONDS)
    failures = [failure for failure in map(_failure, done) if failure is not None]
    raised = [failure for failure in failures if isinstance(failure, WorkerRaised)]
    return next(iter([*raised, *failures]), WorkerDied(f"the workers of the trial lost each other: {parted}"))


def _failure(follower: ray.ObjectRef) -> Exception | None:
    """Return what went wrong on a follower that has ended; None if nothing did."""
    try:
        raised = ray.get(follower)
    except RayError as error:
        return WorkerDied(f"another worker of the trial died: {str(error).strip().splitlines()[0]}")
    return WorkerRaised(raised) if raised else None
