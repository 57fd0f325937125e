"""A task's data on the device: what is trained on, and what is held out."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor

from gansearch.gan.task import Task, TaskError

HELD_OUT_SHARE = 0.2
HELD_OUT_MOST = 5_000


class Data:
    """Batches of training samples and the held-out reals of one task on one device."""

    def __init__(self, task: Task, device: torch.device):
        fixed = torch.Generator(device).manual_seed(0)
        self.device = device
        self._batch = task.real_batch if type(task).real_batch is not Task.real_batch else None
        held_out = task.held_out()
        if self._batch is not None:
            self.real = None
            self.held_out = held_out if held_out is not None else self._batch(2_000, fixed)
        else:
            samples = _samples(task.real(), "real()")
            if held_out is None:
                order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))
                count = min(int(HELD_OUT_SHARE * len(samples)), HELD_OUT_MOST)
                held_out, samples = samples[order[:count]], samples[order[count:]]
            self.real = _place(samples, device)
            self.held_out = held_out
        self.held_out = _samples(self.held_out, "held_out()").to(device)

    def batch(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, ...) training samples on the device, drawn with replacement."""
        if self._batch is not None:
            return self._batch(n, generator).to(self.device, torch.float32)
        return self.at(self.picks(n, generator))

    def picks(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) numbers of training samples; for data that has an end."""
        assert self.real is not None
        return torch.randint(len(self.real), (n,), generator=generator, device=self.device)

    def at(self, picks: Tensor) -> Tensor:
        """The samples (*picks.shape, ...) on the device."""
        assert self.real is not None
        if self.real.device == self.device:
            return self.real[picks]
        return self.real[picks.to(self.real.device)].to(self.device, non_blocking=True)


_DATA: weakref.WeakKeyDictionary[Task, dict[torch.device, Data]] = weakref.WeakKeyDictionary()


def data_of(task: Task, device: torch.device) -> Data:
    """The task's data on the device, read and split once a task object."""
    known = _DATA.setdefault(task, {})
    if device not in known:
        known[device] = Data(task, device)
    return known[device]


def held_out_of(task: Task) -> Tensor | None:
    """The held-out reals (M, ...) of a task whose data has been read, on whatever device; None before."""
    return next((data.held_out for data in _DATA.get(task, {}).values()), None)


def _samples(samples: Tensor, source: str) -> Tensor:
    if not isinstance(samples, Tensor):
        raise TaskError(f"{source} must return a tensor of samples, not a {type(samples).__name__}")
    if samples.dim() < 2 or len(samples) < 10:
        raise TaskError(f"{source} must return at least 10 samples of shape (N, ...), not {tuple(samples.shape)}")
    samples = samples.detach().float()
    if not samples.isfinite().all():
        raise TaskError(f"{source} returns NaN or infinite values")
    return samples


def _place(samples: Tensor, device: torch.device) -> Tensor:
    """On the device where that leaves half of its memory free, else on the host, in pinned memory."""
    if device.type != "cuda":
        return samples.to(device)
    free, _ = torch.cuda.mem_get_info(device)
    return samples.to(device) if samples.nbytes < free / 2 else samples.pin_memory()
