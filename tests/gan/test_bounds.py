import pytest
import torch
from torch import nn

from gansearch.gan.bounds import stay_between


class Ends(nn.Module):
    def __init__(self, end, layers=None):
        super().__init__()
        self.layers = layers or nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.LeakyReLU(0.2), nn.Linear(8, 4))
        self.end = end

    def forward(self, samples):
        return self.end(self.layers(samples))


def found(network):
    torch.manual_seed(0)
    return stay_between(network, torch.randn(4, 1, 4, 4), torch.rand(4, 1, 4, 4))


@pytest.mark.parametrize(
    "end",
    [
        lambda s: torch.sigmoid(s.mean(1)).clamp(1e-7, 1 - 1e-7),
        lambda s: torch.sigmoid(s).mean(1),
        lambda s: nn.functional.hardsigmoid(s[:, 0]),
        lambda s: (torch.tanh(s[:, 0]) + 1) / 2,
        lambda s: s.softmax(1)[:, 0],
        lambda s: 0.9 * torch.sigmoid(s[:, :1]),
        lambda s: 1 / (1 + torch.exp(-s[:, 0])),
        lambda s: s[:, 0].clamp(0, 1),
    ],
)
def test_a_sigmoid_in_any_form_is_found(end):
    assert found(Ends(end)) == (0, 1)


@pytest.mark.parametrize("end", [lambda s: torch.tanh(s[:, 0]), lambda s: 2 * torch.sigmoid(s[:, 0]) - 1])
def test_scores_from_minus_one_to_one_are_found(end):
    assert found(Ends(end)) == (-1, 1)


@pytest.mark.parametrize(
    "network",
    [
        Ends(lambda s: s[:, 0]),
        Ends(lambda s: s.mean(1)),
        Ends(lambda s: -s.square().mean(1)),  # an energy
        Ends(lambda s: nn.functional.softplus(s[:, 0])),
        Ends(lambda s: 10 * torch.tanh(s[:, 0])),
        Ends(lambda s: 0 * s[:, 0]),
        Ends(lambda s: s[:, 0], nn.Sequential(nn.Flatten(), nn.utils.parametrizations.spectral_norm(nn.Linear(16, 1)))),
        Ends(lambda s: s[:, 0], nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, 1, bias=False))),
        Ends(lambda s: s[:, 0], nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))),
    ],
)
def test_raw_scores_are_let_be(network):
    assert found(network) is None
