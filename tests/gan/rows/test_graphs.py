"""The updates of several trainings at once as graphs, on a CPU with the captures that tests/cuda pretends."""

import re

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer
from gansearch.gan.stacked import Stacked, refusal, run
from gansearch.gan.updates import capture
from tests.cuda import graph as pretended
from tests.gan import captures
from tests.gan.conditional import Clusters, Endless
from tests.gan.test_graphs import Odd, tensors

BUDGET = {"updates": 80, "pretrain_steps": 4, "batch_size": 8, "lr": 2**-10}


@pytest.fixture
def made(monkeypatch):
    """A CPU that passes for a GPU where updates are captured; the graphs that were made."""
    return captures.pretend(monkeypatch)


class Points(Task):
    """No bias stands before batch norm: its gradient is rounding noise around zero, of which Adam makes steps."""

    latent_dim = 4

    def real(self):
        return torch.randn(400, 3, generator=torch.Generator().manual_seed(0)) + 2

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    def discriminator(self):
        return nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


class Pictures(Points):
    """Of 8×8, with convolutions, and batch norm in both networks."""

    def real(self):
        return torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Sequential(
            *(nn.Linear(4, 32, bias=False), nn.Unflatten(1, (8, 2, 2)), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid()),
        )

    def discriminator(self):
        normed = (nn.Conv2d(8, 4, 2, bias=False), nn.BatchNorm2d(4), nn.LeakyReLU(0.2))
        return nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), *normed, nn.Flatten(), nn.Linear(36, 1))


def three(task, own, graph):
    """Trainers of one task, each with fields of its own."""
    return [Trainer(task, Training(**{**BUDGET, **fields}, graph=graph), seed) for seed, fields in enumerate(own)]


def far(one, other, rel=1e-6):
    """The names of what two trainers have learned and will draw, where it is not the same."""
    ours, theirs = tensors(one), tensors(other)
    assert ours.keys() == theirs.keys()
    return [
        name
        for name, value in ours.items()
        if value is not None
        and (
            not torch.equal(value, theirs[name])
            if not value.is_floating_point()
            else (value - theirs[name]).norm() > rel * value.norm() + 1e-8
        )
    ]


OWN = {
    "seeds": [{}, {}, {}],
    "rates, decay rates, penalties": [{"r1_gamma": 0.1}, {"lr": 2**-8, "beta2": 0.9, "r2_gamma": 0.2}, {"gp": 0.0}],
    "whose turn it is": [{"update_ratio": 2.5}, {"pretrain_steps": 0}, {"update_ratio": 0.5, "pretrain_steps": 9}],
    "averages": [{"ema": 0.9}, {"ema": 0.5, "update_ratio": 2}, {"ema": 0.99}],
    "noise that falls": [
        {"instance_noise": 0.5},
        {"instance_noise": 0.1, "pretrain_steps": 1},
        {"instance_noise": 1.0},
    ],
    "clipped": [{"clip_grad": 0.1, "weight_clip": 0.05}, {}, {"clip_grad": 1.0, "update_ratio": 2}],
    "schedules": [
        {"schedule": [{"after": 20, "lr_d": 2**-7, "update_ratio": 2.0}]},
        {"schedule": [{"after": 30, "beta2": 0.9}], "lr_decay": 0.5},
        {},
    ],
    "sgd": [{"optimizer": "sgd", "lr": lr, "weight_decay": 0.1} for lr in (0.1, 0.01, 0.2)],
    "adamw": [{"optimizer": "adamw", "weight_decay": wd, "update_ratio": 1 + wd} for wd in (0.5, 0.0, 1.0)],
    "rmsprop": [{"optimizer": "rmsprop", "lr": lr, "weight_decay": 0.1} for lr in (1e-3, 1e-2, 1e-4)],
    "simultaneous": [{"simultaneous": True, "pretrain_steps": steps, "ema": 0.9} for steps in (0, 2, 5)],
    "pairs": [{"loss": "relativistic", "top_k": 0.5, "update_ratio": ratio} for ratio in (1, 2, 1)],
    "lazy penalties": [{"r1_gamma": gamma, "r1_every": 3} for gamma in (0.1, 1.0, 0.5)],
    "accumulated": [{"accumulate": 2, "lr": lr} for lr in (1e-3, 1e-2, 1e-4)],
}


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
@pytest.mark.parametrize("task", [Points(), Pictures()], ids=["points", "pictures"])
def test_rows_of_a_graph_are_trained_as_each_is_alone(made, task, own):
    alone, rows = three(task, own, graph=False), three(task, own, graph=True)
    stacked = Stacked(rows)
    stacked.advance(50)
    assert stacked.row_graphs.why == ""
    assert sum(graph.replays for graph in made) > 50
    for one, other in zip(alone, rows, strict=True):
        with one.random_state:
            while one.updates < 50:
                one.step()
        assert far(one, other) == []
        assert (one.d_updates, one.g_updates) == (other.d_updates, other.g_updates)
        for ours, theirs in zip(one._losses, other._losses, strict=True):
            assert torch.stack(theirs).tolist() == pytest.approx(torch.stack(ours).tolist(), rel=1e-6, abs=1e-8)
        if one.average:
            assert one.average.n_averaged == other.average.n_averaged
        assert other.remark() == ""


