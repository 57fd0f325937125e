"""A schedule changes rates and turns where it says, and nothing else."""

import io
from itertools import groupby

import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task, stacked
from tests.gan.reference import Reference

RING = {"updates": 60, "batch_size": 8}
CHANGES = [
    {"after": 17, "lr_d": 3e-4, "update_ratio": 2.5},
    {"after": 41, "lr_d": 1e-3, "lr_g": 1e-4, "update_ratio": 0.4},
]


def make(seed=0, **fields):
    return Trainer(load_task("ring", {"width": 4}), Training(**{**RING, **fields}), seed)


def weights(trainer):
    return [p.detach().clone() for n in (trainer.discriminator, trainer.generator) for p in n.parameters()]


def finished(trainer):
    for _ in trainer.run():
        pass
    return weights(trainer)


def advance(trainer, until):
    with trainer.random_state:
        while trainer.updates < until:
            trainer.step()


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def turns(trainer, updates):
    found = []
    for _ in range(updates):
        before = trainer.d_updates
        trainer.step()
        found.append(trainer.d_updates > before)
    return found


@pytest.mark.parametrize("fields", [{}, {"balance": "held"}, {"lr_decay": 0.5}, {"pretrain_steps": 9}])
def test_a_schedule_that_changes_nothing_equals_constants_bit_for_bit(fields):
    own = {"target_separability": 0.8} if fields.get("balance") else {"update_ratio": 1.7}
    same = {"after": 23, "lr_d": 3e-4, "lr_g": 2e-4, **own}
    constant = {**fields, **own, "lr_d": 3e-4, "lr_g": 2e-4}
    assert equal(finished(make(**constant)), finished(make(**constant, schedule=[same])))


def test_each_change_counts_from_its_update_on():
    trainer = make(lr_d=1e-3, lr_g=2e-3, schedule=CHANGES)
    rates = []
    for _ in range(60):
        trainer.step()
        rates.append(tuple(o.param_groups[0]["lr"] for o in (trainer.optimizer_d, trainer.optimizer_g)))
    assert [(len(list(group)), rate) for rate, group in groupby(rates)] == [
        (17, (1e-3, 2e-3)),
        (24, (3e-4, 2e-3)),
        (19, (1e-3, 1e-4)),
    ]


def test_a_new_ratio_is_not_caught_up_with():
    trainer = make(
        updates=1200,
        update_ratio=1.0,
        schedule=[{"after": 400, "update_ratio": 5}, {"after": 800, "update_ratio": 0.2}],
    )
    found = turns(trainer, 1200)
    longest = max(len(list(group)) for _, group in groupby(found))
    assert longest <= 1 + 5  # D's one turn of the ratio before, and five of the new one
    for start, ratio in ((0, 1), (400, 5), (800, 0.2)):
        share = sum(found[start : start + 400]) / 400
        assert share == pytest.approx(ratio / (1 + ratio), abs=0.01)


def test_a_change_during_pretraining_leaves_it_alone():
    trainer = make(pretrain_steps=20, update_ratio=1.0, schedule=[{"after": 10, "update_ratio": 3}])
    found = turns(trainer, 60)
    assert all(found[:20])
    assert sum(found[20:]) == 30


def test_the_target_of_a_held_balance_changes():
    trainer = make(balance="held", schedule=[{"after": 30, "target_separability": 0.6}])
    targets = []
    for _ in range(40):
        trainer.step()
        targets.append(trainer.balance.target)
    assert targets == [0.8] * 30 + [0.6] * 10


@pytest.mark.parametrize("fields", [{}, {"balance": "held"}, {"lr_decay": 0.5}])
@pytest.mark.parametrize("at", [17, 30])
def test_a_run_resumed_anywhere_in_its_schedule_equals_an_unbroken_one(fields, at):
    held = {"update_ratio": None, "target_separability": 0.7} if fields.get("balance") else {}
    changes = [{**change, **held} for change in CHANGES]
    begun = make(**fields, schedule=changes)
    advance(begun, at)
    kept = io.BytesIO()
    torch.save(begun.state(), kept)
    kept.seek(0)
    resumed = make(**fields, schedule=changes)
    resumed.load_state(torch.load(kept, weights_only=True))
    advance(resumed, 60)
    assert equal(weights(resumed), finished(make(**fields, schedule=changes)))


