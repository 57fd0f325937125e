"""The tasks of published tables, each with the networks, the data and the measures of its paper.

`PacRing` and `PacGrid`: PacGAN (Lin et al. 2018, arXiv 1712.04086), section 4.1 and its repository's configuration.
`UnrolledRing`: unrolled GANs (Metz et al. 2017, arXiv 1611.02163), their published notebook of the ring.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.tasks.mixtures import Grid, Mixture, Ring

SAMPLES = 2_500
"""Of a mixture's generator that a published number of modes is counted among."""
SHARE = 0.02
"""Of all samples that a mode has to have, of high quality, for `modes_2pct`."""


class Maxout(nn.Module):
    """The largest of `pieces` linear functions for each output (Goodfellow et al. 2013, arXiv 1302.4389)."""

    def __init__(self, inputs: int, outputs: int, pieces: int = 5):
        super().__init__()
        self.linear, self.pieces = nn.Linear(inputs, outputs * pieces), pieces

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return self.linear(x).unflatten(-1, (-1, self.pieces)).amax(-1)


class Fresh:
    """Held-out reals that are drawn beside the training samples, of which none is taken away."""

    counted = kept = SAMPLES

    def held_out(self: Mixture) -> Tensor:  # type: ignore[misc]
        """(SAMPLES, 2) points."""
        random = torch.Generator().manual_seed(1)
        which = torch.randint(len(self.centres), (SAMPLES,), generator=random)
        return self.centres[which] + self.std * torch.randn(SAMPLES, 2, generator=random)

    def quality(self: Mixture, real: Tensor, fake: Tensor) -> dict[str, float]:  # type: ignore[misc]
        """The paper's counts, and a distance that is 0 where all modes have their share and all samples their mode."""
        moved = quality.sliced_wasserstein(real, fake) / float(self.centres.std())
        return {
            "distance": moved + misplaced(real, fake, self.centres, self.std),
            **quality.modes(fake, self.centres, self.std),
        }


def misplaced(real: Tensor, fake: Tensor, centres: Tensor, std: float) -> float:
    """The share of (M, 2) fakes that would have to move to another of K modes, or onto one, to be like (N, 2) reals.

    It is the total variation between their shares of the modes, within 3 std of them, and of what is beyond these.
    """
    shares = []
    for points in (real, fake):
        distance, nearest = torch.cdist(points, centres).min(1)
        place = torch.where(distance <= 3 * std, nearest, len(centres))
        shares.append(torch.bincount(place, minlength=len(centres) + 1) / len(points))
    return float((shares[0] - shares[1]).abs().sum() / 2)


class PacGAN(Fresh):
    """PacGAN's networks: G of four layers of 400 with batch norm, D of three maxout layers of 200."""

    latent_dim = 2

    def generator(self) -> nn.Module:
        """(B, 2) -> (B, 2). Batch norm has its place between a layer without a bias and the ReLU."""
        sizes = [2, 400, 400, 400, 400]
        hidden = [
            part
            for a, b in itertools.pairwise(sizes)
            for part in (nn.Linear(a, b, bias=False), nn.BatchNorm1d(b, eps=1e-4, momentum=0.05), nn.ReLU())
        ]
        return small_weights(nn.Sequential(*hidden, nn.Linear(sizes[-1], 2)))

    def discriminator(self, packing: int = 1) -> nn.Module:
        """(B, 2 · packing) -> (B, 1)."""
        return small_weights(
            nn.Sequential(Maxout(2 * packing, 200), Maxout(200, 200), Maxout(200, 200), nn.Linear(200, 1))
        )


def small_weights(network: nn.Module) -> nn.Module:
    """The network with weights of standard deviation .02 and biases of 0, as in PacGAN's configuration."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


@dataclass(eq=False)
class PacRing(PacGAN, Ring):
    """Eight Gaussians of std .01 on a circle of radius 1."""

    samples: int = 100_000
    latent_dim: int = 2


@dataclass(eq=False)
class PacGrid(PacGAN, Grid):
    """Twenty-five Gaussians of std .05 on {−4, −2, 0, 2, 4}²."""

    samples: int = 100_000
    latent_dim: int = 2


@dataclass(eq=False)
class UnrolledRing(Fresh, Ring):
    """The ring of unrolled GANs: z = 256, two layers of 128 with tanh, orthogonal weights with a gain of 1.4."""

    samples: int = 100_000
    latent_dim: int = 256

    def generator(self) -> nn.Module:
        """(B, 256) -> (B, 2)."""
        return _tanh(self.latent_dim, 2)

    def discriminator(self) -> nn.Module:
        """(B, 2) -> (B, 1)."""
        return _tanh(2, 1)


def _tanh(inputs: int, outputs: int, width: int = 128) -> nn.Sequential:
    network = nn.Sequential(
        *(nn.Linear(inputs, width), nn.Tanh()), *(nn.Linear(width, width), nn.Tanh()), nn.Linear(width, outputs)
    )
    for module in network:
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, gain=1.4)
            nn.init.zeros_(module.bias)
    return network