@pytest.mark.usefixtures("double")
def test_conditions_are_rows_of_a_graph_as_well(made):
    own = [{}, {"update_ratio": 2}]
    alone, rows = three(Clusters(), own, graph=False), three(Clusters(), own, graph=True)
    Stacked(rows).advance(40)
    assert len(made) > 2
    for one, other in zip(alone, rows, strict=True):
        while one.updates < 40:
            one.step()
        assert far(one, other) == []


@pytest.mark.usefixtures("double")
def test_each_kind_of_update_is_captured_once(made):
    stacked = Stacked(three(Points(), [{"lr": 2**-8}, {"beta2": 0.9, "lr_decay": 0.5}], graph=True))
    stacked.advance(60)
    assert len(made) == 2  # D's and G's, of both
    made.clear()
    stacked = Stacked(three(Points(), [{"update_ratio": 2}, {}, {"pretrain_steps": 9}], graph=True))
    stacked.advance(60)
    assert len(made) == 4  # those of some as well, whoever they are


@pytest.mark.usefixtures("double")
def test_a_row_that_waits_stays_as_it_is(made):
    rows = three(Pictures(), [{"pretrain_steps": 0}, {"pretrain_steps": 30}], graph=True)
    stacked = Stacked(rows)
    stacked.step()  # of D, which is the turn of both
    stacked.hand_over()
    before = [tensors(row) for row in rows]
    stacked.step([80, 1])
    stacked.hand_over()
    assert {row.updates for row in rows} == {1, 2}
    (waits,) = [place for place, row in enumerate(rows) if row.updates == 1]
    after = tensors(rows[waits])
    assert all(torch.equal(value, after[name]) for name, value in before[waits].items() if value is not None)


def test_seeds_and_configurations_are_found_fit_with_graphs_and_run_to_their_ends(made):
    rows = three(Points(), [{"lr": 2**-8}, {"ema": 0.0}, {"r1_gamma": 0.1}], graph=True)
    assert refusal(rows) == ""
    made.clear()
    list(run(rows))
    assert sum(graph.replays for graph in made) > 60
    assert [row.result().updates for row in rows] == [80, 80, 80]


@pytest.mark.usefixtures("double")
def test_one_that_goes_on_alone_has_graphs_of_its_own(made):
    alone, other = Trainer(Points(), Training(**BUDGET), 0), Trainer(Points(), Training(**BUDGET, graph=True), 0)
    Stacked([other, Trainer(Points(), other.training, 1)]).advance(20)
    before = len(made)
    for trainer in (alone, other):
        with trainer.random_state:
            while trainer.updates < 60:
                trainer.step()
    assert len(made) == before + 2
    assert far(alone, other) == []


