"""A trial of several processes: this one leads, those that `gansearch.search.worker.followers` starts follow."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gansearch.gan import SeedTrainer, Task, Trainer
from gansearch.gan.distributed.group import Meeting, Parted
from gansearch.gan.distributed.trainer import follow, lead
from gansearch.gan.user_code import user_traceback
from gansearch.scripts.errors import ScriptFailed
from gansearch.search.worker.link import Link, Stopped
from gansearch.search.worker.seed import SeedJob, task_of, trainer_of

_LOCAL = "127.0.0.1"
_CHECK_SECONDS = 1.0


class WorkerDied(RuntimeError):
    """One of a trial's workers was killed, or can no longer be reached: the trial's training is to be tried again."""


class WorkerRaised(RuntimeError):
    """The user's code raised on another worker of the trial; the message holds its traceback."""


def why(error: BaseException) -> str:
    """Return what a record says of an error that ended a training."""
    return str(error) if isinstance(error, WorkerRaised | ScriptFailed) else user_traceback(error)


@contextmanager
def training_of(job: SeedJob, link: Link | None) -> Iterator[SeedTrainer]:
    """Yield the trainer of a job, which the trial's other workers follow where it has several.

    Raises what the user's code raises, WorkerRaised where it does so on another worker, WorkerDied where one is lost.
    """
    if job.experiment.resources.processes == 1:
        yield trainer_of(job)
    else:
        assert link is not None
        with _together(job, link) as trainer:
            yield trainer


@contextmanager
def _together(job: SeedJob, link: Link) -> Iterator[Trainer]:
    """Yield a trainer with followers, which are gone afterwards, unless it raises: then the trial ends."""
    job.prepare_process()
    meeting, store = Meeting.call(_address(job, link), job.experiment.resources.processes)
    task = _task(job)
    link("follow", meeting.size, job.cpus, job.gpus, pickle.dumps((job, meeting)))
    over = threading.Event()

    def check() -> None:
        if link("follower_ended"):
            raise Parted("a worker ended before the training began")

    try:
        with lead(meeting, store, task, job.training, job.seed, job.device, job.prune, check) as trainer:
            threading.Thread(target=_watch, args=(link, trainer.group.abort, over), daemon=True).start()
            yield trainer
        over.set()
        link("part")
    except Parted as error:
        raised, text = link("why_parted")
        lost = text or f"the workers of the trial lost each other: {error}"
        raise (WorkerRaised(text) if raised else WorkerDied(lost)) from None
    finally:
        over.set()


def take_part(link: Link, given: bytes, rank: int) -> str:
    """Follow, in the process of another worker. Return the traceback of what the user's code raised, or ""."""
    job, meeting = pickle.loads(given)  # noqa: S301 (of the first worker's process)
    job.prepare_process()
    try:
        follow(meeting, rank, _task(job), job.training, job.seed, job.device, _address(job, link))
    except Parted:
        return ""  # another worker has ended
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        return f"on worker {rank} of {meeting.size} (counted from 0):\n{user_traceback(error)}"
    return ""


def _address(job: SeedJob, link: Link) -> str:
    return str(link("node")) if job.experiment.resources.across_nodes else _LOCAL


def _task(job: SeedJob) -> Task:
    task = task_of(job.experiment)
    assert isinstance(task, Task)  # a loop has one worker
    return task


def _watch(link: Link, abort: Callable[[], None], over: threading.Event) -> None:
    """Abort where a follower has ended before its time: this process may be waiting on its GPU for it."""
    while not over.wait(_CHECK_SECONDS):
        try:
            if link("follower_failed"):
                abort()
                return
        except Stopped:
            return
