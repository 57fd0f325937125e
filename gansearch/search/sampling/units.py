"""Values of Optuna's distributions as numbers from 0 to 1, and back.

A range of whole numbers or of steps is widened by half a step at each end, as Optuna's samplers widen it: each of its
values has an equal share of the numbers, on the logarithm the one that it has there.
"""

from __future__ import annotations

import math
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


def to_unit(dist: BaseDistribution, value: float) -> float:
    """Return where a number lies in its range, on the logarithm where that is searched."""
    assert isinstance(dist, FloatDistribution | IntDistribution)
    if dist.single():
        return 0.5
    low, high = _ends(dist)
    return ((math.log(value) if dist.log else value) - low) / (high - low)


def from_unit(dist: BaseDistribution, unit: float) -> Any:
    """Return the value at a place in its range, rounded to its step; of choices the one there."""
    unit = min(max(unit, 0.0), 1.0)
    if isinstance(dist, CategoricalDistribution):
        return dist.choices[min(int(unit * len(dist.choices)), len(dist.choices) - 1)]
    assert isinstance(dist, FloatDistribution | IntDistribution)
    low, high = _ends(dist)
    value = low + unit * (high - low)
    return _allowed(dist, math.exp(value) if dist.log else value)


def nearest_value(dist: BaseDistribution, value: Any) -> Any:
    """Return the allowed value that is nearest to one that may be outside; the first choice where none is like it."""
    if isinstance(dist, CategoricalDistribution):
        if value in dist.choices:
            return value
        numbers = [n for n in dist.choices if isinstance(n, int | float) and isinstance(value, int | float)]
        return min(numbers, key=lambda n: abs(n - value), default=dist.choices[0])
    return _allowed(dist, value)


def holds(dist: BaseDistribution, value: Any) -> bool:
    """Return whether a distribution holds a value, or has numbers among its choices that may be near it."""
    if not isinstance(dist, FloatDistribution | IntDistribution):
        numbers = any(isinstance(choice, int | float) for choice in dist.choices)  # type: ignore[attr-defined]
        return value is not None and (value in dist.choices or (numbers and isinstance(value, int | float)))  # type: ignore[attr-defined]
    return isinstance(value, int | float) and dist.low <= value <= dist.high


def _ends(dist: FloatDistribution | IntDistribution) -> tuple[float, float]:
    """Return what 0 and 1 stand for, as logarithms where these are searched."""
    half = (dist.step or 0) / 2
    low, high = dist.low - half, dist.high + half
    return (math.log(low), math.log(high)) if dist.log else (low, high)


def _allowed(dist: BaseDistribution, value: float) -> float | int:
    assert isinstance(dist, FloatDistribution | IntDistribution)
    if dist.step is not None:
        value = dist.low + round((value - dist.low) / dist.step) * dist.step
    value = min(max(value, dist.low), dist.high)
    return int(value) if isinstance(dist, IntDistribution) else float(value)
