"""Estimates of squared distances, which may be below 0 where they have no bias."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Estimate(NamedTuple):
    """An estimate without bias."""

    value: float
    error: float
    """Its standard error."""


Estimator = Callable[[Tensor, Tensor], Estimate]
"""Compares (N, D) real with (N, D) fake features."""


def positive(value: float, noise: float) -> float:
    """Returns (value + √(value² + 4 noise²)) / 2 = noise · exp(asinh(value / (2 noise))), which grows with the value.

    It is above 0: the value itself where that is well above the noise, the standard error of an estimate whose truth
    is 0; the noise where the estimate is 0; and smaller still below. Its logarithm is the generalised one (Durbin et
    al. 2002, doi 10.1093/bioinformatics/18.suppl_1.S105), by which errors that grow with a number and errors that do
    not are alike at every size.
    """
    half = (abs(value) + math.hypot(value, 2 * noise)) / 2
    return half if value >= 0 else noise**2 / half
