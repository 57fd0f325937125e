"""A window: exact sums over consecutive probes, and the measures that follow from them."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from gansearch.stability.measures import EPSILONS


@dataclass(frozen=True)
class Window:
    """Sums over consecutive probes, but for `step`, the last one's. Shares weigh real and fake equally."""

    step: float
    probes: float
    n_real: float
    n_fake: float
    invalid: float
    """Scores that were no finite numbers."""
    p_real: float
    p_fake: float
    separability: float
    separability_square: float
    correct_real: float
    correct_fake: float
    loss_d: float
    loss_d_square: float
    grads: float
    """Probes with the norm of G's gradient."""
    grad: float
    grad_square: float
    gaps: float
    """Probes with scores of training reals."""
    held_out_gap: float
    looks: float
    """Probes with samples."""
    apart: float
    diversity: float
    distinctness: float
    moved: float
    real_high: tuple[float, ...] = field(repr=False)
    """Reals whose probability is above 1 − ε, for each of EPSILONS; and so on."""
    real_low: tuple[float, ...] = field(repr=False)
    fake_high: tuple[float, ...] = field(repr=False)
    fake_low: tuple[float, ...] = field(repr=False)

    @classmethod
    def of(cls, row: Tensor) -> Window:
        """The window of one row of a monitor: (fields,), the numbers in the order of `FIELDS`, then the counts."""
        row = whole(row)
        counts = map(tuple, row[len(FIELDS) :].reshape(len(_COUNTS), len(EPSILONS)).tolist())
        values: list[Any] = [*row[: len(FIELDS)].tolist(), *counts]
        return cls(**dict(zip([*FIELDS, *_COUNTS], values, strict=True)))

    @classmethod
    def all_of(cls, table: Tensor) -> list[Window]:
        """The windows of a monitor's rows, (rows, fields) on the CPU."""
        return [cls.of(row) for row in table.double()]

    def __add__(self, later: Window) -> Window:
        """The window of the probes of both."""
        sums: dict[str, Any] = {
            name: tuple(map(operator.add, mine, theirs)) if isinstance(mine, tuple) else mine + theirs
            for (name, mine), theirs in zip(vars(self).items(), vars(later).values(), strict=True)
        }
        return Window(**{**sums, "step": later.step})

    def saturated_right(self, epsilon: float = 0.05) -> float:
        """Share of outputs within ε of 0 or 1 and correct."""
        i = EPSILONS.index(epsilon)
        return (self.real_high[i] / self.n_real + self.fake_low[i] / self.n_fake) / 2

    def saturated_wrong(self, epsilon: float = 0.05) -> float:
        """Share of outputs within ε of 0 or 1 and wrong."""
        i = EPSILONS.index(epsilon)
        return (self.real_low[i] / self.n_real + self.fake_high[i] / self.n_fake) / 2

    @property
    def mean_separability(self) -> float:
        """Mean over the probes."""
        return self.separability / self.probes

    @property
    def swing(self) -> float:
        """Standard deviation of the separability between probes."""
        return _deviation(self.probes, self.separability, self.separability_square)

    @property
    def mean_p_real(self) -> float:
        """Mean probability that reals are given."""
        return self.p_real / self.n_real

    @property
    def mean_p_fake(self) -> float:
        """Mean probability of real that fakes are given."""
        return self.p_fake / self.n_fake

    @property
    def accuracy_real(self) -> float:
        """Share of reals whose probability of real is above ½."""
        return self.correct_real / self.n_real

    @property
    def accuracy_fake(self) -> float:
        """Share of fakes whose probability of real is below ½."""
        return self.correct_fake / self.n_fake

    @property
    def accuracy(self) -> float:
        """Balanced accuracy at probability ½."""
        return (self.accuracy_real + self.accuracy_fake) / 2

    @property
    def grad_norm(self) -> float:
        """Mean 2-norm of G's gradient before the optimizer; NaN if it was not given."""
        return _ratio(self.grad, self.grads)

    @property
    def grad_variation(self) -> float:
        """Coefficient of variation of the generator's gradient norm between probes; NaN if it was not given."""
        if self.grads < 2 or self.grad <= 0:
            return math.nan
        return _deviation(self.grads, self.grad, self.grad_square) / self.grad_norm

    @property
    def loss_volatility(self) -> float:
        """Standard deviation between probes of D's loss, −E ln σ(real) − E ln(1−σ(fake)) on the probe itself."""
        return _deviation(self.probes, self.loss_d, self.loss_d_square)

    def mean(self, name: str) -> float:
        """Mean of "held_out_gap", "apart", "diversity", "distinctness" or "moved"; NaN where it was not given."""
        return _ratio(getattr(self, name), self.gaps if name == "held_out_gap" else self.looks)


_COUNTS = ("real_high", "real_low", "fake_high", "fake_low")
FIELDS = tuple(one.name for one in fields(Window) if one.name not in _COUNTS)
"""The numbers of a window, in the order of a monitor's row."""


def whole(rows: Tensor) -> Tensor:
    """(…, fields) rows as they are now: earlier versions had no squares, as if the probes of a row were alike."""
    if rows.shape[-1] == len(FIELDS) + len(_COUNTS) * len(EPSILONS):
        return rows
    at = FIELDS.index("separability_square")
    square = rows[..., at - 1 : at].square() / rows[..., 1:2].clamp_min(1)
    return torch.cat([rows[..., :at], square, rows[..., at:]], -1)


def _ratio(total: float, count: float) -> float:
    return total / count if count else math.nan


def _deviation(count: float, total: float, squares: float) -> float:
    return math.sqrt(max(0.0, squares / count - (total / count) ** 2))
