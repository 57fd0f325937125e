"""Updates as graphs on a pretended GPU, with its two generators and its rule that nothing waits."""

import pytest
import torch
from torch import nn

from gansearch.gan import load_task
from tests.cuda import graph as pretended
from tests.cuda.test_training import CONDITIONAL, FIELDS, PAIRS, PICTURES, Endless, EndlessOnHost, Pictures, Points
from tests.cuda.test_training import made as trainer_of
from tests.gan.paired import Halves

UPDATES = {"updates": 64, "lr": 2**-10}
WITHOUT = ("gap-aware", "fp16", "ADA")
"""Words in the names of the cases that go without graphs."""


@pytest.fixture(autouse=True)
def made():
    """The graphs that were made."""
    pretended.CUDAGraph.made.clear()
    return pretended.CUDAGraph.made


def both(task, fields):
    """The same trainer without graphs and with them; the rates of a graph are float32."""
    later = [{**change, "after": change["after"] + 15} for change in fields.get("schedule", [])]
    fields = {**fields, **UPDATES, "schedule": later}
    return [trainer_of(task, {**fields, "graph": graph}, "cuda") for graph in (False, True)]


def losses(trainer, count=50):
    with trainer.random_state:
        return torch.stack([trainer.step() for _ in range(count)]).tolist()


CASES = {
    **{name: (Points(), fields) for name, fields in FIELDS.items()},
    **{f"pairs, {name}": (Halves(scales=2), fields) for name, fields in PAIRS.items()},
    **{f"pictures, {name}": (Pictures(), fields) for name, fields in PICTURES.items()},
    **{f"conditional, {name}": case for name, case in CONDITIONAL.items()},
    "data without end": (Endless(), {}),
    **{name: (load_task(name), {"batch_size": 4}) for name in ("digits", "ring", "grid")},
}


@pytest.mark.parametrize(("task", "fields"), CASES.values(), ids=CASES)
def test_graphs_give_the_results_of_updates_without_them(cuda, made, request, task, fields):
    one, other = both(task, fields)
    expected = losses(one)
    begun = losses(other, 30)
    with cuda.waits() as seen:
        found = begun + losses(other, 20)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert torch.equal(one.draws.get_state(), other.draws.get_state())
    name = request.node.callspec.id
    goes_without = any(word in name for word in WITHOUT)
    assert bool(other.remark()) == goes_without
    assert (sum(graph.replays for graph in made) > 20) != goes_without
    captured = "schedule" in fields or "top_k_anneal" in fields  # within the last updates, which may wait
    assert captured or [line for line in seen if "gan/balance" not in line and "outside" not in line] == []


@pytest.mark.parametrize("kind", [Points, EndlessOnHost])
def test_batches_that_come_from_the_host_go_without_graphs(cuda, made, kind):
    if kind is Points:
        with cuda.little_memory():
            one, other = both(Points(), {})
        assert losses(one) == losses(other)
    else:
        _, other = both(kind(), {})
        losses(other)
    assert made == []
    assert "batches come from the host" in other.remark()


class Waiting(Points):
    def discriminator(self, packing=1):
        class Layer(nn.Module):
            def forward(self, x):
                return x / float(x.abs().max())

        return nn.Sequential(Layer(), super().discriminator())


def test_a_network_that_waits_is_named_before_a_capture_breaks_off(cuda, made, monkeypatch):
    monkeypatch.setattr("gansearch.gan.updates.capture.is_users", lambda file: file == __file__)
    one, other = both(Waiting(), {"ema": 0.9})
    assert losses(one) == losses(other)
    assert made == []
    assert "called a synchronizing CUDA operation (test_graphs.py:" in other.remark()
    assert "float(x.abs().max())" in other.remark()
    assert torch.cuda.get_sync_debug_mode() == 0


def test_after_a_capture_that_broke_off_random_numbers_go_on(cuda, made, monkeypatch):
    def fail(*args):
        raise RuntimeError("broken")

    monkeypatch.setattr(pretended.graph, "__enter__", fail)
    one, other = both(Pictures(), {})  # D draws from torch's generator
    assert losses(one) == losses(other)
    assert "RuntimeError: broken" in other.remark()
