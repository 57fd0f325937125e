"""The small pictures beside the answers at the top of the report: one for each question."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gansearch.formatting import number as format_number
from gansearch.formatting import short
from gansearch.stability.band import SHARES, Band
from gansearch.stability.sentence import MEMORISES
from gansearch.study.analysis.changes import Change
from gansearch.study.analysis.moments import Moment
from gansearch.study.analysis.seeds import Seeds
from gansearch.study.figures.axes import distance_axis, rounded, spans_decade, value_axis
from gansearch.study.figures.base import EmptyFigureError, add_band, bars, new_figure, style_axes
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import COLOURS, INK, MUTED, SYMBOLS

_HEIGHT = 150
_FEW_TICKS = {"nticks": 4, "automargin": True}
_LIMIT = {"color": MUTED, "width": 1, "dash": "dot"}


def band(runs: Mapping[str, tuple[np.ndarray, np.ndarray]], healthy: Band) -> Figure:
    """Draw the separability of some runs over the band of healthy ones.

    A run is (N,) shares of its updates after pretraining and (N,) separabilities; the first one is drawn strongest.
    """
    figure = _small(f"Separability over the run: {', '.join(runs)}, over the band of {healthy.runs} healthy runs.")
    add_band(figure, rounded(100 * SHARES), *healthy.ends["separability"])
    for place, (label, (shares, values)) in reversed(list(enumerate(runs.items()))):
        figure.add_scatter(
            x=rounded(100 * shares),
            y=rounded(values),
            mode="lines",
            line={"color": MUTED if place else INK, "width": 1.5 if place else 2, "dash": "dot" if place else "solid"},
            hovertemplate=f"{html.escape(label)}: separability %{{y}}<br>at %{{x}}% of the run<extra></extra>",
        )
    style_axes(figure, 0, {"ticksuffix": "%", "range": [0, 104], **_FEW_TICKS}, {"range": [0.27, 1.03], **_FEW_TICKS})
    return figure.figure()


def course(distances: pd.Series[float], moment: Moment) -> Figure:
    """Draw the measured distances of a run by update, with a ring around the smallest."""
    figure = _small(
        f"Distance over the updates: smallest {format_number(moment.distance)} after {moment.update:,.0f}, "
        f"{format_number(moment.last_distance)} at the end."
    )
    hover = "distance %{y}<br>update %{x}<extra></extra>"
    line = {"mode": "lines+markers", "line": {"color": INK, "width": 2}, "marker": {"size": 6}}
    figure.add_scatter(x=distances.index.tolist(), y=rounded(distances), hovertemplate=hover, **line)
    ring = {"color": "rgba(0,0,0,0)", "size": 15, "line": {"width": 2, "color": COLOURS["balanced"]}}
    figure.add_scatter(
        x=[moment.update], y=rounded(np.array([moment.distance])), mode="markers", marker=ring, hoverinfo="skip"
    )
    y_axis = value_axis(distances, spans_decade(distances), few_ticks=True)
    style_axes(figure, 0, {"rangemode": "tozero", **_FEW_TICKS}, y_axis)
    return figure.figure()


def changes(found: Sequence[Change]) -> Figure:
    """Draw the expected ratio of distances of each change with its interval; 1 is no difference."""
    if not found:
        raise EmptyFigureError("no change is expected to help enough")
    labels = [html.escape(short(f"{one.name} {format_number(one.after)}")) for one in found]
    words = [f"{label} × {one.ratio:.2f}" for label, one in zip(labels, found, strict=True)]
    figure = _small(f"Expected ratio of the distances after and before one change: {', '.join(words)}.")
    middles, intervals = np.array([one.ratio for one in found]), [one.interval for one in found]
    figure.add_scatter(
        x=rounded(middles),
        y=labels,
        mode="markers",
        marker={"color": INK, "size": 9},
        error_x=bars(middles, intervals, thickness=2),
        hovertemplate="%{y}: distance × %{x}<extra></extra>",
    )
    figure.add_shape(type="line", x0=1, x1=1, y0=0, y1=1, xref="x", yref="y domain", line=_LIMIT)
    x_axis = value_axis(pd.Series([*np.ravel(intervals), 1.0]), True, few_ticks=True)
    style_axes(
        figure, 0, x_axis, {"type": "category", "range": [len(found) - 0.4, -0.6], "ticks": "", "automargin": True}
    )
    return figure.figure()


def seeds(groups: Sequence[Seeds]) -> Figure:
    """Draw the distance of each seed of some configurations, in the colour of its verdict, a row for each."""
    labels = [html.escape(short(group.label, 16)) for group in groups]
    points = [(label, seed) for label, group in zip(labels, groups, strict=True) for seed in group.seeds]
    points = [(label, seed) for label, seed in points if np.isfinite(seed.distance)]
    if not points:
        raise EmptyFigureError("no seed has a distance")
    counted = [f"{group.label}: {group.healthy} of {len(group.seeds)} seeds {group.healthy_word}" for group in groups]
    figure = _small("; ".join(counted) + ".")
    figure.add_scatter(
        x=[seed.distance for _, seed in points],
        y=[label for label, _ in points],
        mode="markers",
        marker={
            "color": [COLOURS.get(seed.verdict, INK) for _, seed in points],
            "symbol": [SYMBOLS.get(seed.verdict, "x-thin") for _, seed in points],
            "size": 10,
            "opacity": 0.85,
        },
        customdata=[[seed.seed, (seed.verdict or "").replace("_", " ")] for _, seed in points],
        hovertemplate="seed %{customdata[0]} · %{customdata[1]}<br>distance %{x:.4g}<extra></extra>",
    )
    x_axis = {**distance_axis(pd.Series([seed.distance for _, seed in points])), **_FEW_TICKS}
    rows = {"categoryorder": "array", "categoryarray": labels, "range": [len(groups) - 0.4, -0.6], "ticks": ""}
    style_axes(figure, 0, x_axis, {"type": "category", "automargin": True, **rows})
    return figure.figure()


def memory(gaps: pd.Series[float]) -> Figure:
    """Draw how often D scores training reals above held-out ones, in percent by update; 50 is not at all."""
    figure = _small(
        f"How often D scores training reals above held-out ones: {50 + 50 * gaps.iloc[-1]:.0f}% at the end."
    )
    values = rounded(50 + 50 * gaps)
    limit = 50 + 50 * MEMORISES
    figure.add_shape(type="line", y0=limit, y1=limit, x0=0, x1=1, xref="x domain", yref="y", line=_LIMIT)
    hover = "%{y}%<br>update %{x}<extra></extra>"
    figure.add_scatter(
        x=gaps.index.tolist(), y=values, mode="lines", line={"color": INK, "width": 2}, hovertemplate=hover
    )
    y_axis = {"ticksuffix": "%", "range": [min(40, *values) - 2, max(limit + 5, *values) + 2], **_FEW_TICKS}
    style_axes(figure, 0, {"rangemode": "tozero", **_FEW_TICKS}, y_axis)
    return figure.figure()


def _small(description: str) -> Drawing:
    return new_figure(description, height=_HEIGHT).update(showlegend=False)
