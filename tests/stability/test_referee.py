import pytest
import torch
from torch import nn

from gansearch.stability.referee import referee, rule


def samples(n, shift, seed):
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)) + shift


@pytest.mark.parametrize(("shift", "low", "high"), [(0.0, 0.4, 0.6), (4.0, 0.99, 1.0)])
def test_a_referee_separates_what_differs(shift, low, high):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    data = samples(500, 0, 1), samples(500, shift, 2), samples(500, 0, 3), samples(500, shift, 4)
    found = referee(network, *((part,) for part in data), generator=torch.Generator().manual_seed(0), steps=150)
    assert low <= found <= high


def test_a_ruling_measures_distance_and_diversity():
    near = rule(0.5, samples(300, 0, 1), samples(300, 0, 2))
    far = rule(1.0, samples(300, 0, 1), samples(300, 4, 2))
    point = rule(1.0, samples(300, 0, 1), torch.zeros(300, 2))
    assert near.apart < 0.2 < 0.6 < far.apart
    assert near.diversity == pytest.approx(1, abs=0.15)
    assert (point.diversity, point.distinctness) == (0, 0)
    assert (near.repeated, point.repeated) == (0, 1)
