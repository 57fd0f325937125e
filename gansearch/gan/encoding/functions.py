"""Columns of a table that others determine: by a table of values, or by a formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from gansearch.gan.encoding.forms import Form

EXCEPTIONS = 0.001
"""Most rows, as a share, in which a column that others determine has another value."""
REPEATS = 5
"""Times that each value occurs on average, at least, for its rows to say what goes with it."""
DECIMALS = 9
"""Decimals of numbers, at most, that are on a grid."""
_EVIDENCE = 10
"""Rows, at least, in which a function would not hold by chance."""
_FIRST = 20_000
"""Rows by which most pairs of columns are ruled out."""
_SAMPLE = 32
"""Rows by which most formulas are ruled out."""
_ROUNDING = 0.51
"""Most distance of a formula's value from the written one, in units of the last decimal."""


@dataclass(frozen=True)
class Lookup:
    """A column whose value goes with that of another column."""

    name: str
    source: str
    values: Mapping[Any, Any]
    """By the source's values, as they are written."""
    form: Form | None = None
    """Of the source, where its values have an order."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that determine it."""
        return (self.source,)

    def __str__(self) -> str:
        """How it is computed."""
        return f"goes with {self.source}"

    def compute(self, made: Mapping[str, list[Any]]) -> list[Any]:
        """The N values, as written, of N rows of the other columns; of a number that is new those of the nearest."""
        values = made[self.source]
        if self.form and any(value not in self.values for value in values):
            known = [value for value in self.values if value is not None]
            places = _numbers(self.form, known)
            order = np.argsort(places)
            ends = (places[order][:-1] + places[order][1:]) / 2
            nearest = order[np.searchsorted(ends, _numbers(self.form, values))].tolist()
            values = [None if v is None else known[n] for v, n in zip(values, nearest, strict=True)]
        return [self.values.get(value) for value in values]


@dataclass(frozen=True)
class Formula:
    """A column that is a sum, a product, a quotient or a logarithm of others, but for rounding."""

    name: str
    operation: str
    """A name of `_FEATURES`."""
    sources: tuple[str, ...]
    forms: tuple[Form, ...]
    """Of the sources, then its own."""
    weights: tuple[float, ...]
    """Of the operation's features, then of 1."""
    decimals: int

    def __str__(self) -> str:
        """How it is computed."""
        shapes = {"sum": self.sources, "product": (" · ".join(self.sources),), "quotient": (" / ".join(self.sources),)}
        terms = shapes.get(self.operation, (f"log {self.sources[0]}",))
        parts = [
            f"{weight:.6g} · {term}".replace("1 · ", "", weight == 1)
            for weight, term in zip(self.weights, terms, strict=False)
        ]
        return " + ".join([*parts, *([f"{self.weights[-1]:.6g}"] if self.weights[-1] else [])])

    def compute(self, made: Mapping[str, list[Any]]) -> list[Any]:
        """The N values, as written, of N rows of the other columns."""
        pairs = zip(self.sources, self.forms, strict=False)
        numbers = [_numbers(form, made[name]) for name, form in pairs]
        with np.errstate(all="ignore"):
            features = _FEATURES[self.operation](*numbers)
            values = sum(w * f for w, f in zip(self.weights, (*features, 1.0), strict=True))
        values = np.where(np.isfinite(values), values, np.nan)
        return self.forms[-1].write(values.round(self.decimals) + 0.0)


def _numbers(form: Form, values: list[Any]) -> np.ndarray:
    """(N,) float64 of N values as they are written, NaN for None."""
    return form.numbers(pd.Series(values, dtype=object).convert_dtypes())


Function = Lookup | Formula

_FEATURES: dict[str, Any] = {
    "sum": lambda *columns: columns,
    "product": lambda a, b: (a * b,),
    "quotient": lambda a, b: (a / b,),
    "log": lambda a: (np.log(a),),
}


def lookups(
    table: Mapping[str, pd.Series], forms: Mapping[str, Form], numbers: Mapping[str, np.ndarray], free: set[str]
) -> Iterator[Lookup]:
    """Yields the columns of a table, of `free` ones, that go with another one.

    Those of numbers have `forms`, and what these make of them.
    """
    codes = {name: pd.factorize(values, use_na_sentinel=False)[0] for name, values in table.items()}
    counts = {name: int(column.max()) + 1 for name, column in codes.items()}
    places = {name: place for place, name in enumerate(table)}
    order = sorted(table, key=lambda name: (counts[name], -places[name]))
    shuffled = np.random.default_rng(0).permutation(len(next(iter(codes.values()), ())))
    for place, name in enumerate(order):
        for source in order[place + 1 :] if name in free else ():
            if _goes_with(codes[name], codes[source], counts[name], counts[source], shuffled, numbers.get(source)):
                pairs = pd.DataFrame({column: table[column] for column in (source, name)}).value_counts(dropna=False)
                most = pairs.index.to_frame(index=False).drop_duplicates(source)  # the most frequent pair is first
                values = dict(zip(*(plain(most[column]) for column in (source, name)), strict=True))
                yield Lookup(name, source, values, forms.get(source))
                break


def _goes_with(
    codes: np.ndarray, source: np.ndarray, count: int, source_count: int, shuffled: np.ndarray, order: np.ndarray | None
) -> bool:
    """Whether (N,) codes are a function of a source's, and this is no accident."""
    if any(_exceptions(codes[:rows], source[:rows], count) > EXCEPTIONS * len(codes) for rows in (_FIRST, None)):
        return False
    if len(codes) >= REPEATS * source_count:
        return _exceptions(codes[shuffled], source, count) >= _EVIDENCE
    if order is None:
        return False
    along = codes[np.argsort(order, kind="stable")][: np.isfinite(order).sum()]  # of numbers that hardly repeat: ranges
    return int(np.count_nonzero(np.diff(along))) < count and np.bincount(codes).min() >= _EVIDENCE


