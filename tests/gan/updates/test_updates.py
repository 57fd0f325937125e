import math
from typing import ClassVar

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.updates.losses import LOSSES
from tests.gan.networks import Normed, everything, finish, same
from tests.gan.reference import Reference

FAST = {"updates": 60, "batch_size": 16}


class Points(Task):
    latent_dim = 2

    def real(self):
        return torch.randn(500, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Linear(2, 2)


@pytest.mark.parametrize("options", [{}, {"spectral_norm": True}, {"loss": "relativistic"}, {"loss": "wgan"}])
def test_an_update_of_one_network_leaves_the_other_frozen(options):
    trainer = Trainer(Normed(), Training(**FAST, pretrain_steps=5, update_ratio=1.5, **options))
    for _ in range(30):
        before_d, before_g = everything(trainer.discriminator), everything(trainer.generator)
        counts = trainer.d_updates, trainer.g_updates
        grads_d = [p.grad for p in trainer.discriminator.parameters()]
        trainer.step()
        moved_d, moved_g = trainer.d_updates > counts[0], trainer.g_updates > counts[1]
        assert moved_d != moved_g
        assert same(before_d, everything(trainer.discriminator)) == moved_g
        assert same(before_g, everything(trainer.generator)) == moved_d
        if moved_g:
            assert all(
                a is b for a, b in zip(grads_d, [p.grad for p in trainer.discriminator.parameters()], strict=True)
            )


def test_pretraining_comes_first_and_counts():
    trainer = Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(**FAST, pretrain_steps=20))
    untrained = everything(trainer.generator)
    for _ in range(20):
        trainer.step()
    assert (trainer.d_updates, trainer.g_updates) == (20, 0)
    assert same(untrained, everything(trainer.generator))
    finish(trainer)
    assert (trainer.d_updates, trainer.g_updates) == (40, 20)


@pytest.mark.parametrize("ratio", [0.2, 0.37, 1.0, 2.5, math.pi, 5.0])
def test_the_update_ratio_holds_over_any_window(ratio):
    trainer = Trainer(
        load_task("ring", {"width": 2}), Training(updates=400, batch_size=2, update_ratio=ratio, pretrain_steps=7)
    )
    turns = []
    for _ in range(400):
        before = trainer.d_updates
        trainer.step()
        turns.append(trainer.d_updates > before)
    turns = turns[7:]
    share = ratio / (1 + ratio)
    for length in (50, 100, 393):
        for start in range(0, len(turns) - length + 1, 9):
            assert abs(sum(turns[start : start + length]) - share * length) <= 1 + share


def test_each_network_has_its_own_rate():
    trainer = Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(lr=1e-3, lr_ratio=4))
    assert trainer.optimizer_d.param_groups[0]["lr"] == pytest.approx(2e-3)
    assert trainer.optimizer_g.param_groups[0]["lr"] == pytest.approx(5e-4)


def test_rates_fall_to_nothing_over_the_last_share():
    trainer = Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(updates=100, lr=1e-3, lr_decay=0.5))
    rates = []
    for _ in range(100):
        trainer.step()
        rates.append(trainer.optimizer_g.param_groups[0]["lr"])
    assert rates[:50] == [1e-3] * 50
    assert rates[75] == pytest.approx(5e-4)
    assert rates[-1] == pytest.approx(2e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("options", [{}, {"r1_gamma": 1.0, "r2_gamma": 0.5}, {"gp": 1.0}, {"label_smoothing": 0.1}])
def test_every_loss_trains_with_every_penalty(loss, options):
    _, result = finish(
        Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(loss=loss, **FAST, **options))
    )
    assert result.status == "complete"
    assert 0 <= result.stability <= 1


