"""The moving average of a generator, whatever dtypes its buffers have."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer
from gansearch.gan.stacked import Stacked
from gansearch.gan.updates.average import Average, mix

DECAY = 0.9


class Counting(nn.Module):
    """A generator that counts its calls in an integer, a boolean and a floating-point buffer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)
        self.register_buffer("calls", torch.zeros(1, dtype=torch.long))
        self.register_buffer("odd", torch.zeros(1, dtype=torch.bool))
        self.register_buffer("level", torch.zeros(1))

    def forward(self, latents):
        if self.training:
            self.calls.add_(1)
            self.odd.copy_(self.calls % 2 == 1)
            self.level.add_(1)
        return self.layer(latents)


class Points(Task):
    latent_dim = 4

    def real(self):
        return torch.randn(200, 3, generator=torch.Generator().manual_seed(5))

    def generator(self):
        return Counting()

    def discriminator(self):
        return nn.Linear(3, 1)


def trainers(count):
    return [Trainer(Points(), Training(updates=60, batch_size=8, ema=DECAY), seed) for seed in range(count)]


def holding(**buffers):
    """A network of nothing but these buffers."""
    network = nn.Module()
    for name, value in buffers.items():
        network.register_buffer(name, value)
    return network


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64])
def test_numbers_with_fractions_are_averaged(dtype):
    average = holding(x=torch.tensor([1.0], dtype=dtype))
    mix(average, holding(x=torch.tensor([2.0], dtype=dtype)), DECAY)
    assert average.x.item() == pytest.approx(1.1)


@pytest.mark.parametrize("values", [torch.tensor([7]), torch.tensor([False]), torch.tensor([3], dtype=torch.uint8)])
def test_integers_and_booleans_are_those_of_the_network(values):
    average = holding(x=torch.ones_like(values), y=torch.ones(1))
    mix(average, holding(x=values, y=torch.zeros(1)), DECAY)
    assert torch.equal(average.x, values)
    assert average.y.item() == pytest.approx(DECAY)


def test_an_average_is_what_torch_makes_of_the_same_updates():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ours, theirs = Average(network), AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY), use_buffers=True)
    for _ in range(5):
        with torch.no_grad():
            for tensor in (*network.parameters(), network[1].running_mean):
                tensor += torch.randn_like(tensor)
        ours.update(network, DECAY)
        ours.n_averaged += 1
        theirs.update_parameters(network)
    expected = theirs.state_dict()
    assert list(ours.state_dict()) == list(expected)
    assert all(torch.equal(value, expected[name]) for name, value in ours.state_dict().items())


@pytest.mark.parametrize("at_once", [False, True])
def test_a_generator_s_own_buffers_are_averaged_where_they_have_fractions_and_copied_elsewhere(at_once):
    both = trainers(2)
    for updates in [Stacked(both)] if at_once else both:
        for _ in range(20):
            updates.step()
    for trainer in both:
        network, average = trainer.generator, trainer.average.module
        assert int(average.calls) == int(network.calls) >= 10
        assert bool(average.odd) == bool(network.odd)
        assert 1 < float(average.level) < float(network.level)
