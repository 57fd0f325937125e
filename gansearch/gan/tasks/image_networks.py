"""Generators and discriminators of square images: DCGAN's and SNGAN's, for 16, 32, 64 or 128 pixels.

Both have 4×4 at their narrow end, and twice the channels for each halving of the side. For SNGAN's spectral
normalisation there is `training.spectral_norm`, with either.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIZES = (16, 32, 64, 128)


def dcgan_generator(size: int, channels: int, width: int, latent_dim: int) -> nn.Module:
    """Returns a network (B, latent_dim) -> (B, channels, size, size) in [-1, 1] (Radford et al. 2016).

    It has `width` channels at half the full size.
    """
    widths = _widths(size, width)[::-1]
    parts: list[nn.Module] = [nn.Linear(latent_dim, widths[0] * 16), nn.Unflatten(1, (widths[0], 4, 4))]
    for narrow, wide in zip(widths, [*widths[1:], channels], strict=True):
        parts += [nn.BatchNorm2d(narrow), nn.ReLU(), nn.ConvTranspose2d(narrow, wide, 4, 2, 1)]
    return nn.Sequential(*parts, nn.Tanh())


def dcgan_discriminator(size: int, channels: int, width: int) -> nn.Sequential:
    """Returns a network (B, channels, size, size) -> (B, 1) (Radford et al. 2016), without batch norm.

    With batch norm a score depends on the rest of its batch, and gradient penalties lose their meaning.
    """
    widths = _widths(size, width)
    parts: list[nn.Module] = []
    for wide, narrow in zip([channels, *widths], widths, strict=False):
        parts += [nn.Conv2d(wide, narrow, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(widths[-1] * 16, 1))


def resnet_generator(size: int, channels: int, width: int, latent_dim: int) -> nn.Module:
    """Returns a network (B, latent_dim) -> (B, channels, size, size) in [-1, 1] (Miyato et al. 2018, tables 4, 5)."""
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


def resnet_discriminator(size: int, channels: int, width: int) -> nn.Sequential:
    """Returns a network (B, channels, size, size) -> (B, 1) (Miyato et al. 2018, tables 4 and 5).

    Its features are summed, not averaged, over the pixels.
    """
    widths = _widths(size, width)
    pairs = zip([channels, *widths], widths, strict=False)
    return nn.Sequential(
        *(DownBlock(wide, narrow, first=index == 0) for index, (wide, narrow) in enumerate(pairs)),
        DownBlock(widths[-1], widths[-1], down=False),
        nn.ReLU(),
        SumOfPixels(),
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
        """Returns (B, outputs, 2H, 2W)."""
        twice = F.interpolate(F.relu(self.norms[0](x)), scale_factor=2.0)
        inner = self.convolutions[1](F.relu(self.norms[1](self.convolutions[0](twice))))
        return inner + self.shortcut(F.interpolate(x, scale_factor=2.0))


class DownBlock(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2), or the same size: a residual block of a discriminator.

    The `first` one takes images, to which no ReLU is applied.
    """

    def __init__(self, inputs: int, outputs: int, down: bool = True, first: bool = False):
        super().__init__()
        self.down, self.first = down, first
        self.convolutions = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, 1, 1), nn.Conv2d(outputs, outputs, 3, 1, 1)])
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, outputs, H/2, W/2), or (B, outputs, H, W)."""
        inner = self.convolutions[1](F.relu(self.convolutions[0](x if self.first else F.relu(x))))
        both = inner + self.shortcut(x)
        return F.avg_pool2d(both, 2) if self.down else both


class SumOfPixels(nn.Module):
    """(B, C, H, W) -> (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the (B, C) sums."""
        return torch.sum(x, (2, 3))


def _widths(size: int, width: int) -> list[int]:
    """The channels at half the size, a quarter, … down to 4×4."""
    return [width * 2**i for i in range(round(math.log2(size / 4)))]
