import dataclasses
import gc

import pytest
import torch

from gansearch.gan import Task, TaskError
from gansearch.gan.data import _DATA, data_of, held_out_of

CPU = torch.device("cpu")


class Counted(Task):
    """Samples that are their own numbers."""

    def __init__(self, count=100):
        self.count = count

    def real(self):
        return torch.arange(self.count).unsqueeze(1).float()


class Bytes(Counted):
    def real(self):
        return torch.arange(self.count, dtype=torch.uint8).unsqueeze(1)

    def unpacked(self, stored):
        return stored.float() / 10


class Endless(Task):
    def real_batch(self, n, generator):
        return torch.randn(n, 3, generator=generator)


@pytest.mark.parametrize(("task", "scale"), [(Counted(), 1), (Bytes(), 10)])
def test_a_fifth_is_held_out_and_never_drawn(task, scale):
    data = data_of(task, CPU)
    held_out = {round(float(one) * scale) for one in data.held_out}
    drawn = {round(float(one) * scale) for one in data.batch(3_000, torch.Generator().manual_seed(0))}
    assert (len(held_out), data.count) == (20, 80)
    assert held_out | drawn == set(range(100))
    assert not held_out & drawn
    assert torch.equal(data_of(type(task)(), CPU).held_out, data.held_out)  # the same split each time


def test_data_are_read_once_a_task():
    task = Counted()
    assert held_out_of(task) is None
    assert data_of(task, CPU) is data_of(task, CPU)
    assert torch.equal(held_out_of(task), data_of(task, CPU).held_out)


def test_data_without_end_have_held_out_samples_too():
    data = data_of(Endless(), CPU)
    assert (data.real, data.held_out.shape) == (None, (2_000, 3))
    assert data.batch(4, torch.Generator()).shape == (4, 3)


def test_too_few_samples_are_refused():
    with pytest.raises(TaskError, match="49 samples"):
        data_of(Counted(49), CPU)


@pytest.mark.parametrize("kind", [Counted, Bytes])
def test_groups_stay_on_one_side(kind):
    class Grouped(kind):
        def groups(self):
            return torch.arange(self.count) // 3

    data = data_of(Grouped(), CPU)
    held_out = {round(float(one) * (10 if kind is Bytes else 1)) // 3 for one in data.held_out}
    others = {round(float(one) * (10 if kind is Bytes else 1)) // 3 for one in data.at(torch.arange(data.count))}
    assert len(data.held_out) == 19
    assert not held_out & others


@pytest.mark.parametrize("groups", [torch.zeros(99, dtype=torch.long), torch.rand(100), torch.zeros(100, 1)])
def test_groups_of_another_shape_or_type_are_refused(groups):
    task = Counted()
    task.groups = lambda: groups
    with pytest.raises(
        TaskError, match=r"groups\(\) must return a whole number for each of the 100 samples, not torch"
    ):
        data_of(task, CPU)


@dataclasses.dataclass
class Unhashable(Counted):
    count: int = 100


def test_a_dataclass_has_its_data_while_it_lives():
    task, other = Unhashable(), Unhashable()
    assert data_of(task, CPU) is data_of(task, CPU)
    assert data_of(task, CPU) is not data_of(other, CPU)
    assert held_out_of(task) is data_of(task, CPU).held_out
    key = id(task)
    del task
    gc.collect()
    assert key not in _DATA


@pytest.mark.parametrize("kind", [Counted, Bytes])
def test_what_is_read_on_the_cpu_is_not_read_again_for_another_device(kind, monkeypatch):
    task = kind()
    here = data_of(task, CPU)
    monkeypatch.setattr(kind, "real", None)
    there = data_of(task, torch.device("meta"))
    assert (there.count, there.device.type, here.device.type) == (here.count, "meta", "cpu")
    drawn = there.at(torch.zeros(4, dtype=torch.long, device="meta"))
    assert there.real.device.type == there.held_out.device.type == drawn.device.type == "meta"
    assert data_of(task, CPU) is here
