"""Axes that suit what they show, and values as a figure draws them."""

from __future__ import annotations

import html
import math
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Experiment, Range
from gansearch.study.analysis.surrogate import Surrogate

STABILITY = {"range": [-0.04, 1.06]}
"""An axis for stabilities, which lie in [0, 1], with space for the markers at its ends."""
_MAX_LABELLED_DECADES = 6
"""Decades of a logarithmic axis up to which each has a tick."""
_MAP_POINTS = 24
"""Values of a parameter at which a map asks the surrogate."""


def value_axis(column: pd.Series[Any], log: bool, few_ticks: bool = False) -> dict[str, Any]:
    """Return a linear or logarithmic axis for numbers, or one with a place for each of some texts.

    A narrow panel has space for `few_ticks` only.
    """
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return {"type": "category"}
    if not log or not column.min() > 0:
        return {"type": "linear", "nticks": 4} if few_ticks else {"type": "linear"}
    low, high = math.log10(column.min()), math.log10(column.max())
    margin = 0.05 * max(high - low, 0.2)
    multiples = (1,) if high - low > 2 else (1, 2, 5)
    every = max(1, math.ceil((high - low) / _MAX_LABELLED_DECADES))
    exponents = range(math.floor(low) - 1, math.ceil(high) + 1)
    ticks = [m * 10.0**e for e in exponents if e % every == 0 for m in multiples]
    ticks = [tick for tick in ticks if low - margin <= math.log10(tick) <= high + margin]
    if not ticks:
        ticks = sorted({float(f"{end:.4g}") for end in (column.min(), column.max())})
    if few_ticks and len(ticks) > 3:
        long = max(len(f"{tick:g}") for tick in ticks) > 4
        ticks = [ticks[0], *([] if long else [ticks[len(ticks) // 2]]), ticks[-1]]
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
        "range": [low - margin, high + margin],
    }


def distance_axis(column: pd.Series[float]) -> dict[str, Any]:
    """Return an axis for distances: logarithmic where they span more than a decade, and above 0 where they are."""
    known = column[np.isfinite(column)]
    if spans_decade(known) or known.empty:
        return value_axis(known, spans_decade(known))
    low, high = float(known.min()), float(known.max())
    if low == high:
        return {"type": "linear", "range": sorted((0.0, 2 * low)) if low else [0.0, 1.0]}
    margin = 0.08 * (high - low)
    return {"type": "linear", "range": [max(0.0, low - margin) if low >= 0 else low - margin, high + margin]}


def search_axis(entry: object, column: pd.Series[Any], few_ticks: bool = False) -> dict[str, Any]:
    """Return an axis over the whole searched range, so that values at its edge can be seen.

    `entry` is the parameter's entry under `search:`. Each choice has a place, in the order of the entry.
    """
    if isinstance(entry, Choices):
        labels = [html.escape(label) for label in choice_labels(entry, column)]
        axis = {"type": "category", "categoryorder": "array", "categoryarray": labels}
        return {**axis, "range": [-0.5, len(labels) - 0.5]}
    if not isinstance(entry, Range):
        return value_axis(column, False, few_ticks)
    # A schedule or the settings that a sweep starts from may lie outside the range.
    whole = pd.concat([column.astype(float), pd.Series([float(entry.low), float(entry.high)])])
    axis, low, high = value_axis(whole, entry.log, few_ticks), float(whole.min()), float(whole.max())
    margin = 0.05 * (high - low) or 0.5
    return axis if axis["type"] == "log" else {**axis, "range": [low - margin, high + margin]}


def choice_labels(entry: Choices, column: pd.Series[Any]) -> list[str]:
    """Return the labels of a parameter's choices, followed by those of other values in the column."""
    return list(dict.fromkeys(map(choice_label, [*entry.choices, *column])))


def choice_label(value: Any) -> str:
    """Return a choice as text, the same from an experiment and from a table.

    A column of a table may have another type of number, and NaN in place of null.
    """
    if isinstance(value, np.ndarray | list | tuple):
        return ", ".join(map(choice_label, value))
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    return f"{float(value):.6g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)


def with_choice_labels(trials: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Return the trials with each choice as its label on an axis."""
    names = [name for name, entry in experiment.search.items() if isinstance(entry, Choices) and name in trials]
    return trials.assign(**{name: trials[name].map(choice_label).astype(object) for name in names})


def spans_decade(column: pd.Series[float]) -> bool:
    """Return whether the numbers are positive and span more than a decade."""
    known = column[np.isfinite(column)]
    return bool(len(known) and known.min() > 0 and known.max() > 10 * known.min())


def rounded(column: pd.Series[Any] | np.ndarray) -> list[Any]:
    """Return values as they are drawn: numbers with four digits, which keeps the page small, and escaped texts."""
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return [html.escape(str(value)) for value in column]
    if pd.api.types.is_integer_dtype(column):
        return [int(value) for value in column]
    return [float(f"{value:.4g}") for value in column]


def grid(
    surrogate: Surrogate, name: str, trials: pd.DataFrame, experiment: Experiment, size: int = _MAP_POINTS
) -> tuple[list[Any], np.ndarray]:
    """Return values of a parameter at which to ask the surrogate, and where they lie on [0, 1].

    These are the choices that were tried, or else `size` numbers from the smallest to the largest of a trial.
    """
    scale, entry = surrogate.scales[name], experiment.search.get(name)
    if isinstance(entry, Choices):
        tried = dict(zip(trials[name].map(choice_label), scale.unit(trials[name]), strict=True))
        labels = [label for label in choice_labels(entry, trials[name]) if label in tried]
        return [html.escape(label) for label in labels], np.array([tried[label] for label in labels])
    if scale.texts:
        return [html.escape(text) for text in scale.texts], np.linspace(0, 1, len(scale.texts))
    units = np.linspace(0, 1, size)
    return rounded(scale.values(units)), units
