"""Pairs: the reconstruction in G's loss and beside the distance, G's start without D, and scores of patches."""

import copy
import io
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, check_task
from gansearch.gan.data import data_of
from gansearch.gan.stacked import Stacked, refusal
from gansearch.gan.updates.reconstruction import reconstruction
from gansearch.search.dry_run.cost import counts
from tests.gan.networks import everything, finish, same
from tests.gan.paired import Halves, Sampled

CPU = torch.device("cpu")
FAST = {"updates": 24, "batch_size": 8, "lr": 1e-2}


def made(task=None, seed=0, **fields):
    return Trainer(task or Halves(), Training(**{**FAST, **fields}), seed)


def batch_of(trainer, n=8):
    """The (targets, inputs, latents) that the next update of a trainer draws."""
    draws = torch.Generator().manual_seed(0)
    draws.set_state(trainer.draws.get_state())
    picks = trainer.data.picks(n, draws)
    return trainer.data.at(picks), trainer.data.conditions_at(picks)[0], torch.randn(n, 2, generator=draws)


def test_inputs_are_the_conditions_of_targets_on_both_sides_of_the_split():
    data = data_of(Halves(), CPU)
    assert (data.count, len(data.held_out)) == (96, 24)
    picks = torch.arange(96)
    for targets, inputs in ((data.held_out, data.conditions[0]), (data.at(picks), data.conditions_at(picks)[0])):
        assert torch.equal(inputs[..., :4], targets[..., :4])
        assert not inputs[..., 4:].any()


@pytest.mark.parametrize(("kind", "of"), [("l1", torch.abs), ("l2", torch.square)])
@pytest.mark.parametrize("task", [Halves(), Sampled(2)], ids=["no latents", "two scales and latents"])
def test_gs_gradient_is_that_of_a_step_by_hand(kind, of, task):
    trainer = made(task, optimizer="sgd", reconstruction=kind, reconstruction_weight=7.0)
    by_hand, d = copy.deepcopy(trainer.generator), trainer.discriminator
    target, y, z = batch_of(trainer)
    fake = by_hand.network(y) if task.latent_dim == 0 else by_hand(z, y)
    scores = d.network(fake, y)
    scales = scores if isinstance(scores, list) else [scores]
    adversarial = sum(F.softplus(-one).mean() for one in scales) / len(scales)
    (adversarial + 7 * of(fake - target).mean()).backward()
    with torch.no_grad():
        for parameter in by_hand.parameters():
            parameter -= trainer.schedule.rates[1] * parameter.grad
    trainer.update_generator()
    for ours, theirs in zip(trainer.generator.parameters(), by_hand.parameters(), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-7)


def test_ds_loss_is_the_mean_over_the_patches_of_each_scale():
    trainer = made(Halves(2), optimizer="sgd")
    d, g = copy.deepcopy(trainer.discriminator.network), trainer.generator.network
    target, y, _ = batch_of(trainer)
    pairs = zip(d(target, y), d(g(y).detach(), y), strict=True)
    loss = sum(F.softplus(-r).mean() + F.softplus(f).mean() for r, f in pairs) / 2
    assert trainer.update_discriminator().item() == pytest.approx(loss.item(), rel=1e-6)


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic"])
def test_a_weight_of_0_is_no_reconstruction_bit_for_bit(loss):
    runs = [made(loss=loss, **fields) for fields in ({}, {"reconstruction": "l1", "reconstruction_weight": 0})]
    for trainer in runs:
        finish(trainer)
    assert same(*(everything(trainer.generator) for trainer in runs))
    assert same(*(everything(trainer.discriminator) for trainer in runs))
    other = made(loss=loss, reconstruction="l1", reconstruction_weight=1e-3)
    finish(other)
    assert not same(everything(other.generator), everything(runs[0].generator))


