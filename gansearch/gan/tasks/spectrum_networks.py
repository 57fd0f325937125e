"""Networks of sounds that work on spectra: G makes waveforms of its spectra, D computes the spectra of waveforms.

G's convolutions give the loudness and the phase of every bin of every frame, which a fixed inverse transform turns into
sound (iSTFTNet, Kaneko et al. 2022, arXiv 2203.02395; Vocos, Siuzdak 2023, arXiv 2306.00814). As in Vocos they run over
time, with the bins as channels. Phases are relative to each bin's own frequency, as in GANSynth (Engel et al. 2019,
arXiv 1902.08710). D sees logarithms of the power (SpecGAN in Donahue et al. 2019, arXiv 1802.04208).
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gansearch.gan.features.log_mel import FLOOR, frame_samples

LOUDNESS = (-6.0, 0.5)
"""Natural logarithms of the least and the largest amplitude that G can give a bin; a full sine's is 0."""
PHASE_STEP = 0.3
"""Radians a frame that an output of 1 stands for: small, so that neighbouring frames agree before training.

Frames that do not agree cancel out: G's loudness is then not what D sees, and G learns little.
"""


class Frames(NamedTuple):
    """How `length` samples are cut into `number` frames of `size` samples, a power of 2, which overlap by half."""

    length: int
    size: int
    number: int
    layers: int
    """Layers of a network, each of which doubles or halves the frames."""

    @property
    def hop(self) -> int:
        """Samples between the starts of neighbouring frames."""
        return self.size // 2

    @property
    def bins(self) -> int:
        """Frequencies from 0 up to half the rate, which itself is left out."""
        return self.size // 2

    @property
    def start(self) -> int:
        """Frames at the narrow end of the networks."""
        return self.number // 2**self.layers

    @property
    def ends(self) -> tuple[int, int]:
        """Samples of the frames that lie before the sound, and after it."""
        beyond = (self.number - 1) * self.hop + self.size - self.length
        return beyond // 2, beyond - beyond // 2


def frames_of(length: int, rate: int) -> Frames:
    """Returns frames of about 32 ms that exceed a sound of `length` samples by at least a quarter at each end."""
    size = min(frame_samples(rate), 2 ** int(math.log2(length)))
    least = math.ceil((length - size / 2) / (size / 2)) + 1
    layers = max(1, round(math.log2(least / 4)))
    return Frames(length, size, 2**layers * math.ceil(least / 2**layers), layers)


def spectrum_generator(frames: Frames, channels: int, latent_dim: int) -> nn.Module:
    """Returns a network (B, latent_dim) -> (B, 1, T) in [-1, 1]."""
    parts: list[nn.Module] = [nn.Linear(latent_dim, channels * frames.start), nn.Unflatten(1, (channels, frames.start))]
    for _ in range(frames.layers):
        parts += [nn.BatchNorm1d(channels), nn.ReLU(), nn.ConvTranspose1d(channels, channels, 4, 2, 1)]
    parts += [nn.BatchNorm1d(channels), nn.ReLU(), nn.Conv1d(channels, 2 * frames.bins, 1)]
    return nn.Sequential(*parts, nn.Unflatten(1, (2, frames.bins)), Sound(frames))


def spectrum_discriminator(frames: Frames, channels: int) -> nn.Module:
    """Returns a network (B, 1, T) -> (B, 1)."""
    sizes = [frames.bins, *[channels] * frames.layers]
    parts = [part for a, b in itertools.pairwise(sizes) for part in (nn.Conv1d(a, b, 4, 2, 1), nn.LeakyReLU(0.2))]
    return nn.Sequential(
        Spectrum(frames), nn.Flatten(1, 2), *parts, nn.Flatten(), nn.Linear(channels * frames.start, 1)
    )


class Sound(nn.Module):
    """(B, 2, bins, frames) of loudness and phase -> (B, 1, T) in [-1, 1]."""

    window: Tensor
    weight: Tensor
    turns: Tensor

    def __init__(self, frames: Frames):
        super().__init__()
        self.frames = frames
        window = torch.hann_window(frames.size)
        weight = _added(window.square().expand(frames.number, -1), frames)
        # The phase of a sine at a bin's frequency where each frame begins; bins beside each other agree in its middle.
        turns = math.pi * (torch.arange(frames.bins)[:, None] * (1 + torch.arange(frames.number)) % 2)
        for name, tensor in {"window": window, "weight": weight, "turns": turns}.items():
            self.register_buffer(name, tensor.clone(), persistent=False)  # torch.export warns of parts of tensors

    def forward(self, picture: Tensor) -> Tensor:
        """Returns (B, 1, T) sounds in [-1, 1]."""
        loudness, phase = picture.unbind(-3)
        low, high = LOUDNESS
        amplitude = self.frames.size / 4 * ((high - low) / 2 * loudness.tanh() + (high + low) / 2).exp()
        bins = torch.polar(amplitude, PHASE_STEP * phase.cumsum(-1) + self.turns)
        pieces = torch.fft.irfft(F.pad(bins, (0, 0, 0, 1)).transpose(-1, -2)) * self.window
        sound = (_added(pieces, self.frames) / self.weight)[..., None, :]
        return sound / sound.abs().amax(-1, keepdim=True).clamp_min(1)


class Spectrum(nn.Module):
    """(B, 1, T) in [-1, 1] -> (B, 1, bins, frames), logarithms of the power: -1 is silence, 1 a full sine."""

    window: Tensor

    def __init__(self, frames: Frames):
        super().__init__()
        self.frames = frames
        self.register_buffer("window", torch.hann_window(frames.size).clone(), persistent=False)

    def forward(self, sounds: Tensor) -> Tensor:
        """Returns (B, 1, bins, frames) spectra."""
        size = self.frames.size
        pieces = F.pad(sounds, self.frames.ends).unfold(-1, size, self.frames.hop) * self.window
        bins = torch.fft.rfft(pieces)[..., :-1]
        power = (bins.real.square() + bins.imag.square()) * (4 / size) ** 2
        return 1 - 2 * (power + FLOOR).log().transpose(-1, -2) / math.log(FLOOR)


def _added(pieces: Tensor, frames: Frames) -> Tensor:
    """(..., frames, size) pieces that overlap by half -> their sum, (..., T)."""
    first, second = pieces.unflatten(-1, (2, frames.hop)).unbind(-2)
    both = F.pad(first, (0, 0, 0, 1)) + F.pad(second, (0, 0, 1, 0))
    before = frames.ends[0]
    return both.flatten(-2)[..., before : before + frames.length]
