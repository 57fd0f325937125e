"""A sweep whose input is good, while it runs: its folder, its cluster, its listeners."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from ray import tune

from gansearch.experiment import Experiment
from gansearch.gan import check_task
from gansearch.gan.user_code import as_program
from gansearch.interrupts import Interrupted
from gansearch.scripts.task import Script, task_of
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.cluster import Cluster, cluster
from gansearch.search.cluster.nodes import check_nodes
from gansearch.search.cluster.ray_settings import ray_settings
from gansearch.search.cluster.runtime_env import Code, code_for, local
from gansearch.search.dry_run.bursts import measure_fill
from gansearch.search.dry_run.fill import NO_GPU, Fill, parse_fill
from gansearch.search.dry_run.stack import Stack, parse_stack
from gansearch.search.dry_run.stacking import given_stack, measured_stack
from gansearch.search.gpu_use import GpuUse
from gansearch.search.mirror import storage_of
from gansearch.search.sampling.searcher import LimitedSearcher
from gansearch.search.sampling.total_time import TotalTime
from gansearch.search.slots import Slots
from gansearch.search.supervisor import Housekeeper, Supervisor
from gansearch.search.tuning import SweepCallback, Trainable, tuning
from gansearch.search.watchdog import Patience
from gansearch.search.worker.followers import placement_of
from gansearch.search.worker.process import Origin
from gansearch.signals import Interrupts
from gansearch.store.folder import Folder
from gansearch.store.object_store import join
from gansearch.store.run_file import read_run
from gansearch.study.analysis.time_spent import used_seconds

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """A sweep in a folder that it holds, on a cluster that runs."""

    folder: Folder
    experiment: Experiment
    worker_experiment: Experiment
    """The same with the paths of the nodes, as workers read it."""
    origin: Origin
    """What the processes of its trials are forked from."""
    hardware: str
    slots: Slots
    listener: Listener
    interrupts: Interrupts
    patience: Patience
    total_time: TotalTime
    gpu_use: GpuUse

    def supervisor(self, searcher: LimitedSearcher) -> Supervisor:
        """Return what keeps the trials of a searcher running."""
        return Supervisor(self.slots, self.patience, searcher, self.interrupts)

    def tuning(
        self, trainable: Trainable, callbacks: Sequence[SweepCallback], **options: Any
    ) -> AbstractContextManager[tune.Tuner]:
        """Return a context manager with a tuner, as `gansearch.search.tuning.tuning` makes it."""
        # A copy of a member of a population resumes from the checkpoint before the newest one, of any member.
        is_population = self.experiment.is_population
        housekeeper = Housekeeper(self.folder, checkpoints_kept=1 + is_population, ended_kept=is_population)
        resources = partial(placement_of, self.experiment.resources, dict(self.slots.bundle))
        return tuning(self.folder, trainable, resources, [self.gpu_use, *callbacks, housekeeper], **options)

    def check_interrupt(self) -> None:
        """Raise Interrupted once that is requested."""
        if self.interrupts.requested:
            raise Interrupted(self.folder.path)


@contextmanager
def open_session(
    folder: Folder, experiment: Experiment, address: str | None, listener: Listener, patience: Patience
) -> Iterator[Session]:
    """Check the task, join or start Ray, check the nodes, and create the folder if it is new.

    Raises TaskError, SweepError or StudyError before anything is written.
    """
    total_time = TotalTime(experiment, used_seconds(folder))
    _check_task(experiment)
    code = code_for(experiment, folder.path) if address else Code(experiment)
    listener.doing("joining the cluster" if address else "starting Ray")
    with ExitStack() as stack:
        stack.enter_context(ray_settings())
        joined = stack.enter_context(cluster(address, code.runtime_env))
        joined.slots(experiment.resources)  # raises where there is none
        storage = storage_of(folder)
        check_nodes(code.experiment, storage or folder.path)
        fill = _fill(code.experiment, joined, folder, listener)
        stack_ = _stack(code.experiment, joined, folder, listener)
        interrupts = stack.enter_context(Interrupts())
        if not folder.is_ours:
            folder.create(experiment)
        visible_file = join(storage.url, folder.experiment.name) if storage else folder.experiment
        slots = Slots(code.experiment, joined, visible_file, listener, fill, stack_)
        stack.callback(slots.close)
        yield Session(
            folder,
            experiment,
            code.experiment,
            Origin.of(code.experiment),
            str(joined),
            slots,
            listener,
            interrupts,
            patience,
            total_time,
            GpuUse(read_run(folder).get("gpu_hours")),
        )


def _fill(experiment: Experiment, joined: Cluster, folder: Folder, listener: Listener) -> Fill | None:
    """Return how full GPUs are made: as before in this folder, or as is measured now; None where nothing is filled."""
    if experiment.resources.gpus != "fill":
        return None
    if not joined.total("GPU"):
        listener.doing(NO_GPU)
        return None
    fill = parse_fill(read_run(folder).get("fill"))
    if fill is None:
        listener.doing("measuring how many trials at once fill a GPU")
        fill = measure_fill(experiment, joined, True)
    listener.doing(str(fill))
    return fill


def _stack(experiment: Experiment, joined: Cluster, folder: Folder, listener: Listener) -> Stack | None:
    """Return how many trials share a process: as before in this folder, or as is wanted or measured now."""
    wanted = experiment.resources.stack
    if wanted == 1:
        return None
    stack = parse_stack(read_run(folder).get("stack")) if wanted == "auto" else given_stack(experiment, wanted)
    if stack is None:
        listener.doing("measuring how many trials one process trains at once")
        stack = measured_stack(experiment, joined, True)
    listener.doing(str(stack))
    return stack


def _check_task(experiment: Experiment) -> None:
    """Load the task on this machine, and log what it warns of. Raises TaskError."""
    readable = local(experiment)
    with as_program(readable.task_name):
        task = task_of(readable)
        if not isinstance(task, Script):
            check_task(task)
    for text in task.warnings():
        _LOG.warning("warning: %s", text)
