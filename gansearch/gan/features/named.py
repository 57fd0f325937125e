"""Features by the names of the networks that compute them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from gansearch.gan.features import inception, pretrained, random_network
from gansearch.gan.options import one_of, option_error

PICTURES = ("random", "inception", "clip", "dinov2")
NAMES = (*PICTURES, "clap")


@dataclass(frozen=True, eq=False)
class Features:
    """(N, ...) samples -> (N, width) features on the CPU."""

    name: str
    width: int
    of: Callable[[Tensor], Tensor]

    def __call__(self, samples: Tensor) -> Tensor:
        """Returns (N, width) features."""
        return self.of(samples)


@functools.cache
def features_named(name: str, weights: str = "", rate: int = 0) -> Features:
    """Returns features with their network, the same object in a process.

    `weights` is a file (inception) or a folder (the others), or empty for those in the library's cache; `rate` is that
    of sounds, for clap. Raises TaskError where the package or the weights are missing.
    """
    one_of("features", name, NAMES)
    if name == "random":
        if weights:
            raise option_error("weights", "random features have none")
        return Features(name, random_network.FEATURES, random_network.features_of)
    if name == "inception":
        inception.network(weights)
        return Features(name, inception.WIDTH, functools.partial(inception.inception_features, weights=weights))
    network = pretrained.network(name, weights)
    of = functools.partial(pretrained.sound_features, rate=rate) if name == "clap" else pretrained.picture_features
    return Features(name, network.width, functools.partial(of, network=network))
