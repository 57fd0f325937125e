"""Spectra of sounds, on the scale of pitches that people hear."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

BANDS = 32
FRAME_SECONDS = 0.032
"""Length of a frame, about; it is rounded to a power of 2 of samples."""
FLOOR = 1e-5
"""Power that is added to each band or bin: 50 dB below a full sine, so that quieter sounds make no difference."""


def log_mel(sounds: Tensor, rate: int, bands: int = BANDS) -> Tensor:
    """Returns (N, frames, bands) natural logarithms of the power in mel bands of (N, T) sounds in [-1, 1].

    `rate` is in samples a second. Frames of about 32 ms overlap by half, under a Hann window. The power of a sine of
    amplitude 1 is 1 in all bands together, or a little more.
    """
    size = min(frame_samples(rate), sounds.shape[-1])
    window = torch.hann_window(size, device=sounds.device)
    bins = torch.stft(sounds, size, size // 2, window=window, center=False, return_complex=True)
    power = 4 * bins.abs().square() / window.sum() ** 2
    return (power.transpose(1, 2) @ mel_filters(size, rate, bands, sounds.device) + FLOOR).log()


def frame_samples(rate: int) -> int:
    """Returns the samples in a frame, at `rate` samples a second."""
    return 2 ** round(math.log2(FRAME_SECONDS * rate))


@functools.cache
def mel_filters(size: int, rate: int, bands: int, device: torch.device) -> Tensor:
    """Returns (size // 2 + 1, bands) weights on the device: triangles whose corners are evenly spread in mel.

    mel = 2595 log₁₀(1 + f/700), f in Hz (O'Shaughnessy 1987); `rate` is in samples a second. A triangle narrower than a
    bin takes the share of the nearest ones.
    """
    top = 2595 * torch.tensor(1 + rate / 2 / 700).log10()
    corners = 700 * (10 ** (torch.linspace(0, float(top), bands + 2) / 2595) - 1)
    width = rate / size
    frequencies = torch.arange(size // 2 + 1)[:, None] * width
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies - low) / (middle - low).clamp_min(width)
    falling = (high - frequencies) / (high - middle).clamp_min(width)
    return torch.minimum(rising, falling).clamp(0, 1).to(device)
