"""How the fakes of each class stand to the reals of that class, for a generator that is given classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gansearch.stability.measures import distances, distinctness, diversity, energy, mean_distance

LEAST = 8
"""Reals and fakes of a class, each, from which it is measured."""
_ERRORS = 2
"""Standard errors by which fewer fakes than half way from chance to the reals are of their class where they miss it."""


@dataclass(frozen=True)
class ClassRuling:
    """The measures of the fakes of one class, as `Ruling` has them of all."""

    label: int
    name: str
    """As messages say it; its number where it has no other."""
    count: int
    """The smaller number of its reals and of its fakes."""
    apart: float
    diversity: float
    distinctness: float
    hits: float
    """Share of its fakes whose nearest real is of the class."""
    expected: float
    """The same of its reals, with the other reals."""
    chance: float
    """Share of the class among all reals."""

    @property
    def misses(self) -> bool:
        """Whether the fakes are hardly more often of their class than if G did not know it, where reals are."""
        half = (self.expected + self.chance) / 2
        return self.hits + _ERRORS * math.sqrt(half * (1 - half) / self.count) < half


def by_class(
    real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor, names: Sequence[str] = ()
) -> list[ClassRuling]:
    """The rulings on the classes of (N, ...) reals and (M, ...) fakes that both have enough of.

    Labels are (N,) and (M,) whole numbers, and `names` what these stand for, if anything. All on one device.
    """
    among_real, among_fake, between = distances(real), distances(fake), distances(fake, real)
    others = among_real.clone().fill_diagonal_(math.inf).argmin(1)
    right_real, right_fake = real_labels[others] == real_labels, real_labels[between.argmin(1)] == fake_labels
    rulings = []
    for label in real_labels.unique().tolist():
        reals, fakes = (labels == label for labels in (real_labels, fake_labels))
        count = min(int(reals.sum()), int(fakes.sum()))
        if count < LEAST:
            continue
        own_real, own_fake = among_real[reals][:, reals], among_fake[fakes][:, fakes]
        apart = energy(between[fakes][:, reals].mean(), mean_distance(own_real), mean_distance(own_fake))
        ruling = ClassRuling(
            label=label,
            name=str(names[label]) if label < len(names) else str(label),
            count=count,
            apart=math.sqrt(float(apart)),
            diversity=float(diversity(own_real, own_fake)),
            distinctness=float(distinctness(own_real[:count, :count], own_fake[:count, :count])),
            hits=float(right_fake[fakes].float().mean()),
            expected=float(right_real[reals].float().mean()),
            chance=float(reals.float().mean()),
        )
        rulings.append(ruling)
    return rulings


def within(rulings: Sequence[ClassRuling]) -> float:
    """How far fakes are from the reals of their class, in [0, 1]: the root of the mean energy coefficient, 0 of none.

    Classes weigh as many samples as they have.
    """
    total = sum(one.count for one in rulings)
    return math.sqrt(sum(one.count * one.apart**2 for one in rulings) / total) if total else 0.0
