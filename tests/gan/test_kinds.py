"""Configurations that can be trained at once are of one kind, which is tried out once."""

import copy

import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, kinds, load_task
from gansearch.gan.kinds import Kinds, refused


@pytest.fixture
def trainer():
    task = load_task("ring")
    return lambda **training: Trainer(task, Training(**{"updates": 100, "batch_size": 8, **training}))


def test_configurations_of_other_numbers_are_of_one_kind_and_of_other_shapes_of_two():
    known = Kinds()
    one = known.of(Training(lr=1e-3))
    assert known.of(Training(lr=1e-2, update_ratio=2.0, r1_gamma=1.0)) is one
    other = known.of(Training(lr=1e-3, batch_size=32))
    assert other is not one
    assert known.of(Training(lr=2e-3, batch_size=32)) is other


def test_the_first_two_of_a_kind_are_tried_and_keep_their_states(trainer, monkeypatch):
    tried, refusal = [], kinds.refusal
    monkeypatch.setattr(kinds, "refusal", lambda trainers: tried.append(len(trainers)) or refusal(trainers))
    trainers = [trainer(lr=lr) for lr in (1e-4, 1e-3, 1e-2)]
    before = [copy.deepcopy(one.generator.state_dict()) for one in trainers]
    known = Kinds()
    kind = known.of(trainers[0].training)
    assert refused(kind, trainers[:1]) == ""
    assert tried == []
    assert [len(group) for group in known.groups([*trainers, trainer(batch_size=16)])] == [3, 1]
    assert [len(group) for group in known.groups([*trainers, trainer()])] == [4]
    assert tried == [2]
    for one, state in zip(trainers, before, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.generator.state_dict().values(), state.values(), strict=True))


def test_one_that_diverges_does_not_keep_the_others_apart(trainer):
    kind, good, diverged = Kinds().of(Training(updates=100, batch_size=8)), trainer(lr=1e-3), trainer(lr=1e30)
    assert "diverges" in refused(kind, [diverged, good])
    assert kind.why is None
    assert refused(kind, [good, trainer(lr=1e-4)]) == ""
    assert kind.why == ""


def test_what_cannot_be_at_once_says_why(trainer):
    known = Kinds()
    trainers = [trainer(balance="held") for _ in range(2)]
    assert [len(group) for group in known.groups(trainers)] == [1, 1]
    assert refused(known.of(trainers[0].training), trainers).startswith("balance: held decides")
    assert known.of(Training(graph=True)) is not known.of(Training())
    lazy = known.of(Training(gp=10.0, loss="wgan", r1_every=16))
    assert lazy.why == "what an update computes follows from the number of those before it"


def test_a_kind_that_raises_twice_is_trained_alone_unless_a_training_has_ended_since():
    known = Kinds()
    kind = known.of(Training())
    kind.failed(RuntimeError("of one"))
    known.excuse()
    kind.failed(RuntimeError("of another"))
    assert kind.why is None
    kind.failed(RuntimeError("of none. Really"))
    assert kind.why == "RuntimeError: of none"
