"""A folder of pairs of pictures: one made of the other by pix2pix's networks."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.features.named import PICTURES, Features, features_named
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers.cache import Decoded
from gansearch.gan.readers.files import need
from gansearch.gan.readers.images import read_pairs
from gansearch.gan.readers.pairs import pairs_in
from gansearch.gan.split import told
from gansearch.gan.task import Task
from gansearch.gan.tasks.pair_networks import Scales, UNet

SIZES = (16, 32, 64, 128, 256)


@dataclass(eq=False)
class Pix2pix(Task):
    """Pairs of pictures, side by side or in folders A and B: B made of A, (N, 1 | 3, size, size) in [-1, 1].

    `width` are the channels of both networks at half the full size (64 in the paper), `dropout` G's, its only noise
    with `latent_dim` 0. D scores patches: each of its `layers` doubles their step, and it looks at `scales` sizes.
    """

    path: str = ""
    direction: str = "AtoB"
    """`BtoA` makes A of B."""
    size: int = 32
    colour: bool | str = "auto"
    width: int = 32
    dropout: float = 0.5
    layers: int = 2
    scales: int = 1
    latent_dim: int = 0
    features: str = "random"
    weights: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise option_error("path", "pix2pix needs a folder of pairs of pictures: task_options: {path: FOLDER}")
        one_of("direction", self.direction, ("AtoB", "BtoA"))
        one_of("size", self.size, SIZES)
        one_of("colour", self.colour, (True, False, "auto"))
        one_of("features", self.features, PICTURES)
        positive(width=self.width, layers=self.layers, scales=self.scales)
        if not 0 <= self.dropout < 1:
            raise option_error("dropout", f"must be from 0 to below 1, not {self.dropout!r}")
        if self.latent_dim < 0:
            raise option_error("latent_dim", f"must be 0 or more, not {self.latent_dim!r}")
        most = round(math.log2(self.size)) - 1  # two patches a side at the smallest size
        if self.layers + self.scales - 1 > most:
            raise option_error("layers", f"and scales together must be at most {most + 1} with a size of {self.size}")
        _ = self._features  # so that missing weights are an error before anything is trained

    @property
    def _features(self) -> Features:
        return features_named(self.features, self.weights)

    @functools.cached_property
    def pictures(self) -> Decoded:
        """The pairs, (N, 2, channels, size, size) bytes. Raises TaskError where there are too few."""
        sources = pairs_in(self.path)
        pictures = read_pairs(sources, self.size, None if self.colour == "auto" else bool(self.colour))
        need(len(pictures.samples), f"pairs of pictures {sources[0].where} can be read", "add some")
        return pictures

    @property
    def channels(self) -> int:
        """1 for grey pictures, 3 for those in colour."""
        return int(self.pictures.samples.shape[2])

    def pairs(self) -> tuple[Tensor, Tensor]:
        """Returns inputs and targets as (N, channels, size, size) bytes, memory-mapped."""
        a, b = torch.from_numpy(self.pictures.samples).unbind(1)
        return (a, b) if self.direction == "AtoB" else (b, a)

    def unpacked(self, stored: Tensor) -> Tensor:
        """Returns (B, channels, size, size) bytes as float32 in [-1, 1]."""
        return stored.float() / 127.5 - 1

    unpacked_labels = unpacked

    def generator(self) -> nn.Module:
        """Returns a network of (B, channels, size, size) inputs, behind latents if any -> as many in [-1, 1]."""
        return UNet(self.size, self.channels, self.channels, self.width, self.dropout, self.latent_dim)

    def discriminator(self) -> nn.Module:
        """Returns a network of (B, channels, size, size) samples and their inputs -> scores of patches, by scale."""
        return Scales(2 * self.channels, self.width, self.layers, self.scales)

    def conditional_quality(self, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, float]:
        """Returns the Fréchet distance of the features of inputs and samples together; and the coverage (k = 5).

        Samples that are right for another input are far, though they look like targets.
        """
        features = self._features
        found, made = features(real), features(fake)
        return {
            "distance": quality.frechet(*quality.joint(found, made, features(labels))),
            "coverage": quality.coverage(found, made),
        }

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, channels, size, size) samples as images."""
        return {"kind": "image"}

    def groups(self) -> Tensor | None:
        """Returns (N,) numbers, the same for pairs with the same input or target, held out or trained on together."""
        found = self.pictures.groups
        return None if found is None else torch.from_numpy(found)

    def warnings(self) -> list[str]:
        """Returns what the reader says of the files, and how many pairs have a picture of others."""
        return [*self.pictures.warnings, *told(self.groups(), "pairs, by input or by target,")]
