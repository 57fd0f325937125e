import torch
from torch import nn

from gansearch.gan.updates.vmapped import Copies


def test_copies_compute_what_each_network_does_and_share_its_weights():
    networks = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1)) for _ in range(3)]
    inputs = torch.randn(3, 6, 3)
    alone = torch.stack([network(rows) for network, rows in zip(networks, inputs, strict=True)])
    copies = Copies(networks)
    assert torch.allclose(copies(inputs), alone, atol=1e-6)
    assert copies.weights.shape == (3, 3 * 4 + 4 + 4 + 4 + 4 + 1)
    assert torch.equal(copies.parts(copies.weights)[0][1], networks[1][0].weight)
    with torch.no_grad():
        copies.weights.zero_()
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


def test_some_of_the_copies_are_called_and_alone_keep_their_statistics():
    networks = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)) for _ in range(3)]
    copies, inputs = Copies(networks), torch.randn(2, 6, 3)
    copies.choose(torch.tensor([2, 0]))
    outputs = copies(inputs)
    outputs.sum().backward()
    assert copies.chosen.grad.shape == (2, copies.weights.shape[1])
    counts = [int(network[1].num_batches_tracked) for network in networks]
    assert counts == [1, 0, 1]
    assert torch.allclose(outputs[0], networks[2](inputs[0]), atol=1e-6)


def test_weights_follow_anothers_by_their_own_shares_and_counts_are_taken_over():
    averages, networks = ([nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)) for _ in range(2)] for _ in range(2))
    average, now = Copies(averages), Copies(networks)
    average.weights.data.zero_()
    now.weights.data.fill_(1.0)
    now(torch.randn(2, 5, 1))
    average.follow(now, torch.tensor([[0.25], [1.0]]))
    assert average.weights[:, 0].tolist() == [0.25, 1.0]
    assert [int(network[1].num_batches_tracked) for network in averages] == [1, 1]
    now.choose(torch.tensor([0]))
    average.follow(now, 1.0)
    assert average.weights[:, 0].tolist() == [1.0, 1.0]
