"""Generators and discriminators of square images: DCGAN's and SNGAN's, for 16, 32, 64 or 128 pixels.

Both have 4×4 at their narrow end, and twice the channels for each halving of the side. What normalises D by its
spectrum is `training.spectral_norm`, for either.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES = (16, 32, 64, 128)


def dcgan_generator(size: int, channels: int, width: int, latent_dim: int) -> nn.Module:
    """(B, latent_dim) -> (B, channels, size, size) in [-1, 1]; Radford et al. 2016, `width` at half the full size."""
    widths = _widths(size, width)[::-1]
    parts: list[nn.Module] = [nn.Linear(latent_dim, widths[0] * 16), nn.Unflatten(1, (widths[0], 4, 4))]
    for narrow, wide in zip(widths, [*widths[1:], channels], strict=True):
        parts += [nn.BatchNorm2d(narrow), nn.ReLU(), nn.ConvTranspose2d(narrow, wide, 4, 2, 1)]
    return nn.Sequential(*parts, nn.Tanh())


def dcgan_discriminator(size: int, channels: int, width: int) -> nn.Module:
    """(B, channels, size, size) -> (B, 1); Radford et al. 2016, but without batch norm.

    With it a score depends on the batch around it: gradient penalties then lose their meaning.
    """
    widths = _widths(size, width)
    parts: list[nn.Module] = []
    for wide, narrow in zip([channels, *widths], widths, strict=False):
        parts += [nn.Conv2d(wide, narrow, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(widths[-1] * 16, 1))


def resnet_generator(size: int, channels: int, width: int, latent_dim: int) -> nn.Module:
    """(B, latent_dim) -> (B, channels, size, size) in [-1, 1]; Miyato et al. 2018, tables 4 and 5."""
    widths = _widths(size, width)[::-1]
    pairs = zip([widths[0], *widths], widths, strict=False)
    return nn.Sequential(
        nn.Linear(latent_dim, widths[0] * 16),
        nn.Unflatten(1, (widths[0], 4, 4)),
        *(UpBlock(narrow, wide) for narrow, wide in pairs),
        nn.BatchNorm2d(widths[-1]),
        nn.ReLU(),
        nn.Conv2d(widths[-1], channels, 3, 1, 1),
        nn.Tanh(),
    )


def resnet_discriminator(size: int, channels: int, width: int) -> nn.Module:
    """(B, channels, size, size) -> (B, 1); Miyato et al. 2018, tables 4 and 5: summed, not averaged, over places."""
    widths = _widths(size, width)
    pairs = zip([channels, *widths], widths, strict=False)
    return nn.Sequential(
        *(DownBlock(wide, narrow, first=place == 0) for place, (wide, narrow) in enumerate(pairs)),
        DownBlock(widths[-1], widths[-1], down=False),
        nn.ReLU(),
        SumOfPlaces(),
        nn.Linear(widths[-1], 1),
    )


class UpBlock(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, 2H, 2W): a residual block of a generator (Gulrajani et al. 2017)."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)])
        self.convolutions = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)])
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        twice = F.interpolate(F.relu(self.norms[0](x)), scale_factor=2.0)
        inner = self.convolutions[1](F.relu(self.norms[1](self.convolutions[0](twice))))
        return inner + self.shortcut(F.interpolate(x, scale_factor=2.0))


class DownBlock(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2), or the same size: a residual block of a discriminator.

    The `first` one gets images, to which no ReLU is applied.
    """

    def __init__(self, inputs: int, outputs: int, down: bool = True, first: bool = False):
        super().__init__()
        self.down, self.first = down, first
        self.convolutions = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)])
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.convolutions[1](F.relu(self.convolutions[0](x if self.first else F.relu(x))))
        both = inner + self.shortcut(x)
        return F.avg_pool2d(both, 2) if self.down else both


class SumOfPlaces(nn.Module):
    """(B, C, H, W) -> (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sum(x, (2, 3))


def _widths(size: int, width: int) -> list[int]:
    """Channels at half the size, a quarter, … down to 4×4."""
    return [width * 2**i for i in range(round(math.log2(size / 4)))]
