"""The trainer's updates as graphs, on a CPU with the captures that tests/cuda pretends."""

import contextlib
import io
import math
import random
import re

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Trainer, graphs
from gansearch.gan.distributed.group import Group, Meeting
from gansearch.gan.distributed.trainer import ParallelTrainer
from gansearch.gan.stacked import Stacked
from gansearch.gan.updates import capture
from tests.cuda import graph as pretended
from tests.gan import captures
from tests.gan.networks import Normed, everything

BUDGET = {"updates": 64, "pretrain_steps": 4, "batch_size": 8, "lr": 2**-10}
"""Rates that float32, in which graphs read them, holds exactly; so do those that fall to 0."""


@pytest.fixture
def made(monkeypatch):
    """A CPU that passes for a GPU where updates are captured; the graphs that were made."""
    return captures.pretend(monkeypatch)


class Points(Normed):
    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    def discriminator(self):
        return nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def trainers(task, **fields):
    """The same trainer without graphs and with them."""
    fields = {**BUDGET, **fields}
    return [Trainer(task, Training(**fields, graph=graph), seed=3) for graph in (False, True)]


def losses(trainer, count):
    with trainer.random_state:
        return [trainer.step() for _ in range(count)]


def tensors(trainer):
    """All that a trainer has learned, with its optimizers' states and its random numbers."""
    state = trainer.state()
    found = {"draws": state["draws"], "global": state["global"]["cpu"]}
    for name in ("generator", "discriminator", "average"):
        found |= {f"{name} {key}": value for key, value in (state[name] or {}).items()}
    for name in ("optimizer_d", "optimizer_g"):
        for number, own in state[name]["state"].items():
            found |= {f"{name} {number} {key}": value for key, value in own.items()}
    for name, gradients in state["gradients"].items():
        found |= {f"gradient {name} {number}": value for number, value in enumerate(gradients)}
    return found


FIELDS = {
    "plain": {},
    "pretraining alone is captured first": {"pretrain_steps": 9},
    "r1 and r2": {"r1_gamma": 0.1, "r2_gamma": 0.1},
    "wgan-gp": {"loss": "wgan"},
    "pairs": {"loss": "relativistic", "top_k": 0.5},
    "lazy penalties": {"r1_gamma": 0.1, "r1_every": 3, "update_ratio": 2.5},
    "rates fall": {"lr_decay": 1.0},
    "noise falls": {"instance_noise": 0.5},
    "sgd": {"optimizer": "sgd", "lr": 2**-4, "lr_decay": 1.0},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.5, "lr_decay": 1.0},
    "an average": {"ema": 0.9},
    "accumulated": {"accumulate": 3},
    "clipped": {"clip_grad": 0.1, "weight_clip": 0.05},
    "simultaneous": {"simultaneous": True, "pretrain_steps": 0, "ema": 0.9},
    "held": {"balance": "held", "target_separability": 0.7},
    "a schedule of the average": {"ema": 0.9, "schedule": [{"after": 40, "ema": 0.5}]},
    "a schedule": {
        "schedule": [
            {"after": 20, "lr_d": 2**-7},
            {"after": 30, "r1_gamma": 0.5, "beta2": 0.9, "ema": 0.5},
            {"after": 45, "lr_g": 2**-13, "update_ratio": 2.0},
        ]
    },
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("task", [Points(), Normed()], ids=["points", "normed"])
def test_graphs_give_the_results_and_random_numbers_of_updates_without_them(made, task, fields):
    one, other = trainers(task, **fields)
    expected, found = losses(one, 50), losses(other, 50)
    assert torch.stack(found).tolist() == pytest.approx(torch.stack(expected).tolist(), rel=1e-3, abs=1e-5)
    assert other.remark() == ""
    assert sum(graph.replays for graph in made) > 25
    assert (one.d_updates, one.g_updates) == (other.d_updates, other.g_updates)
    expected, found = tensors(one), tensors(other)
    far = [name for name, value in expected.items() if not torch.equal(found[name], value)]
    assert far == []
    assert other.state()["balance"] == one.state()["balance"]
    for optimizer in (other.optimizer_d, other.optimizer_g):
        assert type(optimizer.param_groups[0]["lr"]) is float
        assert not optimizer.param_groups[0].get("capturable")
    if one.average:
        assert one.average.n_averaged == other.average.n_averaged == one.g_updates


