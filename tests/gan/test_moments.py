"""Samples of the same latents at several moments of a training."""

import numpy as np
import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.gan.moments import Moments
from tests.gan.conditional import Clusters


def trained(task, moments=None, stop=2.0, trainer=None, **training):
    """A trainer up to a share of its run, noted at each probe."""
    trainer = trainer or Trainer(task, Training(**{"updates": 200, "batch_size": 8, "lr": 1e-3, **training}), seed=3)
    note = moments.note if moments else (lambda trainer: None)
    note(trainer)
    for _ in trainer.run():
        note(trainer)
        if trainer.share >= stop:
            break
    return trainer


def test_seven_moments_are_kept_the_first_one_untrained():
    moments = Moments()
    trainer = trained(load_task("ring"), moments, pretrain_steps=50)
    kept = moments.kept(trainer.task)
    assert kept["array"].shape == (7, 64, 2)
    shares = [max(0, update - 50) / 150 for update in kept["updates"]]
    assert shares == pytest.approx([0, 0.05, 0.1, 0.25, 0.5, 0.75, 1], abs=0.05)
    assert kept["updates"][0] == 0
    assert np.ptp(kept["array"][0]) < np.ptp(kept["array"][-1]), "an untrained generator is narrower than the ring"


def test_a_training_is_the_same_with_and_without_them():
    plain, noted = trained(load_task("digits")), trained(load_task("digits"), Moments())
    for network in ("generator", "discriminator"):
        pairs = zip(plain.state()[network].values(), noted.state()[network].values(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
    assert plain.result().distance == noted.result().distance


class Noisy(nn.Module):
    """A generator with noise of its own in every layer, as StyleGAN's; it takes no batch of one."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, z):
        assert len(z) > 1
        return self.layer(z) + torch.randn(len(z), 2)


class NoisyTask(Task):
    latent_dim = 4

    def real(self):
        return torch.randn(200, 2, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return Noisy()

    def discriminator(self):
        return nn.Linear(2, 1)


@pytest.mark.parametrize("task", [NoisyTask(), Clusters(), load_task("digits")])
def test_what_differs_between_two_moments_is_the_generator_alone(task):
    trainer, moments, again = trained(task, updates=60), Moments(), Moments()
    mode = torch.get_rng_state()
    moments.note(trainer)
    torch.manual_seed(5)
    again.note(trainer)
    assert np.array_equal(moments.kept(task)["array"], again.kept(task)["array"])
    torch.set_rng_state(mode)
    again.note(trainer)
    assert torch.equal(torch.get_rng_state(), mode), "the training's random numbers are left alone"
    assert trainer.generator.training


def test_an_interrupted_run_goes_on_with_its_moments_and_a_larger_budget_has_some_more(tmp_path):
    whole, cut, task = Moments(), Moments(), load_task("ring")
    trained(task, whole)
    first = trained(task, cut, stop=0.4)
    torch.save({"trainer": first.state(), "moments": cut.state()}, tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    second, resumed = Trainer(task, first.training, seed=3), Moments()
    second.load_state(state["trainer"])
    resumed.load_state(state["moments"])
    trained(task, resumed, trainer=second)
    assert resumed.updates == whole.updates
    assert np.array_equal(resumed.kept(task)["array"], whole.kept(task)["array"])
    longer = Trainer(task, Training(updates=400, batch_size=8, lr=1e-3), seed=3)
    longer.load_state(second.state())
    trained(task, resumed, trainer=longer)
    assert resumed.updates[:7] == whole.updates
    assert [update > 280 for update in resumed.updates[7:]] == [True, True]


class Square(Task):
    """Pictures of which one alone has so many bytes."""

    latent_dim = 1

    def __init__(self, side):
        self.side = side

    def real(self):
        return torch.zeros(1, 1, 1, 1).expand(50, 1, self.side, self.side)

    def generator(self):
        return nn.Sequential(nn.Linear(1, 1), nn.Unflatten(1, (1, 1, 1)), nn.Upsample(self.side))

    def discriminator(self):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 1))


@pytest.mark.parametrize(("side", "count"), [(8, 64), (128, 8), (480, 1), (512, None)])
def test_large_samples_are_fewer_and_very_large_ones_none(side, count):
    moments = Moments()
    trainer = Trainer(Square(side), Training(updates=10, batch_size=2))
    moments.note(trainer)
    array = moments.kept(trainer.task)["array"]
    assert array.shape == ((1, count, 1, side, side) if count else (0,))


def test_a_loop_that_keeps_its_generator_has_none(monkeypatch):
    trainer, moments = trained(load_task("ring"), updates=60), Moments()
    monkeypatch.setattr(trainer, "final_generator", lambda: None)
    moments.note(trainer)
    assert moments.kept(trainer.task)["updates"] == []
