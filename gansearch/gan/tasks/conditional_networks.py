"""Networks that are given classes, made of networks that are not."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Conditioned(nn.Module):
    """(B, latent_dim) latents and (B,) classes -> (B, ...) samples: the class is embedded beside the latent."""

    def __init__(self, network: nn.Module, classes: int, size: int):
        """`network` takes (B, latent_dim + size) numbers, of which the last `size` are learned for each class."""
        super().__init__()
        self.network, self.classes = network, nn.Embedding(classes, size)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Returns (B, ...) samples."""
        samples: Tensor = self.network(torch.cat([latents, self.classes(labels)], 1))
        return samples


class Projection(nn.Module):
    """(B, ...) samples and (B,) classes -> (B, 1) scores ψ(φ(x)) + ⟨V y, φ(x)⟩.

    The projection discriminator (Miyato & Koyama 2018, arXiv 1802.05637, equation 3): φ(x) are the features, ψ is
    linear, and V embeds the class.
    """

    def __init__(self, network: nn.Sequential, classes: int):
        """`network` takes samples; its last layer is ψ, a Linear to one number, and the others are φ."""
        super().__init__()
        last = network[-1]
        assert isinstance(last, nn.Linear)
        self.features, self.score = network[:-1], last
        self.classes = nn.Embedding(classes, last.in_features)

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Returns (B, 1) scores."""
        features = self.features(samples)
        score: Tensor = self.score(features) + (self.classes(labels) * features).sum(1, keepdim=True)
        return score
