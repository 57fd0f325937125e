"""A task's data on a device: training samples and held-out ones."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.conditions import (
    as_conditioned,
    checked,
    classes_in,
    is_paired,
    labels_of,
    ordered_for_display,
    typed,
    with_conditions,
)
from gansearch.gan.split import HELD_OUT_MOST, split
from gansearch.gan.task import Task, TaskError, Trainable

HELD_OUT_BYTES = 256_000_000
"""Most memory of held-out samples that are unpacked, which is always in use; a thousand samples may take more."""

_OFFSET = 4  # of a generator from one batch to the next; CUDA's take multiples of 4


class Data:
    """Batches of training samples and the held-out reals of one task on one device, with their conditions if any."""

    def __init__(self, task: Task, device: torch.device):
        self.device = device
        self.real: Tensor | None = None
        """The task's samples as it stores them; None for data without end."""
        self.labels: Tensor | None = None
        """Their conditions as the task stores them; None without any, and for data without end."""
        self.count = 0
        """The number of training samples, for data with an end."""
        self.on_host = False
        """Whether batches come from the host to another device; of data without end, whether one has."""
        self._made = task.real_batch if type(task).real_batch is not Task.real_batch else None
        self._unpacked = task.unpacked if type(task).unpacked is not Task.unpacked else None
        unpacks_labels = type(task).unpacked_labels is not Task.unpacked_labels
        self._unpacked_labels = task.unpacked_labels if unpacks_labels else None
        self._rows: Tensor | None = None  # numbers of the training samples in `real`, where not all are
        given = task.held_out()
        read = as_conditioned if is_paired(task) else with_conditions
        held_out = None if given is None else read(given, "held_out()")
        if self._made is None:
            held_out = self._read(task, held_out)
        elif type(task).labels is not Task.labels:
            raise TaskError("labels() goes with real(); real_batch() returns (samples, labels)")
        elif held_out is None:
            fixed = torch.Generator(device).manual_seed(0)
            held_out = with_conditions(self._made(2_000, fixed), "real_batch()")
        samples, *labels = held_out
        samples = _samples(samples, "held_out()")
        parts = ordered_for_display(samples, [checked(part, "labels()") for part in labels])
        self.held_out = parts[0].to(device)
        self.conditions = tuple(part.to(device) for part in parts[1:])
        """(y,), the conditions of the held-out reals; () without any."""
        self.classes = classes_in(*self.conditions, *(() if self.labels is None else (self.labels,)))
        """The number of classes; 0 where conditions are no classes, or there are none."""
        self._place()

    def _read(self, task: Task, held_out: tuple[Tensor, ...] | None) -> tuple[Tensor, ...]:
        """Reads data with an end; returns the held-out samples, and their conditions if any."""
        source = "pairs()" if is_paired(task) else "real()"
        given, *inputs = as_conditioned(task.pairs(), source) if is_paired(task) else (task.real(),)
        samples = _samples(given, source) if self._unpacked is None else _tensor(given, source)
        labels = inputs[0].detach() if inputs else labels_of(task, len(samples))
        if labels is not None and self._unpacked_labels is None:
            labels = checked(labels, "labels()")
        if held_out is not None and len(held_out) != 1 + (labels is not None):
            raise TaskError("held_out() must return (samples, labels) where labels() gives some, and else samples")
        if held_out is None:
            unpack, unpack_labels = self._unpacked or _as_it_is, self._unpacked_labels or _as_it_is
            most = HELD_OUT_MOST
            if self._unpacked is not None:
                one = unpack(samples[:1]).nbytes + (0 if labels is None else unpack_labels(labels[:1]).nbytes)
                most = max(1_000, HELD_OUT_BYTES // one)
            rows, others = split(len(samples), most, _groups(task, len(samples)))
            with torch.random.fork_rng(devices=[]):  # the same held-out samples in every process
                torch.manual_seed(0)
                held_out = (unpack(samples[rows]),)
                if labels is not None:
                    held_out += (unpack_labels(labels[rows]),)
            if self._unpacked is not None:
                self._rows = others
            else:
                samples, labels = samples[others], None if labels is None else labels[others]
        self.real, self.labels = _to_device(self.device, samples, labels)
        return held_out

    def on(self, device: torch.device) -> Data:
        """The same data on another device; of data with an end, which has been read on the CPU."""
        assert self.real is not None
        moved = copy.copy(self)
        moved.device, moved.held_out = device, self.held_out.to(device)
        moved.conditions = tuple(part.to(device) for part in self.conditions)
        moved.real, moved.labels = _to_device(device, self.real, self.labels)
        moved._place()
        return moved

    def batch(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, ...) training samples on the device, drawn with replacement, without their conditions."""
        return self.reals(n, generator)[0] if self._made is not None else self.at(self.picks(n, generator))

    def reals(self, n: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """(x,), or (x, y) with conditions: n training samples on the device, drawn with replacement."""
        if self._made is None:
            picks = self.picks(n, generator)
            return self.at(picks), *self.conditions_at(picks)
        made, *labels = with_conditions(self._made(n, generator), "real_batch()")
        if len(labels) != len(self.conditions):
            raise TaskError("real_batch() and held_out() must both return (samples, labels), or both samples alone")
        return self._sent(made.float()), *(self._sent(typed(part)) for part in labels)

    def some(self, n: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """(x,), all training samples, on any device, or n drawn ones on this, where all would have to be made first.

        With conditions (x, y), n drawn ones.
        """
        every = self.real is not None and self._unpacked is None and not self.conditions
        return (self.real,) if every and self.real is not None else self.reals(n, generator)

    def first(self, n: int) -> tuple[Tensor, ...]:
        """(x,), or (x, y) with conditions: the first n held-out reals."""
        return tuple(part[:n] for part in (self.held_out, *self.conditions))

    def examples(self, n: int) -> tuple[Tensor, ...]:
        """As `first`, with the classes from the first to the last in place of their own: a network may lack some."""
        samples, *conditions = self.first(n)
        if self.classes:
            conditions = [torch.linspace(0, self.classes - 1, len(samples), device=self.device).long()]
        return samples, *conditions

    def repeated(self, n: int) -> tuple[Tensor, ...]:
        """(y,), the conditions of n fakes: those of the held-out reals in their order, over and over; () without."""
        return tuple(part[torch.arange(n, device=part.device) % len(part)] for part in self.conditions)

    def picks(self, n: int, generator: torch.Generator) -> Tensor:
        """(n,) numbers of training samples, drawn with replacement; for data with an end.

        They are where the samples are. Of samples on the host they follow from the seed and the offset of the device's
        generator, which the host knows: numbers that the device draws would be waited for.
        """
        if not self.on_host:
            return torch.randint(self.count, (n,), generator=generator, device=self.device)
        offset = generator.get_offset()
        generator.set_offset(offset + _OFFSET)
        numbers = np.random.Generator(np.random.Philox(key=generator.initial_seed(), counter=[0, offset, 0, 0]))
        return torch.from_numpy(numbers.integers(self.count, size=n))

    def at(self, picks: Tensor) -> Tensor:
        """The training samples with these numbers, which are on any device: (*picks.shape, ...) on this."""
        assert self.real is not None
        return self._at(self.real, self._unpacked, picks)

    def conditions_at(self, picks: Tensor) -> tuple[Tensor, ...]:
        """(y,), the conditions of the training samples with these numbers, (*picks.shape, ...); () without any."""
        return () if self.labels is None else (self._at(self.labels, self._unpacked_labels, picks),)

    def _at(self, stored: Tensor, unpacked: Callable[[Tensor], Tensor] | None, picks: Tensor) -> Tensor:
        rows = picks.cpu() if self.on_host else picks
        rows = rows if self._rows is None else self._rows[rows]
        if unpacked is None:
            return self._gathered(stored, rows)
        return unpacked(self._gathered(stored, rows.flatten())).unflatten(0, picks.shape)

    def _gathered(self, stored: Tensor, rows: Tensor) -> Tensor:
        """What is stored in these rows, on the device.

        Gathered in pinned memory on the host, from which it is copied while the host goes on. Torch gives such memory
        to another batch once the copy is done.
        """
        if not self.on_host:
            return stored[rows]
        batch = torch.empty(*rows.shape, *stored.shape[1:], dtype=stored.dtype, pin_memory=True)
        torch.index_select(stored, 0, rows.flatten(), out=batch.flatten(0, rows.dim() - 1))
        return batch.to(self.device, non_blocking=True)

    def _sent(self, made: Tensor) -> Tensor:
        """A part of a fresh batch on the device."""
        if self.device.type == "cuda" and made.device.type == "cpu":
            self.on_host = True
            return made.pin_memory().to(self.device, non_blocking=True)
        return made.to(self.device)

    def _place(self) -> None:
        """Notes where the samples are, which `_to_device` has decided, and puts the numbers of the rows beside them."""
        if self.real is None:
            return
        self.on_host = self.real.device.type != self.device.type
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


def read_of(task: Trainable) -> Data | None:
    """The data of a task once it has been read, on any device; None before."""
    return next(iter(_DATA.get(id(task), {}).values()), None)


def inputs_of(task: Trainable) -> Tensor | None:
    """The inputs (M, ...) of the held-out pairs of a task whose data has been read; None before, and without pairs."""
    data = read_of(task) if isinstance(task, Task) and is_paired(task) else None
    return None if data is None else data.conditions[0]


def held_out_of(task: Trainable) -> Tensor | None:
    """The held-out reals (M, ...) of a task whose data has been read, on any device; None before."""
    data = read_of(task)
    return None if data is None else data.held_out


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
            remedy = "; return the samples alone, and their labels by labels()"
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


def _to_device(device: torch.device, samples: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Both on the device where that leaves half of its memory free, else on the host."""
    size = samples.nbytes + (0 if labels is None else labels.nbytes)
    if device.type == "cuda" and size >= torch.cuda.mem_get_info(device)[0] / 2:
        return samples, labels
    return samples.to(device), None if labels is None else labels.to(device)


def _as_it_is(stored: Tensor) -> Tensor:
    return stored
