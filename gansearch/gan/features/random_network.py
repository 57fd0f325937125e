"""Features of images from a network that needs neither a download nor training."""

from __future__ import annotations

import functools
import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES = 64
"""Few enough that a few hundred held-out images give their covariance."""
_WIDTH, _LAYERS = 32, 3
_AT_ONCE = 500
"""Images in a batch."""


class RandomFeatures(nn.Module):
    """(B, channels, H, W) -> (B, 64): mean and spread over pixels of fixed random filters of three scales.

    For images that are no photographs, random features serve as well as those of networks trained on photographs (Naeem
    et al. 2020, R64 there). The weights are orthogonal, which keeps different images apart, and drawn from a fixed
    seed, so that distances of different trials can be compared.
    """

    def __init__(self, channels: int):
        super().__init__()
        widths = [channels, *(_WIDTH * 2**layer for layer in range(_LAYERS))]
        layers = [nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in itertools.pairwise(widths)]
        self.projection = nn.Linear(2 * sum(widths[1:]), FEATURES, bias=False)
        random = torch.Generator().manual_seed(0)
        for layer in layers:
            nn.init.orthogonal_(layer.weight, 2**0.5, generator=random)
        self.convolutions = nn.ModuleList(layers)
        nn.init.orthogonal_(self.projection.weight, generator=random)

    def forward(self, images: Tensor) -> Tensor:
        """Returns (B, 64) features."""
        moments = []
        for convolution in self.convolutions:
            images = F.relu(convolution(images))
            moments += [images.mean((2, 3)), images.std((2, 3))]
        return self.projection(torch.cat(moments, 1))


@functools.cache
def _network(channels: int) -> RandomFeatures:
    with torch.random.fork_rng(devices=[]):  # layers draw first weights: the run that comes first must not notice
        return RandomFeatures(channels).eval()


def features_of(images: Tensor) -> Tensor:
    """Returns (N, 64) features of (N, channels, H, W) images in [-1, 1] on the CPU."""
    with torch.no_grad():
        return torch.cat([_network(images.shape[1])(part) for part in images.split(_AT_ONCE)])