def test_each_kind_of_update_has_a_graph_of_its_own_and_a_turn_that_comes_back_needs_no_other(made):
    _, trainer = trainers(Points(), r1_gamma=0.1, r1_every=4, ema=0.9)
    losses(trainer, 50)
    assert len(made) == 3  # D with the penalty and without, G
    assert trainer.graphs.why == ""
    other = trainers(Points(), ema=0.9, schedule=[{"after": 30, "beta2": 0.5, "lr_d": 2**-7, "lr_g": 2**-7}])[1]
    made.clear()
    losses(other, 50)
    assert len(made) == 4  # rates are tensors, and β₂ is not


def test_shapes_that_still_change_are_not_captured(made):
    _, trainer = trainers(Points(), top_k=0.25, top_k_anneal=0.5)
    losses(trainer, 29)
    assert len(made) == 1
    losses(trainer, 21)
    assert len(made) == 2


def test_the_oldest_graphs_make_room(made, monkeypatch):
    monkeypatch.setattr(graphs, "_MOST", 2)
    one, other = trainers(Points(), r1_gamma=0.1, r1_every=2)
    expected, found = losses(one, 50), losses(other, 50)
    assert torch.stack(found).tolist() == pytest.approx(torch.stack(expected).tolist(), rel=1e-4)
    assert len(other.graphs._captured) == 2
    assert len(made) > 3


def test_updates_by_graph_are_seen_as_those_without(made):
    one, other = trainers(Points(), ema=0.9, balance="held")
    probes = [list(trainer.run()) for trainer in (one, other)]
    assert sum(graph.replays for graph in made) > 25
    for ours, theirs in zip(*probes, strict=True):
        for name, value in vars(ours).items():
            if name != "outputs":
                assert getattr(theirs, name) == pytest.approx(value, rel=1e-2, abs=1e-3, nan_ok=True), name
    assert other.result().updates == 64


def test_a_training_goes_on_from_its_state_and_captures_its_updates_anew(made):
    unbroken, first = trainers(Points(), ema=0.9, r1_gamma=0.1, lr_decay=0.5)
    second = trainers(Points(), ema=0.9, r1_gamma=0.1, lr_decay=0.5)[1]
    expected, _ = losses(unbroken, 50), losses(first, 25)
    losses(second, 14)  # has graphs of other states
    before = len(made)
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second.load_state(torch.load(file, weights_only=True))
    found = losses(second, 25)
    assert len(made) == before + 2
    assert torch.stack(found).tolist() == pytest.approx(torch.stack(expected[25:]).tolist(), rel=1e-4)
    state = second.state()["optimizer_d"]["param_groups"][0]
    assert isinstance(state["lr"], float)
    assert not state.get("capturable")


def test_weights_that_have_moved_are_captured_anew(made):
    one, other = trainers(Points())
    for trainer in (one, other):
        losses(trainer, 16)
        rows = Stacked([trainer, Trainer(Points(), trainer.training, seed=4)])
        rows.advance(17)
    assert torch.stack(losses(other, 20)).tolist() == pytest.approx(torch.stack(losses(one, 20)).tolist(), rel=1e-3)
    assert len(made) == 2 + 3 + 2  # alone, at once with one that is behind, and alone again


class Strange(nn.Module):
    """A layer that a graph cannot repeat."""

    def __init__(self, way):
        super().__init__()
        self.way, self.calls, self.weight = way, 0, nn.Parameter(torch.ones(3))
        self.register_buffer("level", torch.ones(()))
        self.last = torch.ones(())

    def forward(self, x):
        factor = {
            "waits": lambda: float(x.mean()),
            "branches": lambda: 1.0 if x.mean() > 0 else 0.5,
            "counts": self.counted,
            "replaces a buffer": self.replaced,
            "keeps a tensor": self.kept,
            "draws on the host": lambda: random.random(),
        }[self.way]()
        return x * self.weight * factor

    def counted(self):
        self.calls += 1
        return 1 / (1000 + self.calls)

    def replaced(self):
        self.level = self.level * 0.999
        return self.level

    def kept(self):
        self.last = self.last * 0.999
        return self.last


class Odd(Points):
    def __init__(self, way):
        self.way = way

    def discriminator(self):
        return nn.Sequential(Strange(self.way), super().discriminator())