@pytest.mark.usefixtures("double")
def test_what_changes_its_shape_or_comes_from_elsewhere_goes_without(made):
    for task, fields, why in [
        (Points(), {"top_k": 0.5, "top_k_anneal": 0.5}, "top_k_anneal: batches become smaller"),
        (Endless(), {}, "batches come from the host, or real_batch() makes them"),
        (Points(), {"balance": "gap_aware"}, "balance: gap_aware goes without, as D's learning rate changes"),
    ]:
        alone, rows = three(task, [fields] * 2, graph=False), three(task, [fields] * 2, graph=True)
        Stacked(rows).row_graphs.why.startswith(why)
        if "balance" not in fields:
            for each in (alone, rows):
                Stacked(each).advance(12)
            assert [far(one, other) for one, other in zip(alone, rows, strict=True)] == [[], []]
        assert why in rows[0].remark()
    assert made == []


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("way", ["waits", "draws on the host"])
def test_what_a_graph_cannot_repeat_goes_on_without_it_as_if_nothing_had_been_tried(made, way, monkeypatch):
    monkeypatch.setattr(capture, "is_users", lambda file: file.endswith("test_graphs.py"))
    task = Odd(way)
    rows = three(task, [{"ema": 0.9}] * 2, graph=True)
    stacked = Stacked(rows)
    before = [tensors(row) for row in rows]
    assert stacked.row_graphs._tried("d", stacked.numbers("d", range(2))) is None
    for row, state in zip(rows, before, strict=True):
        after = tensors(row)
        assert all(torch.equal(value, after[name]) for name, value in state.items() if value is not None)
    expected = {"waits": "RuntimeError", "draws on the host": "a replay gives other numbers"}[way]
    assert stacked.row_graphs.why.startswith(expected)
    if way != "waits":  # which nothing at once does
        stacked.advance(10)
        assert rows[0].updates == 10


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("part", ["begin", "end", "replay"])
def test_a_capture_that_fails_anywhere_leaves_the_training_as_it_was(made, monkeypatch, part):
    end = pretended.graph.__exit__

    def fail(*args):
        if part == "end":
            end(*args)
        raise RuntimeError(f"no {part}\nand more")

    owner, name = {
        "begin": (pretended.graph, "__enter__"),
        "end": (pretended.graph, "__exit__"),
        "replay": (pretended.CUDAGraph, "replay"),
    }[part]
    monkeypatch.setattr(owner, name, fail)
    own = [{"ema": 0.9, "optimizer": "adamw"}, {"ema": 0.5, "update_ratio": 2, "optimizer": "adamw"}]
    alone, rows = three(Pictures(), own, graph=False), three(Pictures(), own, graph=True)
    stacked = Stacked(rows)
    stacked.advance(30)
    assert re.match(rf"\w+Error: no {part}", stacked.row_graphs.why)
    for one, other in zip(alone, rows, strict=True):
        with one.random_state:
            while one.updates < 30:
                one.step()
        assert far(one, other) == []


@pytest.mark.usefixtures("double")
def test_networks_of_the_rows_are_freed_with_their_graphs(made):
    rows = three(Points(), [{}, {}], graph=True)
    first = Stacked(rows)
    first.advance(10)
    second = Stacked(rows[:1] + three(Points(), [{}], graph=True))
    assert first.row_graphs._captured == {}
    second.advance(20)
    assert second.row_graphs._captured != {}


@pytest.mark.usefixtures("double")
def test_a_graph_that_reads_a_number_once_is_caught(made, monkeypatch):
    """A rate that is a number of the host stays what it was when it was captured."""
    compute = Stacked.compute

    def wrong(self, turn, given):
        fixed = {
            part: {name: float(own[0]) if name == "length" else own for name, own in of.items()}
            for part, of in given.items()
        }
        return compute(self, turn, fixed)

    monkeypatch.setattr(Stacked, "compute", wrong)
    rows = three(Points(), [{"lr": 2**-8}, {"lr": 2**-9}], graph=True)
    stacked = Stacked(rows)
    stacked.step()
    assert "RuntimeError" in stacked.row_graphs.why
    assert isinstance(rows[0].discriminator, nn.Module)