FIELDS = [
    {"reconstruction": "l1"},
    {"reconstruction": "l2", "d_start": 5, "pretrain_steps": 3, "ema": 0.9},
    {"reconstruction": "embedding", "loss": "relativistic", "accumulate": 2},
    {"reconstruction": "l1", "d_start": 5, "balance": "held"},
]


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_a_training_that_was_continued_equals_an_unbroken_one(fields):
    unbroken, begun, continued = (made(**fields) for _ in range(3))
    probes = list(unbroken.run())
    first = [probe for _, probe in zip(range(4), begun.run(), strict=False)]
    file = io.BytesIO()
    torch.save(begun.state(), file)
    file.seek(0)
    continued.load_state(torch.load(file, weights_only=True))
    assert repr(first + list(continued.run())) == repr(probes)
    assert same(everything(unbroken.generator), everything(continued.generator))


@pytest.mark.parametrize("fields", FIELDS[:3], ids=str)
@pytest.mark.parametrize("task", [Halves(2), Sampled()], ids=["no latents", "latents"])
def test_seeds_at_once_have_the_numbers_that_they_have_alone(fields, task):
    alone, together = ([made(task, seed, **fields) for seed in (1, 2)] for _ in range(2))
    assert refusal(together) == ""
    stacked = Stacked(together)
    for _ in range(24):
        stacked.step()
        for trainer in alone:
            with trainer.random_state:
                trainer.step()
    stacked.hand_over()
    for one, other in zip(alone, together, strict=True):
        assert torch.stack(one._losses[1]) == pytest.approx(torch.stack(other._losses[1]), rel=1e-4)
        for a, b in zip(one.generator.parameters(), other.generator.parameters(), strict=True):
            assert torch.allclose(a, b, atol=1e-4)


def test_g_starts_on_the_reconstruction_alone_and_the_budget_counts_it():
    trainer = made(reconstruction="l1", d_start=6, pretrain_steps=4, update_ratio=2.0)
    before = everything(trainer.discriminator)
    target, y, _ = batch_of(trainer)
    with torch.no_grad():
        expected = 100 * (trainer.generator.network(y) - target).abs().mean()
    assert trainer.step().item() == pytest.approx(expected.item(), rel=1e-6)  # nothing of D
    turns = [(trainer.d_updates, trainer.g_updates)]
    while trainer.updates < 24:
        if trainer.updates == 6:
            assert same(everything(trainer.discriminator), before)
        trainer.step()
        turns.append((trainer.d_updates, trainer.g_updates))
    assert turns[5:10] == [(0, 6), (1, 6), (2, 6), (3, 6), (4, 6)]
    assert turns[-1] == (4 + 10, 6 + 4)  # D has two for each of G's, and begins
    assert counts(trainer.training) == pytest.approx((4 + 14 * 2 / 3, 6 + 14 / 3))
    assert trainer.training.before == 10
    late = made(reconstruction="l1", d_start=6)
    probes = list(late.run())
    assert [math.isnan(probe.loss_d) for probe in probes if probe.update <= 6] == [True] * 6
    assert late.share == 1
    assert late.monitor.rows()[0].step == 1
    assert late.result().status == "complete"


def test_without_a_reconstruction_d_starts_at_once():
    trainer = made(reconstruction="l1", reconstruction_weight=0, d_start=6)
    trainer.step()
    assert (trainer.d_updates, trainer.g_updates) == (1, 0)


def test_the_reconstruction_of_held_out_pairs_is_in_each_probe_and_in_the_quality():
    trainer = made(reconstruction="l2", ema=0.9, updates=40)
    probes, result = finish(trainer)
    data = trainer.data
    with torch.no_grad():
        error = (trainer.generator.network(data.conditions[0]) - data.held_out).square().mean()
    assert probes[-1].reconstruction == pytest.approx(error.item(), rel=1e-5)
    assert probes[0].reconstruction > probes[-1].reconstruction
    average = trainer.samples(len(data.held_out))
    assert result.quality["reconstruction"] == pytest.approx(float((average - data.held_out).square().mean()), rel=1e-5)
    assert result.quality["distance"] == result.distance
    without = made()
    assert next(iter(without.run())).reconstruction == pytest.approx(
        reconstruction(without.task, "l1", without.samples(24), data.held_out).item(), rel=1e-5
    )