@pytest.mark.parametrize(
    ("way", "why"),
    [
        (
            "waits",
            r"^RuntimeError: CUDA error: operation not permitted when stream is capturing \(test_graphs.py:\d+, ",
        ),
        ("branches", r"^RuntimeError: CUDA error: operation not permitted when stream is capturing \(test_graphs.py:"),
        ("counts", r"^Strange.calls is another one after an update; make it a buffer, changed in place$"),
        ("replaces a buffer", r"^Strange.level is another one after an update"),
        ("keeps a tensor", r"^Strange.last is another one after an update"),
        ("draws on the host", r"^a replay gives other numbers than the update that was captured$"),
    ],
)
def test_what_a_graph_cannot_repeat_goes_on_without_it_as_if_nothing_had_been_tried(made, way, why, monkeypatch):
    monkeypatch.setattr(capture, "is_users", lambda file: file == __file__)
    runs = []
    for trainer in trainers(Odd(way), ema=0.9):
        losses(trainer, 4)  # D is pretrained, the last time by what was to be captured
        found = tensors(trainer) | {"level": trainer.discriminator[0].level.clone()}
        runs.append((trainer, found, [loss.item() for loss in losses(trainer, 20)], trainer.discriminator[0].calls))
    (_, *expected), (trainer, *found) = runs
    if way != "draws on the host":
        tried = {name: value for name, value in expected[0].items() if value is not None}
        assert [name for name, value in tried.items() if not torch.equal(found[0][name], value)] == []
        assert expected[1:] == found[1:]
    assert re.search(why, trainer.graphs.why), trainer.graphs.why
    assert trainer.remark() == f"training.graph: updates are made without CUDA graphs: {trainer.graphs.why}"
    trainer.probe()


@pytest.mark.parametrize("part", ["begin", "end", "replay", "memory"])
def test_a_capture_that_fails_anywhere_leaves_the_training_as_it_was(made, monkeypatch, part):
    end = pretended.graph.__exit__

    def fail(*args):
        if part == "end":
            end(*args)
        raise (torch.OutOfMemoryError if part == "memory" else RuntimeError)(f"no {part}\nand more")

    owner, name = {
        "begin": (pretended.graph, "__enter__"),
        "memory": (pretended.graph, "__enter__"),
        "end": (pretended.graph, "__exit__"),
        "replay": (pretended.CUDAGraph, "replay"),
    }[part]
    monkeypatch.setattr(owner, name, fail)
    one, other = trainers(Normed(), ema=0.9, optimizer="adamw")
    expected, found = losses(one, 30), losses(other, 30)
    assert [loss.item() for loss in found] == [loss.item() for loss in expected]
    assert all(torch.equal(tensors(other)[name], value) for name, value in tensors(one).items())
    assert re.match(rf"\w+Error: no {part} \(test_graphs.py", other.graphs.why)
    assert other.optimizer_d.param_groups[0]["lr"] == 2**-10


def test_a_network_that_has_diverged_is_captured_all_the_same(made):
    _, trainer = trainers(Points())
    with torch.no_grad():
        trainer.discriminator[0].weight.fill_(math.nan)
    losses(trainer, 20)
    assert trainer.remark() == ""


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"compile": True}, "compile: true goes without, as torch.compile makes kernels of its own"),
        ({"precision": "fp16"}, "precision: fp16 goes without, as its scaler leaves steps out; use bf16"),
        ({"precision": "bf16"}, ""),
        ({"augment": "ada"}, "augment: ada goes without, as its probability changes as D does"),
        ({"balance": "gap_aware"}, "balance: gap_aware goes without, as D's learning rate changes within an update"),
    ],
)
def test_fields_that_go_without_graphs_are_named(fields, why):
    assert capture.refusal(Training(**fields), torch.device("cuda")) == why


def test_several_workers_go_without(made):
    meeting, store = Meeting.call("127.0.0.1", 1)
    with contextlib.closing(Group(store, 0, 1, torch.device("cpu"), meeting.address)) as group:
        trainer = ParallelTrainer(group, Points(), Training(**BUDGET, graph=True))
        losses(trainer, 12)
        assert trainer.graphs.why == "several workers train together"
    assert made == []


def test_a_cpu_has_none_and_says_so():
    one, other = trainers(Points())
    assert [loss.item() for loss in losses(other, 12)] == [loss.item() for loss in losses(one, 12)]
    assert one.remark() == ""
    assert other.remark() == (
        "training.graph: updates are made without CUDA graphs: they are for a GPU, and this is a CPU"
    )
    assert everything(one.generator).keys() == everything(other.generator).keys()
