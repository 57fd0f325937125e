"""A folder of the user's own pictures."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.features import inception
from gansearch.gan.features.random_network import features_of
from gansearch.gan.readers.datasets import in_hugging_face, in_torchvision
from gansearch.gan.readers.files import need, whole
from gansearch.gan.readers.images import Pictures, Source, in_folder, read_pictures
from gansearch.gan.task import Task, TaskError
from gansearch.gan.tasks import image_networks

NETWORKS = ("dcgan", "resnet")
FEATURES = {"random": features_of, "inception": inception.inception_features}
_NAMED = {"torchvision": in_torchvision, "hf": in_hugging_face}
"""What a path may begin with, before a colon."""


class Images(Task):
    """Pictures below a folder, centre-cropped and resized: (N, 1 | 3, size, size) in [-1, 1].

    `path` is the folder, or a data set by its name, `torchvision:CIFAR10` or `hf:NAME`; `size` 16, 32, 64 or 128
    pixels, `colour` true, false or auto, `networks` dcgan or resnet (SNGAN's), and `width` their channels at half the
    full size. `features` random or inception are what distances are measured on.
    """

    def __init__(
        self,
        path: str = "",
        size: int = 32,
        colour: bool | str = "auto",
        networks: str = "dcgan",
        width: int = 32,
        latent_dim: int = 64,
        features: str = "random",
    ):
        if not path:
            raise TaskError("task_options.path: images needs a folder of pictures: task_options: {path: FOLDER}")
        if size not in image_networks.SIZES:
            raise TaskError(f"task_options.size: {size!r} is not one of 16, 32, 64 and 128 pixels")
        if colour not in (True, False, "auto"):
            raise TaskError(f"task_options.colour: {colour!r} is not one of true, false and auto")
        if networks not in NETWORKS:
            raise TaskError(f"task_options.networks: {networks!r} is not one of dcgan and resnet")
        if features not in FEATURES:
            raise TaskError(f"task_options.features: {features!r} is not one of {' and '.join(FEATURES)}")
        if features == "inception":
            inception.network()  # what is missing for it is told before anything is trained
        whole(width=width, latent_dim=latent_dim)
        self.path, self.size, self.networks, self.width, self.latent_dim = path, size, networks, width, latent_dim
        self.features = FEATURES[features]
        self.colour = None if colour == "auto" else bool(colour)

    @functools.cached_property
    def pictures(self) -> Pictures:
        """Read when they are needed first."""
        found = read_pictures(self._source, self.size, self.colour)
        need(len(found.pixels), f"pictures {self._source.where} can be read", "add some")
        return found

    @functools.cached_property
    def _source(self) -> Source:
        kind, _, name = self.path.partition(":")
        return _NAMED[kind](name) if kind in _NAMED else in_folder(self.path)

    @property
    def channels(self) -> int:
        return int(self.pictures.pixels.shape[1])

    def real(self) -> Tensor:
        return torch.from_numpy(self.pictures.pixels)

    def unpacked(self, stored: Tensor) -> Tensor:
        return stored.float() / 127.5 - 1

    def generator(self) -> nn.Module:
        make = image_networks.dcgan_generator if self.networks == "dcgan" else image_networks.resnet_generator
        return make(self.size, self.channels, self.width, self.latent_dim)

    def discriminator(self) -> nn.Module:
        make = image_networks.dcgan_discriminator if self.networks == "dcgan" else image_networks.resnet_discriminator
        return make(self.size, self.channels, self.width)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """distance: Fréchet distance of features, by inception the FID; coverage (k = 5) in the same features."""
        real_features, fake_features = (self.features(images) for images in (real, fake))
        return {
            "distance": quality.frechet(real_features, fake_features),
            "coverage": quality.coverage(real_features, fake_features),
        }

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        return {"kind": "image"}

    def warnings(self) -> list[str]:
        found = self.pictures
        if not found.skipped:
            return []
        total = found.skipped + len(found.pixels)
        more = ", …" if found.skipped > len(found.examples) else ""
        return [
            f"{found.skipped:,} of the {total:,} pictures {self._source.where} cannot be read and "
            f"{'is' if found.skipped == 1 else 'are'} left out: {', '.join(found.examples)}{more}"
        ]
