import torch
from torch import nn

from gansearch.gan.tasks.conditional_networks import Conditioned, Projection


def test_a_generator_makes_other_samples_of_the_same_latents_for_another_class():
    network = Conditioned(nn.Linear(4 + 3, 2), classes=5, size=3)
    latents = torch.randn(6, 4)
    zeros, ones = (network(latents, torch.full((6,), label)) for label in (0, 1))
    assert zeros.shape == (6, 2)
    assert not torch.allclose(zeros, ones)
    assert torch.allclose(zeros - ones, (zeros - ones)[:1].expand(6, 2))


def test_the_scores_are_those_of_equation_3():
    network = Projection(nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), classes=3)
    samples, labels = torch.randn(5, 1, 2, 2), torch.tensor([0, 2, 1, 1, 0])
    features = network.features(samples)
    expected = [
        features[i] @ network.score.weight[0] + network.score.bias[0] + features[i] @ network.classes.weight[label]
        for i, label in enumerate(labels)
    ]
    assert torch.allclose(network(samples, labels)[:, 0], torch.stack(expected), atol=1e-6)
