import io
import math

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.losses import LOSSES

FAST = {"updates": 60, "batch_size": 16}


class Normed(Task):
    """Batch norm and dropout in both networks, spectral norm's old hook in D: all that must stand still."""

    latent_dim = 4

    def real(self):
        return torch.randn(200, 3, generator=torch.Generator().manual_seed(5))

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))

    def discriminator(self):
        first = torch.nn.utils.spectral_norm(nn.Linear(3, 8))
        return nn.Sequential(first, nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.Dropout(0.2), nn.Linear(8, 1))


def everything(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def finish(trainer):
    return list(trainer.run()), trainer.result()


@pytest.mark.parametrize("options", [{}, {"spectral_norm": True}, {"loss": "relativistic"}, {"loss": "wgan"}])
def test_while_one_trains_the_other_stands_still(options):
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


def test_looking_changes_nothing():
    trainer = Trainer(Normed(), Training(**FAST))
    for _ in range(6):
        trainer.step()
    before = everything(trainer.discriminator), everything(trainer.generator), trainer.draws.get_state()
    trainer.probe()
    after = everything(trainer.discriminator), everything(trainer.generator), trainer.draws.get_state()
    assert same(before[0], after[0])
    assert same(before[1], after[1])
    assert torch.equal(before[2], after[2])


def test_pretraining_comes_first_and_counts():
    trainer = Trainer(load_task("ring"), Training(**FAST, pretrain_steps=20))
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
    trainer = Trainer(load_task("ring"), Training(lr=1e-3, lr_ratio=4))
    assert trainer.optimizer_d.param_groups[0]["lr"] == pytest.approx(2e-3)
    assert trainer.optimizer_g.param_groups[0]["lr"] == pytest.approx(5e-4)


def test_rates_fall_to_nothing_over_the_last_share():
    trainer = Trainer(load_task("ring"), Training(updates=100, lr=1e-3, lr_decay=0.5))
    rates = []
    for _ in range(100):
        trainer.step()
        rates.append(trainer.optimizer_g.param_groups[0]["lr"])
    assert rates[:50] == [1e-3] * 50
    assert rates[75] == pytest.approx(5e-4)
    assert rates[-1] == pytest.approx(2e-5)


@pytest.mark.parametrize("options", [{}, {"loss": "relativistic", "ema": 0.9, "r1_gamma": 0.1, "instance_noise": 0.1}])
@pytest.mark.parametrize("task", [load_task("ring"), Normed()], ids=["ring", "normed"])
def test_a_seed_reproduces_a_run_and_another_does_not(task, options):
    training = Training(**FAST, **options)
    one, two, other = (finish(Trainer(task, training, seed))[1] for seed in (3, 3, 4))
    assert (one.samples == two.samples).all()
    assert one.distance == two.distance
    assert not (one.samples == other.samples).all()


def test_runs_in_turn_do_not_disturb_each_other():
    alone = finish(Trainer(Normed(), Training(**FAST), seed=1))[1]
    both = [Trainer(Normed(), Training(**FAST), seed=seed) for seed in (1, 2)]
    for _ in zip(*(trainer.run() for trainer in both), strict=True):
        torch.rand(3)
    assert (both[0].result().samples == alone.samples).all()


@pytest.mark.parametrize(
    "options", [{"pretrain_steps": 10}, {"ema": 0.9, "update_ratio": 2.5, "lr_decay": 0.5}, {"spectral_norm": True}]
)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(options):
    training = Training(**FAST, **options)
    probes, unbroken = finish(Trainer(Normed(), training, seed=1))
    first = Trainer(Normed(), training, seed=1)
    seen = [probe for _, probe in zip(range(23), first.run(), strict=False)]
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second = Trainer(Normed(), training, seed=1)
    second.load_state(torch.load(file, weights_only=True))
    rest, resumed = finish(second)
    assert [repr(p) for p in seen + rest] == [repr(p) for p in probes]
    assert (resumed.samples == unbroken.samples).all()
    assert (resumed.stability, resumed.distance) == (unbroken.stability, unbroken.distance)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("options", [{}, {"r1_gamma": 1.0, "r2_gamma": 0.5}, {"gp": 1.0}, {"label_smoothing": 0.1}])
def test_every_loss_trains_with_every_penalty(loss, options):
    _, result = finish(Trainer(load_task("ring"), Training(loss=loss, **FAST, **options)))
    assert result.status == "complete"
    assert 0 <= result.stability <= 1


def test_one_pass_only_where_samples_are_scored_alone():
    assert Trainer(load_task("ring"), Training(**FAST))._one_pass
    assert not Trainer(Normed(), Training(**FAST))._one_pass


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


def test_a_run_that_turns_nan_is_failed_and_says_so():
    class Broken(Normed):
        def generator(self):
            class Bad(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.inner = nn.Linear(4, 3)
                    self.calls = 0

                def forward(self, z):
                    self.calls += 1
                    return self.inner(z) * (math.nan if self.calls > 40 else 1)

            return Bad()

    probes, result = finish(Trainer(Broken(), Training(**FAST)))
    assert (result.status, result.verdict, result.stability) == ("failed", "diverged", 0.0)
    assert result.error
    assert math.isnan(result.distance)
    assert len(probes) < 60


def test_a_run_beyond_hope_is_pruned():
    training = Training(updates=800, lr_d=0.01, lr_g=1e-7, batch_size=32)
    _, result = finish(Trainer(load_task("ring"), training, prune=True))
    assert result.status == "pruned"
    assert result.verdict == "discriminator_saturated"
    assert result.updates < 800
    assert "Stopped after" in result.sentence


def test_a_pretrained_discriminator_is_no_reason_to_stop():
    training = Training(updates=400, pretrain_steps=300, lr_d=0.01, lr_g=1e-3, batch_size=32)
    probes, _ = finish(Trainer(load_task("ring"), training, prune=True))
    assert max(probe.saturated_right for probe in probes if probe.update <= 300) > 0.9
    assert probes[-1].update > 320


def test_the_distance_is_measured_at_quarters():
    probes, result = finish(Trainer(load_task("ring"), Training(updates=200, batch_size=8)))
    assert [p.update for p in probes if not math.isnan(p.distance)] == [
        51,
        100,
        152,
        200,
    ]  # the first probe after each quarter
    assert probes[-1].distance == result.distance


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_d_s_answers_are_counted_ten_times_a_run(loss):
    probes, _ = finish(Trainer(load_task("ring"), Training(updates=200, batch_size=8, loss=loss)))
    counted = [probe for probe in probes if probe.outputs]
    assert (len(counted), counted[-1].update) == (10, 200)
    for probe in counted:
        real, fake = probe.outputs["real"], probe.outputs["fake"]
        assert len(real) == len(fake) == 20
        certain = (real[-1] / sum(real) + fake[0] / sum(fake)) / 2
        assert certain == pytest.approx(probe.saturated_right)


def test_samples_come_from_the_average_where_there_is_one():
    plain, averaged = (Trainer(load_task("ring"), Training(**FAST, ema=ema)) for ema in (0.0, 0.999))
    for trainer in (plain, averaged):
        finish(trainer)
    assert same(everything(plain.generator), everything(averaged.generator))
    start = Trainer(load_task("ring"), Training(**FAST)).generator
    far, near = (
        sum((a - b).abs().sum().item() for a, b in zip(network.parameters(), start.parameters(), strict=True))
        for network in (plain.generator, averaged.average.module)
    )
    assert near < 0.2 * far
