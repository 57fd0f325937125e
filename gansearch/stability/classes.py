"""How the fakes of each class stand to the reals of that class, for a generator that is given classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from gansearch.stability.measures import distances, diversity, energy, mean_distance

LEAST = 8
"""Reals and fakes of a class, each, from which it is measured."""


@dataclass(frozen=True)
class ClassRuling:
    """The measures of the fakes of one class, as `Ruling` has them of all."""

    label: int
    count: int
    """The smaller number of its reals and of its fakes."""
    apart: float
    diversity: float


def by_class(real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor) -> list[ClassRuling]:
    """The rulings on the classes of (N, ...) reals and (M, ...) fakes that both have enough of.

    Labels are (N,) and (M,) whole numbers. All on one device.
    """
    rulings = []
    for label in real_labels.unique().tolist():
        reals, fakes = real[real_labels == label], fake[fake_labels == label]
        count = min(len(reals), len(fakes))
        if count < LEAST:
            continue
        among_real, among_fake = distances(reals), distances(fakes)
        within = mean_distance(among_real), mean_distance(among_fake)
        apart = math.sqrt(float(energy(distances(reals, fakes).mean(), *within)))
        rulings.append(ClassRuling(int(label), count, apart, float(diversity(among_real, among_fake))))
    return rulings
