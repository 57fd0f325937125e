"""Starts processes of this machine that train one run together with this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.multiprocessing import spawn

from gansearch.experiment import Training
from gansearch.gan.distributed.group import Meeting, Parted
from gansearch.gan.distributed.trainer import ParallelTrainer, follow, lead
from gansearch.gan.registry import load_task
from gansearch.gan.task import Task

_END_SECONDS = 30.0  # in which the other processes end


@contextmanager
def spawned(
    task: Task, spec: str, options: Mapping[str, Any], training: Training, seed: int, devices: Sequence[str]
) -> Iterator[ParallelTrainer]:
    """A trainer on the first of the devices, which a process on each other device follows with as many threads.

    `spec` and `options` are what the task was loaded from. The processes have ended afterwards.

    Raises:
        torch.multiprocessing.ProcessException: Another process raised or died; the message holds its traceback.
    """
    meeting, store = Meeting.call("127.0.0.1", len(devices))
    given = (meeting, spec, dict(options), training, seed, list(devices), torch.get_num_threads())
    others = spawn(_take_part, given, len(devices) - 1, join=False)

    def check() -> None:
        if others.join(0):
            raise Parted("the other processes ended before the training began")

    try:
        with lead(meeting, store, task, training, seed, devices[0], check=check) as trainer:
            yield trainer
        others.join(_END_SECONDS)
    except Parted:
        others.join(_END_SECONDS)  # raises what ended another one first
        raise
    finally:
        for process in others.processes:
            process.kill()


def _take_part(
    number: int,
    meeting: Meeting,
    spec: str,
    options: dict[str, Any],
    training: Training,
    seed: int,
    devices: list[str],
    threads: int,
) -> None:
    torch.set_num_threads(threads)
    task = load_task(spec, options)
    assert isinstance(task, Task)
    follow(meeting, number + 1, task, training, seed, devices[number + 1])