def _exceptions(codes: np.ndarray, source: np.ndarray, count: int) -> int:
    """The rows whose code is not the most frequent one of its source's code."""
    pairs, rows = np.unique(source.astype(np.int64) * count + codes, return_counts=True)
    firsts = np.unique(pairs // count, return_index=True)[1]
    return len(codes) - int(np.maximum.reduceat(rows, firsts).sum())


def formulas(forms: Mapping[str, Form], numbers: Mapping[str, np.ndarray], free: set[str]) -> Iterator[Formula]:
    """Yields the columns of numbers, of `free` ones, that are a formula of one or two others.

    Of an equation a date, or else the column that varies most, is computed from the others: an end from a start and a
    duration, a sum from its parts. So these keep their bounds.
    """
    complete = {name: column for name, column in numbers.items() if np.isfinite(column).all()}
    if len(complete) < 2:
        return
    rows = np.random.default_rng(0).permutation(len(next(iter(complete.values()))))[:_SAMPLE]
    candidates, bases = _candidates({name: column[rows] for name, column in complete.items()})
    done: set[str] = set()
    for name in sorted(
        free & complete.keys(), key=lambda name: (forms[name].name != "date", -float(complete[name].std()))
    ):
        target, digits = complete[name], decimals_of(complete[name])
        unit = 10.0 ** -(DECIMALS if digits is None else digits)
        if len(np.unique(target)) <= 5 or target.std() < 5 * unit:
            continue
        left = target[rows] - np.einsum("pri,pi->pr", bases, np.einsum("pri,r->pi", bases, target[rows]))
        for index in np.flatnonzero(np.abs(left).max(1) <= 2 * _tolerance(target, unit)):
            operation, sources = candidates[index]
            weights = None if {name, *done} & {*sources} else _weights(operation, sources, complete, target, unit)
            if weights is not None and weights[:-1].all():
                done.add(name)
                columns = tuple(forms[column] for column in (*sources, name))
                yield Formula(
                    name, operation, sources, columns, tuple(weights.tolist()), 15 if digits is None else digits
                )
                break


def _candidates(sample: Mapping[str, np.ndarray]) -> tuple[list[tuple[str, tuple[str, ...]]], np.ndarray]:
    """Operations with their columns, and (P, rows, 3) orthonormal bases of what each can express in a few rows."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for name, column in sample.items():
        found += [("sum", (name,)), *([("log", (name,))] if (column > 0).all() else [])]
    for pair in combinations(sample, 2):
        found += [("sum", pair), ("product", pair)]
        found += [("quotient", (a, b)) for a, b in (pair, pair[::-1]) if sample[b].all()]
    features = np.zeros((len(found), len(next(iter(sample.values()))), 3))
    for place, (operation, sources) in enumerate(found):
        columns = _FEATURES[operation](*(sample[name] for name in sources))
        features[place, :, : len(columns)] = np.stack(columns, 1)
    features[:, :, 2] = 1
    bases = np.linalg.qr(features / np.abs(features).max(1, keepdims=True).clip(1e-300))[0]
    return found, bases


def _tolerance(target: np.ndarray, unit: float) -> float:
    """Most distance of a formula's values from the written ones."""
    return float(_ROUNDING * unit + 1e-9 * np.abs(target).max())


def _weights(
    operation: str, sources: tuple[str, ...], numbers: Mapping[str, np.ndarray], target: np.ndarray, unit: float
) -> np.ndarray | None:
    """The weights with which a formula gives the target to its last decimal; None where there are none."""
    with np.errstate(all="ignore"):
        features = np.stack([*_FEATURES[operation](*(numbers[name] for name in sources)), np.ones(len(target))], 1)
    if not np.isfinite(features).all():
        return None
    scale = np.abs(features).max(0).clip(1e-300)
    weights = np.linalg.lstsq(features / scale, target, rcond=None)[0] / scale
    if abs(weights[-1]) < unit:
        weights[-1] = 0.0
    for rounded in (*(weights.round(digits) for digits in range(7)), weights):  # least squares are not exact
        if np.abs(features @ rounded - target).max() <= _tolerance(target, unit):
            return np.where(np.abs(rounded) < 1e-9, 0.0, rounded)
    return None


def exclusive(numbers: Mapping[str, np.ndarray]) -> list[list[str]]:
    """Groups of columns of zeros and ones of which at most one is 1 in a row, although more could be by chance."""
    ones = {name: column == 1 for name, column in numbers.items() if set(np.unique(column)) == {0.0, 1.0}}
    groups: list[list[str]] = []
    for name, column in ones.items():
        for group in groups:
            fits = [not (column & ones[other]).any() for other in group]
            chance = [column.mean() * ones[other].sum() for other in group]
            if all(fits) and min(chance) >= _EVIDENCE:
                group.append(name)
                break
        else:
            groups.append([name])
    return [group for group in groups if len(group) > 1]


def decimals_of(numbers: np.ndarray) -> int | None:
    """The decimals of numbers, at most 9; None where they have more, or more digits than a float holds."""
    largest = np.abs(numbers).max()
    most, near = min(DECIMALS, 15 - len(str(int(largest)))), 1e-10 * min(1.0, largest)
    return next((d for d in range(most + 1) if np.allclose(numbers, numbers.round(d), 1e-14, near)), None)


def plain(values: pd.Series) -> list[Any]:
    """The N values as Python's own, None where one is missing."""
    return values.astype(object).where(values.notna(), None).tolist()
