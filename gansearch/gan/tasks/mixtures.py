"""Mixtures of Gaussians in the plane, whose modes can be counted: ring and grid."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.readers.files import whole
from gansearch.gan.task import Task


class Mixture(Task):
    """Equal Gaussians around (K, 2) centres, learned by two small multilayer perceptrons."""

    def __init__(self, centres: Tensor, std: float, samples: int, width: int, layers: int, latent_dim: int):
        if std <= 0:
            raise ValueError(f"std must be above 0, not {std}")
        whole(samples=samples, width=width, layers=layers, latent_dim=latent_dim)
        self.centres, self.std, self.samples = centres, std, samples
        self.width, self.layers, self.latent_dim = width, layers, latent_dim

    def real(self) -> Tensor:
        random = torch.Generator().manual_seed(0)
        which = torch.randint(len(self.centres), (self.samples,), generator=random)
        return self.centres[which] + self.std * torch.randn(self.samples, 2, generator=random)

    def generator(self) -> nn.Module:
        return perceptron(self.latent_dim, 2, self.width, self.layers)

    def discriminator(self) -> nn.Module:
        return perceptron(2, 1, self.width, self.layers)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """distance: sliced Wasserstein; modes_hit, modes_2pct, high_quality."""
        return {
            "distance": quality.sliced_wasserstein(real, fake),
            **quality.modes(fake, self.centres, self.std),
        }


class Ring(Mixture):
    """8 Gaussians on a circle (PacGAN's: radius 1, std .01)."""

    def __init__(
        self,
        modes: int = 8,
        radius: float = 1.0,
        std: float = 0.01,
        samples: int = 10_000,
        width: int = 128,
        layers: int = 2,
        latent_dim: int = 16,
    ):
        if modes < 1 or radius <= 0:
            raise ValueError(f"modes must be at least 1 and radius above 0, not {modes} and {radius}")
        angle = 2 * math.pi * torch.arange(modes) / modes
        centres = radius * torch.stack([angle.cos(), angle.sin()], 1)
        super().__init__(centres, std, samples, width, layers, latent_dim)


class Grid(Mixture):
    """25 Gaussians on a 5×5 grid (PacGAN's: spacing 2, std .05)."""

    def __init__(
        self,
        side: int = 5,
        spacing: float = 2.0,
        std: float = 0.05,
        samples: int = 10_000,
        width: int = 128,
        layers: int = 2,
        latent_dim: int = 16,
    ):
        if side < 1 or spacing <= 0:
            raise ValueError(f"side must be at least 1 and spacing above 0, not {side} and {spacing}")
        line = spacing * (torch.arange(side) - (side - 1) / 2)
        super().__init__(torch.cartesian_prod(line, line), std, samples, width, layers, latent_dim)


def perceptron(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    """Linear layers with ReLU between them, `layers` hidden ones of `width`."""
    sizes = [inputs] + [width] * layers
    hidden = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], outputs))
