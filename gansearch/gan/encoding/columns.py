"""Encodes the columns of a table for a GAN, each as what it is, and decodes them to values such as the table has.

A column is a choice (one-hot), a number (the normal quantile of its rank), or both: where single values hold much of a
number's mass, a choice between these and the continuum stands beside the number, which is 0 unless the continuum is
chosen. Equal numbers get a random rank within their tie, anew each time that a row is drawn: a network makes no ties,
and would be known by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gansearch.gan.encoding.forms import Form, Ordered
from gansearch.gan.encoding.functions import DECIMALS, REPEATS, decimals_of, plain

MASS = 0.05
"""Share of the rows from which a single number may be a choice beside the others."""
_MASS_RATIO = 5
"""How many times the median share of the column's numbers it must have for that."""
_MARGIN = 0.4
"""Part of a row's rank on either side of a value that is for the values between it and its neighbours."""
CODES = 3
"""Numbers of a stored row for each column: its choice (-1: none), and the lowest and highest rank of its number."""


class Ranks:
    """Numbers as ranks in (0, 1), and back to numbers that were seen, or to the grid that they are on.

    Only numbers seen are decoded where each occurs 5 times on average. Others lie on the grid of the greatest common
    divisor of their differences, at up to 9 decimals, or else anywhere in the range.
    """

    def __init__(self, numbers: np.ndarray, seen: bool = False):
        self.values, counts = np.unique(numbers, return_counts=True)
        self.seen = seen or len(numbers) >= REPEATS * len(self.values)
        ends, margin, limit = np.cumsum(counts), 0.0 if self.seen else _MARGIN, 0.5 / len(numbers)
        self._edges = np.stack([ends - counts + margin, ends - margin]) / len(numbers)
        self.low, self.high = np.clip(self._edges + np.array([[0.1], [-0.1]]) * limit, limit, 1 - limit)
        decimals = decimals_of(self.values)
        self.step = None if decimals is None else self._divisor(decimals)

    def _divisor(self, decimals: int) -> float:
        differences = np.diff((self.values * 10**decimals).round().astype(np.int64))
        return float(np.gcd.reduce(differences) / 10**decimals) if len(differences) else 1.0

    def encode(self, numbers: np.ndarray) -> np.ndarray:
        """(N, 2) lowest and highest ranks of N numbers; those of the nearest where one was not seen."""
        middles = (self.values[:-1] + self.values[1:]) / 2
        nearest = np.searchsorted(middles, numbers)
        return np.stack([self.low[nearest], self.high[nearest]], 1)

    def decode(self, ranks: np.ndarray) -> np.ndarray:
        """(N,) numbers of (N,) ranks."""
        if self.seen:
            return self.values[np.searchsorted(self._edges[1, :-1], ranks, side="right")]
        numbers = np.interp(ranks, self._edges.T.flatten(), self.values.repeat(2))
        if self.step is None:
            return numbers
        first = self.values[0]
        return (first + ((numbers - first) / self.step).round() * self.step).round(DECIMALS)


class Column:
    """A column that is learned: `choices` places for its choices, then one for its number where `ranks` are given."""

    def __init__(self, name: str, form: Form | None, values: pd.Series, is_choice: bool):
        """`form` is None for a choice of texts; `is_choice` makes numbers one too."""
        self.name, self.form, self.ranks = name, form, None
        self.values: list[Any] = []
        """What can be chosen, as written; without those that the number is."""
        if form is None or is_choice:
            present = plain(values.dropna().drop_duplicates().sort_values())
            self.values = present + [None] * bool(values.isna().any())
            return
        numbers = form.numbers(values)
        found, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
        heavy = counts >= max(MASS * len(numbers), _MASS_RATIO * np.median(counts))
        masses = [*found[heavy], *(odd for odd in (-np.inf, np.inf) if (numbers == odd).any())]
        masses += [np.nan] * bool(np.isnan(numbers).any())
        self.values = form.write(np.array(masses))
        self._masses = np.array(masses)
        self.shares = [float(_is(numbers, mass).mean()) for mass in masses]
        continuum = numbers[np.isfinite(numbers) & ~np.isin(numbers, found[heavy])]
        self.ranks = Ranks(continuum, seen=isinstance(form, Ordered))

    @property
    def choices(self) -> int:
        """Places of the choices; of those beside a number the first means the number."""
        return len(self.values) + bool(self.values and self.ranks)

    @cached_property
    def _codes(self) -> dict[Any, int]:
        return {value: code for code, value in enumerate(self.values)}

    def encode(self, values: pd.Series) -> np.ndarray:
        """(N, 3) choices, and lowest and highest ranks, of N values."""
        stored = np.full((len(values), CODES), 0.5)
        if self.ranks is None:
            stored[:, 0] = [self._codes[value] for value in plain(values)]
            return stored
        assert self.form is not None
        numbers = self.form.numbers(values)
        stored[:, 0] = 0 if self.values else -1
        for code, mass in enumerate(self._masses, 1):
            stored[_is(numbers, mass), 0] = code
        free = stored[:, 0] <= 0
        stored[free, 1:] = self.ranks.encode(numbers[free])
        return stored

    def decode(self, block: np.ndarray) -> list[Any]:
        """The N values, as written, of (N, choices + 1 where it has a number) samples."""
        codes = block[:, : self.choices].argmax(1) if self.choices else np.zeros(len(block), int)
        if self.ranks is None:
            return [self.values[code] for code in codes]
        assert self.form is not None
        numbers = self.ranks.decode(ndtr(block[:, -1].astype(float)))
        if self.values:
            numbers = np.where(codes > 0, self._masses[np.maximum(codes - 1, 0)], numbers)
        return self.form.write(numbers)

    def __str__(self) -> str:
        """What the column is taken for."""
        if self.ranks is None:
            gap = None in self.values
            return f"a choice of {len(self.values) - gap}{' and a gap' if gap else ''}"
        assert self.form is not None
        what = f"a {self.form.name}, {len(self.ranks.values)} different"
        if not self.ranks.seen:
            what = f"a {self.form.name} " + (f"in steps of {self.ranks.step:g}" if self.ranks.step else "without steps")
        pairs = zip(self.values, self.shares, strict=True) if self.values else ()
        return ", or ".join([what, *(f"{'a gap' if value is None else value} ({share:.1%})" for value, share in pairs)])


def order_of(texts: pd.Series, others: Sequence[np.ndarray]) -> Ordered:
    """An order of texts in which those are near whose rows are alike in (N, K) other columns.

    By the first principal axis of the rows' means.
    """
    codes, names = pd.factorize(texts)
    features = np.concatenate([np.zeros((len(texts), 1)), *others], 1)[codes >= 0]
    counts = np.bincount(codes[codes >= 0])
    sums = np.zeros((len(names), features.shape[1]))
    np.add.at(sums, codes[codes >= 0], features - features.mean(0))
    means = sums / (counts[:, None] + REPEATS)  # shrunk: those of a few rows say little
    axis = np.linalg.svd(means * np.sqrt(counts)[:, None], full_matrices=False)[2][0]
    return Ordered(names[np.argsort(means @ axis, kind="stable")])


def _is(numbers: np.ndarray, mass: float) -> np.ndarray:
    same: np.ndarray = np.isnan(numbers) if np.isnan(mass) else numbers == mass
    return same
