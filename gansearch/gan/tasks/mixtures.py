"""Mixtures of Gaussians in the plane, whose modes can be counted: ring and grid."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.options import positive
from gansearch.gan.task import Task


@dataclass(eq=False)
class Mixture(Task):
    """Equal Gaussians around (K, 2) centres, learned by two small multilayer perceptrons."""

    std: float = 0.01
    samples: int = 10_000
    width: int = 128
    layers: int = 2
    latent_dim: int = 16

    def __post_init__(self) -> None:
        positive(std=self.std, samples=self.samples, width=self.width, layers=self.layers, latent_dim=self.latent_dim)

    @property
    def centres(self) -> Tensor:
        """The (K, 2) means of the Gaussians."""
        raise NotImplementedError

    def real(self) -> Tensor:
        """Returns `samples` points, (N, 2) float32, the same each time."""
        random = torch.Generator().manual_seed(0)
        which = torch.randint(len(self.centres), (self.samples,), generator=random)
        return self.centres[which] + self.std * torch.randn(self.samples, 2, generator=random)

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, 2)."""
        return perceptron(self.latent_dim, 2, self.width, self.layers)

    def discriminator(self) -> nn.Module:
        """Returns a network (B, 2) -> (B, 1)."""
        return perceptron(2, 1, self.width, self.layers)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the sliced Wasserstein distance, and modes_hit, modes_2pct and high_quality of quality.modes."""
        return {"distance": quality.sliced_wasserstein(real, fake), **quality.modes(fake, self.centres, self.std)}


@dataclass(eq=False)
class Ring(Mixture):
    """8 Gaussians on a circle (PacGAN's: radius 1, std .01)."""

    modes: int = 8
    radius: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(modes=self.modes, radius=self.radius)

    @property
    def centres(self) -> Tensor:
        """The (modes, 2) means of the Gaussians, evenly spread on the circle."""
        angle = 2 * math.pi * torch.arange(self.modes) / self.modes
        return self.radius * torch.stack([angle.cos(), angle.sin()], 1)


@dataclass(eq=False)
class Grid(Mixture):
    """25 Gaussians on a 5×5 grid (PacGAN's: spacing 2, std .05)."""

    std: float = 0.05
    side: int = 5
    spacing: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(side=self.side, spacing=self.spacing)

    @property
    def centres(self) -> Tensor:
        """The (side², 2) means of the Gaussians, around 0."""
        line = self.spacing * (torch.arange(self.side) - (self.side - 1) / 2)
        return torch.cartesian_prod(line, line)


def perceptron(inputs: int, outputs: int, width: int, layers: int) -> nn.Sequential:
    """Returns a network (B, inputs) -> (B, outputs): `layers` hidden layers of `width`, each with a ReLU."""
    sizes = [inputs] + [width] * layers
    hidden = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], outputs))
