import math

import pytest
import torch
from torch import nn

from gansearch.gan.networks import Packed
from gansearch.gan.updates.losses import LOSSES, add_spectral_norm, gradient_penalty, squared_gradient


@pytest.mark.parametrize(
    ("delta", "minimax", "non_saturating"), [(1, 0.398, 0.602), (2, 0.450, 1.55), (3, 0.296, 2.70), (6, 0.012, 5.99)]
)
def test_g_s_gradient_vanishes_for_minimax_and_grows_for_non_saturating(delta, minimax, non_saturating):
    # Reals N(δ, 1) and fakes N(0, 1): the best D scores δx − δ²/2, so a sample's gradient is δ times its score's.
    samples = torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    for name, expected, tolerance in (("minimax", minimax, 5e-3), ("non_saturating", non_saturating, 1e-2)):
        scores = (delta * samples - delta**2 / 2).requires_grad_()
        (gradient,) = torch.autograd.grad(LOSSES[name].g(scores, scores), scores)
        assert delta * float(gradient.abs().sum()) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("name", ["non_saturating", "minimax", "hinge", "wgan", "lsgan", "relativistic"])
def test_the_ideal_loss_is_that_of_the_best_constant_score(name, smoothing):
    loss = LOSSES[name]
    constants = torch.linspace(-3, 3, 6001).unsqueeze(1)
    losses = torch.stack([loss.d(score, score, smoothing) for score in constants])
    assert float(losses.min()) == pytest.approx(loss.ideal(smoothing), abs=1e-5)


def test_penalties_of_a_linear_d_are_its_weights_norm():
    real, fake = torch.randn(5, 3, requires_grad=True), torch.randn(5, 3)
    weight = torch.tensor([2.0, -1.0, 2.0])
    assert float(squared_gradient(real @ weight, real)) == pytest.approx(9)
    assert float(gradient_penalty(lambda x: x @ weight, real.detach(), fake, torch.rand(5))) == pytest.approx(4)


@pytest.mark.parametrize("batch", [20, 23, 3])
def test_penalties_of_packs_are_those_of_a_pack(batch):
    weight = torch.randn(12)
    packed = Packed(nn.Linear(12, 1), 4)
    packed.network.weight.data[0] = weight / weight.norm()  # the gradient of a pack has length 1
    real, fake = torch.randn(batch, 3, requires_grad=True), torch.randn(batch, 3)
    score = lambda samples: packed(samples).flatten()  # noqa: E731
    if batch == 20:
        assert float(squared_gradient(score(real), real, packing=4).detach()) == pytest.approx(1, rel=1e-5)
    gradient = packed.network.weight.detach()[0].view(4, 3)
    if batch == 3:  # one pack, in which the first sample is there twice
        gradient = torch.cat([gradient[:1] + gradient[3:], gradient[1:3]])
    penalty = gradient_penalty(score, real.detach(), fake, torch.rand(batch), packing=4)
    assert float(penalty) == pytest.approx((float(gradient.norm()) - 1) ** 2, rel=1e-4, abs=1e-9)


def test_spectral_norm_divides_every_weight_once():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    for _ in range(2):
        add_spectral_norm(network)
    for _ in range(50):
        network(torch.randn(8, 4))
    assert float(torch.linalg.matrix_norm(network[0].weight.detach(), 2)) == pytest.approx(1, abs=1e-3)
    assert len(network[0].parametrizations.weight) == 1
    assert math.isclose(float(network[1].weight.detach()[0]), 1.0)