def test_probes_count_pictures_not_patches():
    trainer = made(Halves(2))
    trainer.probe()
    (row,) = trainer.monitor.rows()
    assert (row.n_real, row.n_fake) == (24, 24)
    real, y = trainer.data.first(24)
    with torch.no_grad():
        scales = trainer.discriminator.network(real, y)
    means = sum(one.flatten(1).mean(1) for one in scales) / 2
    assert row.mean_p_real == pytest.approx(means.sigmoid().mean().item(), rel=1e-5)


def test_penalties_and_the_best_fakes_are_those_of_pictures():
    trainer = made(r1_gamma=2.0, optimizer="sgd")
    d, g = trainer.discriminator.network, trainer.generator.network
    target, y, _ = batch_of(trainer)
    scores, fakes = d(target.requires_grad_(), y), d(g(y).detach(), y)
    (gradient,) = torch.autograd.grad(scores.mean((1, 2, 3)).sum(), target)
    penalty = gradient.square().sum((1, 2, 3)).mean()
    loss = F.softplus(-scores).mean() + F.softplus(fakes).mean() + penalty
    assert trainer.update_discriminator().item() == pytest.approx(loss.item(), rel=1e-6)
    best = made(top_k=0.25)
    target, y, _ = batch_of(best)
    scores = best.discriminator.network(best.generator.network(y), y).flatten(1)
    chosen = scores.mean(1).topk(2).indices
    assert best.update_generator().item() == pytest.approx(F.softplus(-scores[chosen]).mean().item(), rel=1e-6)


class Points(Task):
    latent_dim = 4

    def real(self):
        return torch.randn(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, (1, 8, 8)))

    def discriminator(self):
        return nn.Conv2d(1, 1, 4, 2, 1)


class TwoScales(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 4, 2, 1)

    def forward(self, x):
        return [self.layer(x), self.layer(F.avg_pool2d(x, 2))]


def test_a_d_of_patches_needs_no_pairs_and_no_score():
    check_task(Points())
    assert finish(made(Points()))[1].status == "complete"
    several = Points()
    several.discriminator = TwoScales
    check_task(several)
    trainer = made(several)
    assert list(trainer.discriminator.state_dict()) == ["layer.weight", "layer.bias"]
    assert finish(trainer)[1].status == "complete"


class Opaque(Halves):
    def embedding(self, samples):
        return samples.detach()


@pytest.mark.parametrize(
    ("task", "kind", "part"),
    [
        (Points(), "l1", "training.reconstruction: l1 is for pairs, and Points has no pairs(); leave it out"),
        (Opaque(), "embedding", "training.reconstruction: embedding() of Opaque passes no gradient on; use l1 or l2"),
    ],
)
def test_what_cannot_be_reconstructed_is_refused(task, kind, part):
    with pytest.raises(TaskError) as error:
        made(task, reconstruction=kind)
    assert str(error.value) == part


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (lambda pictures: pictures, "pairs() must return (inputs, targets), not a Tensor"),
        (lambda pictures: (pictures,) * 3, "pairs() must return (inputs, targets), not 3 parts"),
        (lambda pictures: (pictures[:5], pictures), "pairs() returns 120 samples and conditions of shape (5, 1, 8, 8)"),
        (lambda pictures: (pictures / 0, pictures), "NaN or infinite values"),
    ],
)
def test_what_is_no_pairs_is_told_in_one_line(given, part):
    task = Halves()
    wrong = type("Wrong", (Halves,), {"pairs": lambda self: given(task.pictures)})()
    with pytest.raises(TaskError) as error:
        check_task(wrong)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_a_task_holds_out_pairs_of_its_own():
    class Own(Halves):
        def held_out(self):
            return self.pictures[:20] * 0, self.pictures[:20]

    data = data_of(Own(), CPU)
    assert (data.count, len(data.held_out)) == (120, 20)
    assert data.held_out.any()
    assert not data.conditions[0].any()


def test_a_generator_without_latents_needs_conditions():
    task = Points()
    task.latent_dim = 0
    with pytest.raises(TaskError, match="latent_dim must be a whole number above 0, not 0"):
        check_task(task)
    check_task(Halves())
    check_task(Sampled(2))
