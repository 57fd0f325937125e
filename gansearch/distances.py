"""Distances for a class's `quality`, in a line: `return gansearch.distances.kid(real, fake, features="dinov2")`.

Each takes held-out reals and as many fakes, and returns {"distance": above 0, smaller is better, ...}, with the
estimate and its standard error beside it. docs/distances.md says which to take.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansearch.gan.distances.named import DISTANCES
from gansearch.gan.distances.reals import reals_of
from gansearch.gan.distances.tables import sdmetrics
from gansearch.gan.distances.texts import mauve
from gansearch.gan.features.named import features_named

__all__ = ["cmmd", "fad", "fd_dinov2", "fid", "frechet", "kid", "mauve", "sdmetrics"]

FeaturesLike = str | Callable[[Tensor], Tensor] | None
"""A network by its name (random, inception, clip, dinov2), a function (N, ...) -> (N, D), or None: the samples."""


def kid(real: Tensor, fake: Tensor, features: FeaturesLike = "inception", weights: str = "") -> dict[str, float]:
    """Returns the KID of (N, ...) samples, without bias at any N, on any features. Raises TaskError."""
    return _measured("kid", real, fake, features, weights)


def fid(real: Tensor, fake: Tensor, weights: str = "") -> dict[str, float]:
    """Returns the FID of (N, 1 | 3, H, W) images in [-1, 1]; below 5,000 FID∞, below 4,096 TaskError."""
    return _measured("fid", real, fake, "inception", weights)


def fd_dinov2(real: Tensor, fake: Tensor, weights: str = "") -> dict[str, float]:
    """Returns the Fréchet distance of images on DINOv2's features, corrected below 5,000. Raises TaskError."""
    return _measured("fd_dinov2", real, fake, "dinov2", weights)


def cmmd(real: Tensor, fake: Tensor, weights: str = "") -> dict[str, float]:
    """Returns CMMD of images on CLIP's features, without bias at any N. Raises TaskError."""
    return _measured("cmmd", real, fake, "clip", weights)


def fad(real: Tensor, fake: Tensor, rate: int, weights: str = "") -> dict[str, float]:
    """Returns the Fréchet audio distance of (N, 1, T) sounds at `rate` samples a second, on CLAP's features.

    Corrected below 5,000 sounds. Raises TaskError.
    """
    return _measured("fad", real, fake, features_named("clap", weights, rate))


def frechet(real: Tensor, fake: Tensor, features: FeaturesLike = None, weights: str = "") -> dict[str, float]:
    """Returns the Fréchet distance of (N, ...) samples on any features; as `fid` it is corrected or refused."""
    return _measured("frechet", real, fake, features, weights)


def _measured(name: str, real: Tensor, fake: Tensor, features: FeaturesLike, weights: str = "") -> dict[str, float]:
    features = torch.Tensor.float if features is None else features
    of = features_named(features, weights) if isinstance(features, str) else features
    count = min(len(real), len(fake))
    with torch.no_grad():
        return DISTANCES[name].measure(reals_of(real[:count], of), of(fake[:count]))
