"""A task's data on a device: training samples and held-out ones."""

from __future__ import annotations

import copy
import weakref

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.split import split
from gansearch.gan.task import Task, TaskError, Trainable

HELD_OUT_BYTES = 256_000_000
"""Most memory of held-out samples that are unpacked, which is always in use; a thousand samples may take more."""

_OFFSET = 4  # of a generator from one batch to the next; CUDA's take multiples of 4


class Data:
    """Batches of training samples and the held-out reals of one task on one device."""

    def __init__(self, task: Task, device: torch.device):
        fixed = torch.Generator(device).manual_seed(0)
        self.device = device
        self.real: Tensor | None = None
        """The task's samples as it stores them; None for data without end."""
        self.count = 0
        """The number of training samples, for data with an end."""
        self._batch = task.real_batch if type(task).real_batch is not Task.real_batch else None
        self._unpacked = task.unpacked if type(task).unpacked is not Task.unpacked else None
        self._rows: Tensor | None = None  # numbers of the training samples in `real`, where not all are
        held_out = task.held_out()
        if self._batch is not None:
            held_out = held_out if held_out is not None else self._batch(2_000, fixed)
        elif self._unpacked is not None:
            stored = _tensor(task.real(), "real()")
            if held_out is None:
                one = self._unpacked(stored[:1])
                most = max(1_000, HELD_OUT_BYTES // one.nbytes)
                rows, self._rows = split(len(stored), most, _groups(task, len(stored)))
                with torch.random.fork_rng(devices=[]):  # the same held-out samples in every process
                    torch.manual_seed(0)
                    held_out = self._unpacked(stored[rows])
            self.real = _to_device(stored, device)
        else:
            samples = _samples(task.real(), "real()")
            if held_out is None:
                rows, others = split(len(samples), groups=_groups(task, len(samples)))
                held_out, samples = samples[rows], samples[others]
            self.real = _to_device(samples, device)
        self.held_out = _samples(held_out, "held_out()").to(device)
        self._place()

    def on(self, device: torch.device) -> Data:
        """The same data on another device; of data with an end, which has been read on the CPU."""
        assert self.real is not None
        moved = copy.copy(self)
        moved.device, moved.held_out = device, self.held_out.to(device)
        moved.real = _to_device(self.real, device)
        moved._place()
        return moved

    def batch(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, ...) training samples on the device, drawn with replacement."""
        if self._batch is not None:
            made = self._batch(n, generator).float()
            if self.device.type == "cuda" and made.device.type == "cpu":
                return made.pin_memory().to(self.device, non_blocking=True)
            return made.to(self.device)
        return self.at(self.picks(n, generator))

    def some(self, n: int, generator: torch.Generator) -> Tensor:
        """All training samples, on any device, or n drawn ones on this, where all would have to be made first."""
        return self.batch(n, generator) if self.real is None or self._unpacked is not None else self.real

    def picks(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) numbers of training samples, drawn with replacement; for data with an end.

        They are where the samples are. Of samples on the host they follow from the seed and the offset of the device's
        generator, which the host knows: numbers that the device draws would be waited for.
        """
        if not self._on_host:
            return torch.randint(self.count, (n,), generator=generator, device=self.device)
        offset = generator.get_offset()
        generator.set_offset(offset + _OFFSET)
        numbers = np.random.Generator(np.random.Philox(key=generator.initial_seed(), counter=[0, offset, 0, 0]))
        return torch.from_numpy(numbers.integers(self.count, size=n))

    def at(self, picks: Tensor) -> Tensor:
        """The training samples with these numbers, which are on any device: (*picks.shape, ...) on this."""
        rows = picks.cpu() if self._on_host else picks
        rows = rows if self._rows is None else self._rows[rows]
        if self._unpacked is None:
            return self._at(rows)
        return self._unpacked(self._at(rows.flatten())).unflatten(0, picks.shape)

    def _at(self, rows: Tensor) -> Tensor:
        """What is stored in these rows, on the device.

        Gathered in pinned memory on the host, from which it is copied while the host goes on. Torch gives such memory
        to another batch once the copy is done.
        """
        assert self.real is not None
        if not self._on_host:
            return self.real[rows]
        batch = torch.empty(*rows.shape, *self.real.shape[1:], dtype=self.real.dtype, pin_memory=True)
        torch.index_select(self.real, 0, rows.flatten(), out=batch.flatten(0, rows.dim() - 1))
        return batch.to(self.device, non_blocking=True)

    def _place(self) -> None:
        """Notes where the samples are, which `_to_device` has decided, and puts the numbers of the rows beside them."""
        self._on_host = self.real is not None and self.real.device.type != self.device.type
        if self.real is None:
            return
        if self._rows is not None:
            self._rows = self._rows.to(self.real.device)
        self.count = len(self.real if self._rows is None else self._rows)


_DATA: dict[int, dict[torch.device, Data]] = {}
"""The data by the ids of the tasks that live; a task may have no hash, as a dataclass has none."""


def data_of(task: Task, device: torch.device) -> Data:
    """The task's data on the device, read and split once per task object."""
    if id(task) not in _DATA:
        _DATA[id(task)] = {}
        weakref.finalize(task, _DATA.pop, id(task))
    loaded = _DATA[id(task)]
    if device not in loaded:
        read = loaded.get(torch.device("cpu"))
        loaded[device] = Data(task, device) if read is None or read.real is None else read.on(device)
    return loaded[device]


def held_out_of(task: Trainable) -> Tensor | None:
    """The held-out reals (M, ...) of a task whose data has been read, on any device; None before."""
    return next((data.held_out for data in _DATA.get(id(task), {}).values()), None)


def _groups(task: Task, count: int) -> Tensor | None:
    """The task's groups of `count` samples. Raises TaskError where they are others than whole numbers, one a sample."""
    found = task.groups()
    if found is None:
        return None
    groups = torch.as_tensor(found).cpu()
    if groups.shape != (count,) or groups.is_floating_point() or groups.is_complex():
        what = f"{groups.dtype} of shape {tuple(groups.shape)}"
        raise TaskError(f"groups() must return a whole number for each of the {count} samples, not {what}")
    return groups


def _tensor(samples: Tensor, source: str) -> Tensor:
    if not isinstance(samples, Tensor):
        remedy = ""
        if isinstance(samples, np.ndarray):
            remedy = "; torch.from_numpy(array).float() makes one of it"
        elif isinstance(samples, tuple):
            remedy = "; return the samples alone, without labels"
        elif hasattr(samples, "__getitem__") or hasattr(samples, "__iter__"):
            remedy = "; torch.stack([sample for sample, *_ in data]) makes one of pairs"
        raise TaskError(f"{source} must return a tensor of samples, not {type(samples).__name__}{remedy}")
    if samples.dim() < 2 or len(samples) < 10:
        raise TaskError(f"{source} must return at least 10 samples of shape (N, ...), not {tuple(samples.shape)}")
    return samples.detach()


def _samples(samples: Tensor, source: str) -> Tensor:
    samples = _tensor(samples, source).float()
    if not samples.isfinite().all():
        raise TaskError(f"{source} returns NaN or infinite values")
    return samples


def _to_device(samples: Tensor, device: torch.device) -> Tensor:
    """On the device where that leaves half of its memory free, else on the host."""
    keep = device.type == "cuda" and samples.nbytes >= torch.cuda.mem_get_info(device)[0] / 2
    return samples if keep else samples.to(device)
