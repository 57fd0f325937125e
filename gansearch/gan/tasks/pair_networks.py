"""Networks of pairs of pictures: pix2pix's U-Net and its discriminator of patches, at one scale or at several.

Isola et al. 2017, arXiv 1611.07004, section 6.1; several scales as in pix2pixHD, Wang et al. 2018, arXiv 1711.11585.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_MOST = 8
"""Channels at the narrow end are at most so many times those at half the full size, as in the paper."""
_DROPPED = 3
"""Layers after the narrow end that have dropout."""


class UNet(nn.Module):
    """(B, inputs, size, size) pictures, behind latents where there are some -> (B, outputs, size, size) in [-1, 1].

    Each layer halves the side, down to 2×2, and each layer of the way back also sees what had its size before.
    """

    def __init__(self, size: int, inputs: int, outputs: int, width: int, dropout: float, latent_dim: int = 0):
        """`width` channels at half the full size, twice as many for each halving; `dropout` at the narrow end."""
        super().__init__()
        widths = [width * min(2**layer, _MOST) for layer in range(round(math.log2(size)) - 1)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for layer, (wide, narrow) in enumerate(zip([inputs + latent_dim, *widths], widths, strict=False)):
            norm = [nn.BatchNorm2d(narrow)] if layer else []
            self.down.append(nn.Sequential(nn.Conv2d(wide, narrow, 4, 2, 1), *norm, nn.LeakyReLU(0.2)))
        for layer, narrow in reversed(list(enumerate(widths))):
            seen = narrow if layer == len(widths) - 1 else 2 * narrow
            wide = widths[layer - 1] if layer else outputs
            drops = [nn.Dropout(dropout)] if dropout and layer and len(widths) - layer <= _DROPPED else []
            end = [nn.BatchNorm2d(wide), *drops, nn.ReLU()] if layer else [nn.Tanh()]
            self.up.append(nn.Sequential(nn.ConvTranspose2d(seen, wide, 4, 2, 1), *end))

    def forward(self, first: Tensor, second: Tensor | None = None) -> Tensor:
        """Returns (B, outputs, size, size) of latents, a channel each, and inputs, or of inputs alone."""
        if second is not None:
            maps = first[..., None, None].expand(*first.shape, *second.shape[-2:])
            first = torch.cat([second, maps], 1)
        passed = [first]
        for layer in self.down:
            passed.append(layer(passed[-1]))
        x = passed.pop()
        for place, layer in enumerate(self.up):
            x = layer(x if place == 0 else torch.cat([x, passed.pop()], 1))
        return x


def patch_discriminator(channels: int, width: int, layers: int) -> nn.Module:
    """Returns a network (B, channels, H, W) -> (B, 1, H / 2^layers, W / 2^layers), a score for each patch.

    With 2 layers a patch has a side of 18 pixels, with 3 it has 38. Without batch norm, as our other discriminators.
    """
    widths = [width * min(2**layer, _MOST) for layer in range(layers)]
    parts: list[nn.Module] = []
    for wide, narrow in zip([channels, *widths], widths, strict=False):
        parts += [nn.Conv2d(wide, narrow, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts, nn.Conv2d(widths[-1], 1, 3, 1, 1))


class Scales(nn.Module):
    """Discriminators of patches at the full size, half of it, and so on: a list of (B, 1, h, w) scores."""

    def __init__(self, channels: int, width: int, layers: int, scales: int):
        super().__init__()
        self.discriminators = nn.ModuleList(patch_discriminator(channels, width, layers) for _ in range(scales))

    def forward(self, samples: Tensor, inputs: Tensor) -> list[Tensor]:
        """Returns the scores of (B, ..., H, W) samples beside the inputs that they were made of."""
        pictures = torch.cat([inputs, samples], 1)
        scores = []
        for place, discriminator in enumerate(self.discriminators):
            pictures = F.avg_pool2d(pictures, 3, 2, 1, count_include_pad=False) if place else pictures
            scores.append(discriminator(pictures))
        return scores
