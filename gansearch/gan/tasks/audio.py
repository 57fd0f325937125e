"""A folder of sound files, music or speech, learned by networks that work on spectra or on waveforms."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.features.log_mel import log_mel
from gansearch.gan.readers.audio import FULL, Pieces, read_pieces
from gansearch.gan.readers.files import positive, whole
from gansearch.gan.task import Task, TaskError
from gansearch.gan.tasks.spectrum_networks import frames_of, spectrum_discriminator, spectrum_generator

NETWORKS = ("spectrum", "wave")
CHANNELS = 8
"""Of spectrum, to a width of 1."""
STRIDE = 4
"""Of wave: samples that each layer makes of one, or one of so many."""
COMPARED = 1_000
"""Most pieces of each kind whose spectra are compared."""


class Audio(Task):
    """Sound files (wav, flac, ogg) cut into pieces: (N, 1, T) samples in [-1, 1], T = rate · seconds.

    `networks` spectrum are those of spectrum_networks, with 8 · `width` channels; wave are WaveGAN's (Donahue et al.
    2019, arXiv 1802.04208, tables 3 and 4), without phase shuffle and as many layers as T asks for, where `width` is d,
    64 in the paper, and `kernel` the filters' length, 25 there. The defaults train on two cores.
    """

    def __init__(
        self,
        path: str = "",
        rate: int = 8_000,
        seconds: float = 1.0,
        networks: str = "spectrum",
        width: int = 8,
        kernel: int = 9,
        latent_dim: int = 64,
    ):
        positive(seconds=seconds)
        whole(rate=rate, width=width, kernel=kernel, latent_dim=latent_dim)
        if not 1_000 <= rate <= 48_000:
            raise TaskError(
                f"task_options.rate: must be 1000 to 48000 samples a second, such as 8000 or 16000, not {rate}"
            )
        if kernel % 2 == 0 or kernel < 5:
            raise TaskError(f"task_options.kernel: must be odd and at least 5, not {kernel}")
        if networks not in NETWORKS:
            raise TaskError(f"task_options.networks: {networks!r} is not one of spectrum and wave")
        self.path, self.rate, self.seconds, self.networks = path, rate, seconds, networks
        self.width, self.kernel, self.latent_dim = width, kernel, latent_dim
        self.length = round(rate * seconds)
        if self.length < 256:
            raise TaskError(f"task_options.seconds: must be at least {256 / rate:g} at a rate of {rate}, not {seconds}")
        self.layers = max(1, round(math.log(self.length / 12, STRIDE)))
        self.start = math.ceil(self.length / STRIDE**self.layers)
        """Of wave: samples before G's first layer that stretches them: 6 to 24 (WaveGAN: 16, and 5 layers)."""

    @functools.cached_property
    def _pieces(self) -> Pieces:
        return read_pieces(self.path, self.rate, self.seconds)

    def real(self) -> Tensor:
        return self._pieces.samples

    def unpacked(self, stored: Tensor) -> Tensor:
        return stored.float() / FULL

    def warnings(self) -> list[str]:
        return self._pieces.warnings

    def generator(self) -> nn.Module:
        if self.networks == "spectrum":
            return spectrum_generator(frames_of(self.length, self.rate), CHANNELS * self.width, self.latent_dim)
        *hidden, last = itertools.pairwise([*self._channels(), 1])
        first = self._channels()[0]
        padding = (self.kernel - STRIDE + 1) // 2
        whole = (padding, 2 * padding + STRIDE - self.kernel)  # so that each layer makes exactly 4 samples of one
        layers = [
            part for a, b in hidden for part in (nn.ConvTranspose1d(a, b, self.kernel, STRIDE, *whole), nn.ReLU())
        ]
        return nn.Sequential(
            nn.Linear(self.latent_dim, first * self.start),
            nn.Unflatten(1, (first, self.start)),
            nn.ReLU(),
            *layers,
            nn.ConvTranspose1d(*last, self.kernel, STRIDE, *whole),
            Cut(self.length),
            nn.Tanh(),
        )

    def discriminator(self) -> nn.Module:
        if self.networks == "spectrum":
            return spectrum_discriminator(frames_of(self.length, self.rate), CHANNELS * self.width)
        sizes = [1, *reversed(self._channels())]
        padding = (self.kernel - 1) // 2
        layers = [
            part
            for a, b in itertools.pairwise(sizes)
            for part in (nn.Conv1d(a, b, self.kernel, STRIDE, padding), nn.LeakyReLU(0.2))
        ]
        left = self.length
        for _ in range(self.layers):
            left = math.ceil(left / STRIDE)
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(sizes[-1] * left, 1))

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """distance: Fréchet distance of pairs of neighbouring log-mel frames; coverage (k = 5) of whole spectrograms.

        Waveforms themselves say little: the same note at another phase is as far away as any other sound.
        """
        r, f = (log_mel(sounds[:COMPARED, 0], self.rate) for sounds in (real, fake))
        distance = quality.frechet(*(torch.cat([s[:, :-1], s[:, 1:]], 2).flatten(0, 1) for s in (r, f)))
        return {"distance": distance, "coverage": quality.coverage(r, f)}

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        return {"kind": "audio", "rate": self.rate}

    def _channels(self) -> list[int]:
        """Of each layer of G but the last, which has one."""
        return [self.width * 2**i for i in reversed(range(self.layers))]


class Cut(nn.Module):
    """The first `length` samples of (B, C, T)."""

    def __init__(self, length: int):
        super().__init__()
        self.length = length

    def forward(self, sounds: Tensor) -> Tensor:
        return sounds[..., : self.length]
