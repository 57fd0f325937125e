"""Features of held-out reals, computed once in a process."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from gansearch.gan.distances.estimate import Estimator

_MOST = 2
"""Sets of reals that are kept: what the fork server measures is a part of what a trial does."""


class Reals:
    """The (N, ...) features of reals, flat on the CPU, and what depends on these alone."""

    def __init__(self, features: Tensor):
        self.features = features.detach().flatten(1).cpu()
        self._noise: dict[Estimator, float] = {}

    def noise(self, estimator: Estimator) -> float:
        """The standard error of an estimate from N reals and N other reals, which goes as 1/N.

        It is half of that from N/2 and N/2, which there are.
        """
        if estimator not in self._noise:
            self._noise[estimator] = estimator(self.features[::2], self.features[1::2]).error / 2
        return self._noise[estimator]


_KEPT: OrderedDict[tuple[Any, bytes], Reals] = OrderedDict()


def reals_of(samples: Tensor | Sequence[str], features: Callable[[Any], Tensor]) -> Reals:
    """Returns the features of (N, ...) reals or N texts; those of the last two sets of reals are kept."""
    key = features, _digest(samples)
    if key not in _KEPT:
        _KEPT[key] = Reals(features(samples))
    _KEPT.move_to_end(key)
    while len(_KEPT) > _MOST:
        _KEPT.popitem(last=False)
    return _KEPT[key]


def _digest(samples: Tensor | Sequence[str]) -> bytes:
    """16 bytes that tell samples apart: their storage may be another one at each call."""
    if isinstance(samples, Tensor):
        samples = samples.detach().cpu().contiguous()
        return hashlib.blake2b(samples.numpy().data, digest_size=16, key=repr(samples.shape).encode()[:64]).digest()
    return hashlib.blake2b("\0".join(samples).encode(errors="replace"), digest_size=16).digest()
