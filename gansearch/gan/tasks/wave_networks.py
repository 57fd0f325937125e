"""Networks of sounds that work on waveforms: WaveGAN's (Donahue et al. 2019, arXiv 1802.04208, tables 3 and 4).

They have no phase shuffle, and as many layers as the length asks for: five for the paper's 16,384 samples.
"""

from __future__ import annotations

import itertools
import math

from torch import nn

STRIDE = 4
"""Samples that a layer of G makes of one; a layer of D makes one of so many."""


def wave_generator(length: int, width: int, kernel: int, latent_dim: int) -> nn.Module:
    """Returns a network (B, latent_dim) -> (B, 1, length) in [-1, 1]; `width` channels before the last layer."""
    channels = _channels(length, width)[::-1]
    start = math.ceil(length / STRIDE ** len(channels))  # 6 to 24 samples; the paper has 16
    padding = (kernel - STRIDE + 1) // 2

    def upsample(inputs: int, outputs: int) -> nn.Module:
        output_padding = 2 * padding + STRIDE - kernel  # exactly STRIDE samples of one
        return nn.ConvTranspose1d(inputs, outputs, kernel, STRIDE, padding, output_padding)

    # Made before the first layer: a seed's weights depend on the order.
    hidden = [part for a, b in itertools.pairwise(channels) for part in (upsample(a, b), nn.ReLU())]
    return nn.Sequential(
        nn.Linear(latent_dim, channels[0] * start),
        nn.Unflatten(1, (channels[0], start)),
        nn.ReLU(),
        *hidden,
        upsample(channels[-1], 1),
        nn.ConstantPad1d((0, length - start * STRIDE ** len(channels)), 0.0),  # a negative padding cuts off
        nn.Tanh(),
    )


def wave_discriminator(length: int, width: int, kernel: int) -> nn.Module:
    """Returns a network (B, 1, length) -> (B, 1); `width` channels after the first layer."""
    channels = _channels(length, width)
    parts: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise([1, *channels]):
        parts += [nn.Conv1d(inputs, outputs, kernel, STRIDE, (kernel - 1) // 2), nn.LeakyReLU(0.2)]
        length = math.ceil(length / STRIDE)
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(channels[-1] * length, 1))


def _channels(length: int, width: int) -> list[int]:
    """The channels after each layer of D, twice as many each time; G has them the other way round."""
    return [width * 2**layer for layer in range(max(1, round(math.log(length / 12, STRIDE))))]