def test_simultaneous_gradients_are_taken_at_the_same_parameters():
    class Scalar(Task):
        latent_dim = 1

        def real(self):
            return torch.zeros(50, 1)

        def generator(self):
            network = nn.Linear(1, 1)
            nn.init.zeros_(network.weight)
            network.weight.requires_grad_(False)
            nn.init.constant_(network.bias, 0.5)
            return network

        def discriminator(self):
            network = nn.Linear(1, 1, bias=False)
            nn.init.constant_(network.weight, 0.8)
            return network

    training = Training(loss="wgan", gp=0, optimizer="sgd", lr_d=0.1, lr_g=0.1, updates=2, simultaneous=True)
    trainer = Trainer(Scalar(), training)
    finish(trainer)
    # WGAN on the Dirac-GAN: D descends ψ(θ − 0), G descends −ψθ (Mescheder et al. 2018, section 2).
    assert trainer.discriminator.weight.item() == pytest.approx(0.8 - 0.1 * 0.5)
    assert trainer.generator.bias.item() == pytest.approx(0.5 + 0.1 * 0.8)


RING = {"samples": 500, "width": 16}


@pytest.mark.parametrize(
    "training", [{}, {"loss": "hinge", "r1_gamma": 2.0}, {"clip_grad": 0.05, "instance_noise": 0.1}]
)
def test_accumulated_batches_are_one_batch_so_many_times_as_large(training, monkeypatch):
    small = Trainer(load_task("ring", RING), Training(batch_size=8, accumulate=3, optimizer="sgd", lr=0.05, **training))
    large = Trainer(load_task("ring", RING), Training(batch_size=24, optimizer="sgd", lr=0.05, **training))
    for _ in range(8):
        calls = []

        def record(n, draw, trainer=small, calls=calls):
            calls.append(draw(n, trainer.draws))
            return calls[-1]

        monkeypatch.setattr(small, "_drawn", record)
        loss = small.step()
        each = len(calls) // 3  # draws of one batch: reals, latents, noise
        whole = [torch.cat(calls[i::each]) for i in range(each)]
        monkeypatch.setattr(large, "_drawn", lambda n, draw, whole=whole: whole.pop(0))
        assert large.step().item() == pytest.approx(loss.item(), rel=1e-4)
    for one, other in ((small.discriminator, large.discriminator), (small.generator, large.generator)):
        assert all(
            torch.allclose(a, b, rtol=1e-3, atol=1e-4)
            for a, b in zip(one.parameters(), other.parameters(), strict=True)
        )
    assert (small.d_updates, small.g_updates) == (4, 4)


@pytest.mark.parametrize("balance", ["held", "gap_aware"])
def test_a_balance_takes_the_answers_to_accumulated_batches_as_one(balance):
    seen = []
    trainer = Trainer(load_task("ring", RING), Training(batch_size=8, accumulate=3, balance=balance))
    if balance == "held":
        trainer.balance.update = lambda real, fake: seen.append((real.shape, fake.shape))
        expected = ((24,), (24,))
    else:
        trainer.gap_aware.factor = lambda loss: seen.append(loss.shape) or torch.ones(())
        expected = ()
    for _ in range(10):
        trainer.step()
    assert seen == [expected] * trainer.d_updates


@pytest.mark.parametrize("name", ["r1_gamma", "r2_gamma", "gp"])
def test_lazy_penalties_are_taken_at_every_so_many_updates_and_are_as_many_times_as_strong(name):
    class Expected(Reference):
        rate = 1e-2

        def d_loss(self, real, fake):
            loss = super().d_loss(real, fake)
            if self.d_updates % 3:
                return loss
            if name == "gp":
                at = torch.rand(self.batch, 1, generator=self.draws)
                at = (at * real + (1 - at) * fake).requires_grad_()
            else:
                at = (real if name == "r1_gamma" else fake).requires_grad_()
            (gradient,) = torch.autograd.grad(self.d(at).sum(), at, create_graph=True)
            norm = gradient.norm(dim=1)
            return loss + 3 * (0.7 * (norm - 1).square() if name == "gp" else 0.7 / 2 * norm.square()).mean()

    expected = Expected(load_task("ring", RING)).losses(24)
    trainer = Trainer(load_task("ring", RING), Training(batch_size=16, lr=1e-2, r1_every=3, **{name: 0.7}))
    assert [trainer.step().item() for _ in range(24)] == pytest.approx(expected, rel=1e-4)


