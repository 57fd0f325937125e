import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gansearch.gan.distributed.batch_norm import Synchronised, synchronise

ALONE = SimpleNamespace(rank=0, size=1, training=True, sum=lambda tensor: None)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1d(3), (8, 3)),
        (nn.BatchNorm2d(3, momentum=None), (8, 3, 2, 2)),
        (nn.BatchNorm2d(3, affine=False, track_running_stats=False), (8, 3, 2, 2)),
    ],
)
def test_in_a_group_of_one_it_is_batch_norm_with_its_second_derivatives(layer, shape):
    plain, shared = nn.Sequential(layer.double()), nn.Sequential(copy.deepcopy(layer.double()))
    synchronise(shared, ALONE)
    assert type(shared[0]) is Synchronised
    inputs = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    found = []
    for network in (plain, shared):
        output = network(inputs)
        (gradient,) = torch.autograd.grad(output.pow(3).sum(), inputs, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), inputs)
        found.append([output, gradient, second, *network.buffers()])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one.double(), other.double(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_normalised_in_full_as_by_torch(dtype):
    plain, shared = nn.Sequential(nn.BatchNorm2d(2)), nn.Sequential(nn.BatchNorm2d(2))
    synchronise(shared, ALONE)
    inputs = (3 + torch.randn(80, 2, 32, 32)).to(dtype)  # more values a channel than half precision counts to
    assert shared(inputs).dtype == dtype
    assert torch.allclose(shared(inputs).float(), plain(inputs.float()), atol=0.02)
    assert torch.allclose(shared[0].running_var, torch.full((2,), 1 - 0.81 + 0.81), atol=0.01)


def test_outside_of_an_update_it_is_plain_batch_norm():
    network = nn.Sequential(nn.BatchNorm1d(3))
    expected = network(torch.ones(4, 3))
    synchronise(network, SimpleNamespace(training=False))
    assert torch.equal(network(torch.ones(4, 3)), expected)
    with pytest.raises(ValueError, match=r"needs \(B, C, ...\), not \(3,\)"):
        network(torch.ones(3))
