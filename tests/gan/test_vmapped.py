import torch
from torch import nn

from gansearch.gan.vmapped import Copies


def test_copies_compute_what_each_network_does_and_share_its_weights():
    networks = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)) for _ in range(3)]
    inputs = torch.randn(3, 6, 3)
    alone = torch.stack([network(rows) for network, rows in zip(networks, inputs, strict=True)])
    copies = Copies(networks)
    assert torch.allclose(copies(inputs), alone, atol=1e-6)
    weight = next(copies.parameters())
    assert weight.shape == (3, 4, 3)
    with torch.no_grad():
        weight.zero_()
    assert all(not network[0].weight.any() for network in networks)
    assert [tuple(buffer.shape) for buffer in copies.buffers()] == [(3, 4), (3, 4), (3,)]


def test_a_network_keeps_its_own_tensors_after_a_call_that_raises():
    networks = [nn.Linear(3, 1) for _ in range(2)]
    copies = Copies(networks)
    own = networks[0].weight
    try:
        copies(torch.randn(2, 5, 4))
    except RuntimeError:
        pass
    else:
        raise AssertionError("a wrong shape was taken")
    assert networks[0].weight is own
    assert networks[0](torch.randn(5, 3)).shape == (5, 1)
