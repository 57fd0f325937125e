"""A folder of a user's pictures, or a data set of pictures by its name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.distances.named import NETWORKS, chosen, distance_told
from gansearch.gan.distances.reals import Reals, reals_of
from gansearch.gan.features.named import PICTURES, Features, features_named
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers import classes
from gansearch.gan.readers.cache import Decoded
from gansearch.gan.readers.classes import CONDITIONS, classes_of
from gansearch.gan.readers.datasets import in_hugging_face, in_torchvision
from gansearch.gan.readers.files import need
from gansearch.gan.readers.images import Source, in_folder, read_pictures
from gansearch.gan.readers.walk import listed
from gansearch.gan.split import COPIES, told
from gansearch.gan.task import Task
from gansearch.gan.tasks import image_networks
from gansearch.gan.tasks.conditional_networks import Conditioned, Projection

GENERATORS = {"dcgan": image_networks.dcgan_generator, "resnet": image_networks.resnet_generator}
DISCRIMINATORS = {"dcgan": image_networks.dcgan_discriminator, "resnet": image_networks.resnet_discriminator}
DISTANCES = ("auto", "plain_frechet", "frechet", "kid", "fid", "cmmd", "fd_dinov2")
_EMBEDDED = 64
"""Most numbers that a generator learns for a class."""
_BY_NAME = {"torchvision": in_torchvision, "hf": in_hugging_face}
"""What a path may begin with, before a colon."""


@dataclass(eq=False)
class Images(Task):
    """Pictures below a folder, centre-cropped and resized: (N, 1 | 3, size, size) in [-1, 1].

    `path` is the folder, or a data set by its name, `torchvision:CIFAR10` or `hf:NAME`; `size` 16, 32, 64 or 128
    pixels, `colour` true, false or auto, `networks` dcgan or resnet (SNGAN's), and `width` their channels at half the
    full size. `distance` is one of DISTANCES, on the `features` of a network, with `weights` from a file or a folder.

    With `condition: folders` both networks are given the picture's class, the sub-folder that it lies in, and with
    `condition: labels` that of its data set: G beside its latent, D by projection (Miyato & Koyama 2018).
    """

    path: str = ""
    size: int = 32
    colour: bool | str = "auto"
    networks: str = "dcgan"
    width: int = 32
    latent_dim: int = 64
    features: str = "random"
    distance: str = "auto"
    weights: str = ""
    condition: str = "none"
    copies: str = "together"
    """`anywhere` is the split of results folders of formats 1 to 4, which may hold out a copy of what is trained on."""

    def __post_init__(self) -> None:
        if not self.path:
            raise option_error("path", "images needs a folder of pictures: task_options: {path: FOLDER}")
        one_of("size", self.size, image_networks.SIZES)
        one_of("colour", self.colour, (True, False, "auto"))
        one_of("networks", self.networks, GENERATORS)
        one_of("features", self.features, PICTURES)
        one_of("distance", self.distance, DISTANCES)
        if self.features not in ("random", network := NETWORKS.get(self.distance, self.features)):
            raise option_error("features", f"{self.distance} is measured on those of {network}, not {self.features}")
        one_of("condition", self.condition, CONDITIONS)
        one_of("copies", self.copies, COPIES)
        positive(width=self.width, latent_dim=self.latent_dim)
        _ = self._features  # so that missing weights are an error before anything is trained

    @property
    def _features(self) -> Features:
        return features_named(NETWORKS.get(self.distance, self.features), self.weights)

    @functools.cached_property
    def _source(self) -> Source:
        kind, _, name = self.path.partition(":")
        return _BY_NAME[kind](name) if kind in _BY_NAME else in_folder(self.path)

    @functools.cached_property
    def pictures(self) -> Decoded:
        """The pictures, read when they are needed first. Raises TaskError where there are too few."""
        pictures = read_pictures(self._source, self.size, None if self.colour == "auto" else bool(self.colour))
        need(len(pictures.samples), f"pictures {self._source.where} can be read", "add some")
        return pictures

    @functools.cached_property
    def _classes(self) -> tuple[list[str], np.ndarray]:
        """The names of the classes, and the number of each picture's; none without a condition."""
        if self.condition == "none":
            return [], np.empty(0, np.int64)
        every, lost = classes_of(self._source, self.condition), set(self.pictures.left_out)
        names, numbers = np.unique([one for i, one in enumerate(every) if i not in lost], return_inverse=True)
        return names.tolist(), numbers

    @property
    def channels(self) -> int:
        """1 for grey pictures, 3 for those in colour."""
        return int(self.pictures.samples.shape[1])

    def real(self) -> Tensor:
        """Returns the pictures as (N, channels, size, size) bytes, memory-mapped."""
        return torch.from_numpy(self.pictures.samples)

    def unpacked(self, stored: Tensor) -> Tensor:
        """Returns (B, channels, size, size) bytes as float32 in [-1, 1]."""
        return stored.float() / 127.5 - 1

    def labels(self) -> Tensor | None:
        """Returns the (N,) numbers of the pictures' classes, where these are the condition."""
        names, numbers = self._classes
        return torch.from_numpy(numbers) if names else None

    def class_names(self) -> list[str]:
        """Returns the names of the folders, or those that the data set has."""
        return self._classes[0]

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim), and (B,) classes if any -> (B, channels, size, size) in [-1, 1]."""
        count = len(self._classes[0])
        learned = min(count, _EMBEDDED)
        network = GENERATORS[self.networks](self.size, self.channels, self.width, self.latent_dim + learned)
        return Conditioned(network, count, learned) if count else network

    def discriminator(self) -> nn.Module:
        """Returns a network (B, channels, size, size), and (B,) classes if any -> (B, 1)."""
        count = len(self._classes[0])
        network = DISCRIMINATORS[self.networks](self.size, self.channels, self.width)
        return Projection(network, count) if count else network

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the distance, and the coverage (k = 5) in the same features."""
        features = self._features
        reals, made = reals_of(real, features), features(fake)
        measured = chosen(self.distance, features.name, len(real)).measure(reals, made)
        return {**measured, "coverage": quality.coverage(reals.features, made)}

    def conditional_quality(self, real: Tensor, fake: Tensor, labels: Tensor) -> dict[str, float]:
        """Returns the same, but the distance of features beside the classes, as the Fréchet joint distance is."""
        features = self._features
        reals, made = reals_of(real, features), features(fake)
        joint = quality.joint(reals.features, made.flatten(1).cpu(), labels)
        measured = chosen(self.distance, features.name, len(real)).measure(Reals(joint[0]), joint[1])
        return {**measured, "coverage": quality.coverage(reals.features, made)}

    def shown(self, samples: np.ndarray) -> dict[str, Any]:
        """Describes (N, channels, size, size) samples as images."""
        return {"kind": "image"}

    def groups(self) -> Tensor | None:
        """Returns (N,) numbers, the same for a picture and its copies, which are held out or trained on together."""
        found = self.pictures.groups
        return None if found is None or self.copies == "anywhere" else torch.from_numpy(found)

    def warnings(self) -> list[str]:
        """Returns what the reader says of the files, of copies and of small classes, and what replaces the distance."""
        names, numbers = self._classes
        few = classes.told([names[number] for number in numbers])
        corrected = distance_told(self, self.distance, self._features, only_if_odd=True)
        return [*self.pictures.warnings, *told(self.groups(), "pictures"), *few, *corrected]

    def described(self) -> list[str]:
        """Returns how many pictures the classes have, if there are any, what the distance is, and of how many."""
        names, numbers = self._classes
        counts = [f"{name} ({count:,})" for name, count in zip(names, np.bincount(numbers).tolist(), strict=True)]
        told_of = [f"{len(names):,} classes: {listed(counts)}"] if names else []
        return [*told_of, *distance_told(self, self.distance, self._features)]
