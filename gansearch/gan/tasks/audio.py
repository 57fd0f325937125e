"""Sound files, music or speech, learned by networks that work on spectra or on waveforms."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.distances.named import DISTANCES, distance_told
from gansearch.gan.distances.reals import reals_of
from gansearch.gan.features.log_mel import frame_samples, log_mel
from gansearch.gan.features.named import Features, features_named
from gansearch.gan.features.pretrained import CLAP_SECONDS
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers.audio import FULL, read_pieces
from gansearch.gan.readers.cache import Decoded
from gansearch.gan.split import COPIES, told
from gansearch.gan.task import Task
from gansearch.gan.tasks.spectrum_networks import frames_of, spectrum_discriminator, spectrum_generator
from gansearch.gan.tasks.wave_networks import wave_discriminator, wave_generator

CHANNELS = 8
"""Channels of the spectrum networks at a width of 1."""
COMPARED = 1_000
"""Pieces of each kind whose spectra are compared, at most."""


@dataclass(eq=False)
class Audio(Task):
    """Sound files (wav, flac, ogg) cut into pieces: (N, 1, T) samples in [-1, 1], T = rate · seconds.

    `networks` spectrum are those of spectrum_networks, with 8 · `width` channels; wave those of wave_networks, where
    `width` is WaveGAN's d, 64 in the paper, and `kernel` the filters' length, 25 there. The defaults train on two
    cores.
    """

    path: str = ""
    rate: int = 8_000
    seconds: float = 1.0
    networks: str = "spectrum"
    width: int = 8
    kernel: int = 9
    latent_dim: int = 64
    distance: str = "frames"
    """`fad` or `kid` of CLAP's features of whole pieces, with `weights` from a folder."""
    weights: str = ""
    copies: str = "together"
    """`anywhere` is the split of results folders of formats 1 to 4, which may hold out a copy of what is trained on."""

    def __post_init__(self) -> None:
        positive(seconds=self.seconds, width=self.width, latent_dim=self.latent_dim)
        one_of("networks", self.networks, ("spectrum", "wave"))
        one_of("copies", self.copies, COPIES)
        one_of("distance", self.distance, ("frames", "fad", "kid"))
        if not 1_000 <= self.rate <= 48_000:
            raise option_error("rate", f"must be 1000 to 48000 samples a second, not {self.rate}")
        if self.kernel % 2 == 0 or self.kernel < 5:
            raise option_error("kernel", f"must be odd and at least 5, not {self.kernel}")
        least_samples = max(256, 3 * frame_samples(self.rate) // 2)  # two frames, whose pair is compared
        if self.length < least_samples:
            least = f"{least_samples / self.rate:g} at a rate of {self.rate}"
            raise option_error("seconds", f"must be at least {least}, not {self.seconds}")
        if self.distance != "frames" and self.seconds > CLAP_SECONDS:
            most = f"at most {CLAP_SECONDS:g} with distance: {self.distance}"
            raise option_error("seconds", f"must be {most}, as CLAP hears no more at once, not {self.seconds}")
        _ = self._features  # so that missing weights are an error before anything is trained

    @property
    def _features(self) -> Features | None:
        """CLAP's; None where frames are compared."""
        return None if self.distance == "frames" else features_named("clap", self.weights, self.rate)

    @property
    def length(self) -> int:
        """Samples in a piece."""
        return round(self.rate * self.seconds)

    @functools.cached_property
    def _pieces(self) -> Decoded:
        return read_pieces(self.path, self.rate, self.seconds)

    def real(self) -> Tensor:
        """Returns the pieces as (N, 1, T) 16-bit integers, memory-mapped."""
        return torch.from_numpy(self._pieces.samples)

    def unpacked(self, stored: Tensor) -> Tensor:
        """Returns (B, 1, T) 16-bit integers as float32 in [-1, 1]."""
        return stored.float() / FULL

    def groups(self) -> Tensor | None:
        """Returns (N,) numbers, the same for a piece and its copies, which are held out or trained on together."""
        found = self._pieces.groups
        return None if found is None or self.copies == "anywhere" else torch.from_numpy(found)

    def warnings(self) -> list[str]:
        """Returns what the reader says of the files, how many pieces are copies, and what replaces the distance."""
        corrected = distance_told(self, self.distance, self._features, only_if_odd=True)
        return [*self._pieces.warnings, *told(self.groups(), "pieces"), *corrected]

    def described(self) -> list[str]:
        """Returns what the distance is, and of how many samples."""
        return distance_told(self, self.distance, self._features)

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, 1, T) in [-1, 1]."""
        if self.networks == "wave":
            return wave_generator(self.length, self.width, self.kernel, self.latent_dim)
        return spectrum_generator(frames_of(self.length, self.rate), CHANNELS * self.width, self.latent_dim)

    def discriminator(self) -> nn.Module:
        """Returns a network (B, 1, T) -> (B, 1)."""
        if self.networks == "wave":
            return wave_discriminator(self.length, self.width, self.kernel)
        return spectrum_discriminator(frames_of(self.length, self.rate), CHANNELS * self.width)

    def embedding(self, samples: Tensor) -> Tensor:
        """Returns the (B, frames, bands) log-mel spectra of (B, 1, T) samples.

        Waveforms themselves say little: the same note at another phase is as far away as any other sound.
        """
        return log_mel(samples[:, 0], self.rate)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the Fréchet distance of pairs of neighbouring log-mel frames, or the one asked for, and coverage.

        `coverage` is that of whole spectrograms, with k = 5.
        """
        r, f = (self.embedding(sounds[:COMPARED]) for sounds in (real, fake))
        if features := self._features:
            measured = DISTANCES[self.distance].measure(reals_of(real, features), features(fake))
        else:
            frames = (torch.cat([s[:, :-1], s[:, 1:]], 2).flatten(0, 1) for s in (r, f))
            measured = {"distance": quality.frechet(*frames)}
        return {**measured, "coverage": quality.coverage(r, f)}

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, 1, T) samples as sound."""
        return {"kind": "audio", "rate": self.rate}