def test_a_change_can_be_decided_on_the_way():
    """What population-based training does: constants so far, and from here on something else."""
    whole = finished(make(schedule=CHANGES))
    trainer = make()
    advance(trainer, 17)
    for index, end in ((1, 41), (2, 60)):
        before, trainer = trainer.state(), make(schedule=CHANGES[:index])
        trainer.load_state(before)
        advance(trainer, end)
    assert equal(whole, weights(trainer))


def test_seeds_at_once_follow_a_schedule():
    at_once = [make(seed, updates=60, schedule=CHANGES) for seed in (0, 1)]
    assert not stacked.refusal(at_once)
    for _ in stacked.run(at_once):
        pass
    for seed, trainer in enumerate(at_once):
        alone = make(seed, updates=60, schedule=CHANGES)
        expected = finished(alone)
        assert (trainer.d_updates, trainer.g_updates) == (alone.d_updates, alone.g_updates)
        assert trainer.schedule.state() == alone.schedule.state()
        for one, other in zip(weights(trainer), expected, strict=True):
            assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)


AS_R3GAN = [
    {"after": 6, "r1_gamma": 1.0, "r2_gamma": 2.0, "beta2": 0.95, "ema": 0.5},
    {"after": 14, "r1_gamma": 0.1, "beta2": 0.99, "ema": 0.9},
]


class Expected(Reference):
    """γ, β₂ and EMA that change after so many updates, as R3GAN's do (arXiv 2501.05441), by hand."""

    rate, done, average = 1e-2, 0, None

    def now(self, name, begin):
        values = [change[name] for change in AS_R3GAN if change["after"] <= self.done and name in change]
        return values[-1] if values else begin

    def d_loss(self, real, fake):
        real, fake = real.requires_grad_(), fake.requires_grad_()
        loss = super().d_loss(real, fake)
        for name, samples in (("r1_gamma", real), ("r2_gamma", fake)):
            (gradient,) = torch.autograd.grad(self.d(samples).sum(), samples, create_graph=True)
            loss = loss + self.now(name, 0.0) / 2 * gradient.square().sum(1).mean()
        return loss

    def before_step(self, network):
        for optimizer in (self.optimizer_d, self.optimizer_g):
            optimizer.param_groups[0]["betas"] = (0.5, self.now("beta2", 0.9))

    def losses(self, updates):
        found = []
        for self.done in range(updates):
            if self.done % 2 == 0:
                found.append(self.update_d())
                continue
            found.append(self.update_g())
            decay = self.now("ema", 0.0) if self.average else 0.0
            weights = [p.detach().clone() for p in self.g.parameters()]
            pairs = zip(self.average or weights, weights, strict=True)
            self.average = [decay * old + (1 - decay) * new for old, new in pairs]
        return found


def test_gammas_beta2_and_ema_change_when_the_schedule_says_so():
    fields = {"updates": 60, "batch_size": 16, "lr": 1e-2, "beta2": 0.9, "schedule": AS_R3GAN}
    trainer, expected = (
        Trainer(load_task("ring", {"width": 4}), Training(**fields)),
        Expected(load_task("ring", {"width": 4})),
    )
    assert [trainer.step().item() for _ in range(24)] == pytest.approx(expected.losses(24), rel=1e-3)
    averaged = trainer.final_generator()
    assert averaged is not trainer.generator
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(averaged.parameters(), expected.average, strict=True))


def test_a_run_with_such_a_schedule_resumes_and_is_stacked():
    fields = {"updates": 40, "betas": (0.0, 0.9), "schedule": AS_R3GAN, "loss": "relativistic"}
    whole, begun, resumed = (make(**fields) for _ in range(3))
    expected = finished(whole)
    advance(begun, 10)
    resumed.load_state(begun.state())
    advance(resumed, 40)
    assert equal(weights(resumed), expected)
    at_once = [make(seed, **{**fields, "loss": "hinge"}) for seed in (0, 1)]
    for trainer in at_once:
        advance(trainer, 10)  # they are stacked part way, with the options that they have there
    assert at_once[0].optimizer_d.param_groups[0]["betas"] == (0.0, 0.95)
    for _ in stacked.run(at_once):
        pass
    for seed, trainer in enumerate(at_once):
        alone = make(seed, **{**fields, "loss": "hinge"})
        finished(alone)
        for one, other in zip(weights(trainer), weights(alone), strict=True):
            assert torch.allclose(one, other, rtol=1e-3, atol=1e-4)
        assert trainer.optimizer_d.param_groups[0]["betas"] == (0.0, 0.99)
        average = zip(trainer.average.parameters(), alone.average.parameters(), strict=True)
        assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in average)