def test_lazy_penalties_go_on_where_a_saved_run_left_off():
    training = Training(**FAST, r1_gamma=1.0, r1_every=4, accumulate=2, clip_grad=1.0)
    whole, first, second = (Trainer(load_task("ring", RING), training) for _ in range(3))
    expected = [whole.step().item() for _ in range(40)]
    losses = [first.step().item() for _ in range(13)]
    second.load_state(first.state())
    assert losses + [second.step().item() for _ in range(27)] == expected


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("anneal", [0.0, 0.5])
def test_g_learns_from_the_fakes_that_d_scores_highest(loss, anneal):
    class Expected(Reference):
        rate, g_updates = 0.05, 0

        def optimizer(self, parameters):
            return torch.optim.SGD(parameters, self.rate)

        def d_loss(self, real, fake):
            return LOSSES[loss].d(self.d(real).flatten(), self.d(fake).flatten(), 0)

        def g_loss(self, scores):
            scores = real = scores.flatten()
            if loss == "relativistic":
                real = self.d(self.real()).flatten().detach()
            done = self.d_updates + self.g_updates
            kept = round(16 * 0.25 ** (min(1, done / 20) if anneal else 1))
            self.g_updates += 1
            order = scores.argsort(descending=True)[:kept]
            return LOSSES[loss].g(scores[order], real[order])

    expected = Expected(load_task("ring", RING)).losses(24)
    fields = {"updates": 40, "batch_size": 16, "optimizer": "sgd", "lr": 0.05, "gp": 0, "top_k": 0.25}
    trainer = Trainer(load_task("ring", RING), Training(loss=loss, top_k_anneal=anneal, **fields))
    assert [trainer.step().item() for _ in range(24)] == pytest.approx(expected, rel=1e-3, abs=1e-5)
    others = Trainer(load_task("ring", RING), Training(loss=loss, **{**fields, "top_k": 1.0}))
    assert [others.step().item() for _ in range(24)] != pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_no_pack_holds_reals_and_fakes():
    class Packs(Points):
        seen: ClassVar[list] = []

        def discriminator(self, packing=1):
            network = nn.Linear(2 * packing, 1)
            network.register_forward_pre_hook(lambda _, inputs: self.seen.append(len(inputs[0])))
            return network

    trainer = Trainer(Packs(), Training(updates=10, batch_size=7, packing=2))
    Packs.seen.clear()
    trainer.step()
    assert Packs.seen == [4, 4]


def test_a_relativistic_g_compares_with_reals_as_noisy_as_its_fakes():
    class Wide(Points):
        seen: ClassVar[list] = []

        def discriminator(self):
            network = nn.Linear(2, 1)
            network.register_forward_pre_hook(lambda _, inputs: self.seen.append(float(inputs[0].detach().std())))
            return network

    trainer = Trainer(Wide(), Training(updates=1_000, batch_size=500, loss="relativistic", instance_noise=50.0))
    while not trainer.g_updates:
        Wide.seen.clear()
        trainer.step()
    assert len(Wide.seen) == 2
    assert all(40 < spread < 60 for spread in Wide.seen)


def test_the_fakes_that_d_rejects_have_no_gradient():
    trainer = Trainer(load_task("ring", RING), Training(batch_size=16, top_k=0.25))
    seen = []
    forward = trainer._forward_g
    trainer._forward_g = lambda latents: seen.append(forward(latents)) or seen[-1].retain_grad() or seen[-1]
    trainer.update_generator()
    scores, moved = trainer.discriminator(seen[0]).flatten(), seen[0].grad.abs().sum(1) > 0
    assert set(scores.topk(4).indices.tolist()) == set(moved.nonzero().flatten().tolist())


@pytest.mark.parametrize(("ratio", "size"), [(4, 4), (0.5, 32), (100, 1), (1.5, 11)])
def test_g_has_a_batch_of_its_own_size(ratio, size):
    class Expected(Reference):
        def update_g(self):
            self.batch, own = size, self.batch
            loss = super().update_g()
            self.batch = own
            return loss

    expected = Expected(load_task("ring", RING)).losses(20)
    trainer = Trainer(load_task("ring", RING), Training(batch_size=16, batch_ratio=ratio))
    assert [trainer.step().item() for _ in range(20)] == pytest.approx(expected, rel=1e-4)
