"""What benchmarks/gpu.py trains: pictures of 64 by 64 pixels, made when they are read."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gansearch.gan import Task

PIXELS = 64


class Discs(Task):
    """Pictures of a coloured disc on another colour, and a DCGAN (Radford et al. 2016) for them."""

    latent_dim = 64

    def __init__(self, pictures: int = 2_000, width: int = 64) -> None:
        """`width` channels in the widest but one layer of each network."""
        self.pictures, self.width = pictures, width

    def real(self) -> Tensor:
        draws = torch.Generator().manual_seed(0)
        colours = torch.rand(self.pictures, 2, 3, 1, 1, generator=draws) * 2 - 1
        centre = torch.rand(self.pictures, 2, 1, 1, generator=draws) * 0.5 + 0.25
        radius = torch.rand(self.pictures, 1, 1, generator=draws) * 0.15 + 0.1
        line = (torch.arange(PIXELS) + 0.5) / PIXELS
        inside = (line[None, :, None] - centre[:, 0]).square() + (line - centre[:, 1]).square() < radius.square()
        return torch.where(inside[:, None], colours[:, 0], colours[:, 1])

    def generator(self) -> nn.Module:
        w = self.width
        layers: list[nn.Module] = [
            nn.Unflatten(1, (self.latent_dim, 1, 1)),
            nn.ConvTranspose2d(self.latent_dim, 4 * w, 4),
        ]
        for inputs, outputs in ((4 * w, 2 * w), (2 * w, w), (w, w // 2)):
            layers += [nn.BatchNorm2d(inputs), nn.ReLU(), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
        layers += [nn.BatchNorm2d(w // 2), nn.ReLU(), nn.ConvTranspose2d(w // 2, 3, 4, 2, 1), nn.Tanh()]
        return nn.Sequential(*layers)

    def discriminator(self) -> nn.Module:
        w = self.width
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, w // 2), (w // 2, w), (w, 2 * w), (2 * w, 4 * w)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2)]
        return nn.Sequential(*layers, nn.Conv2d(4 * w, 1, 4), nn.Flatten())
