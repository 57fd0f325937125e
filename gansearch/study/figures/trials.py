"""Trials as points: over two parameters, stability against distance, over each parameter, and over all of them."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Experiment, Range
from gansearch.formatting import many, words
from gansearch.study.analysis.choose import by_distance, pareto_front
from gansearch.study.analysis.surrogate import Scale, Surrogate, scale_of
from gansearch.study.figures.axes import (
    STABILITY,
    choice_labels,
    distance_axis,
    grid,
    rounded,
    search_axis,
    with_choice_labels,
)
from gansearch.study.figures.base import (
    EmptyFigureError,
    add_panels,
    add_trials,
    new_figure,
    style_axes,
    subsample,
    title,
)
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import COLOURS, INK, LINE, MUTED

_MAX_LINES = 250
"""Trials in the parallel coordinates at most."""
_SHARE = Range(low=0, high=1)
_SHADES = [[0, "rgba(120,130,140,0)"], [1, "rgba(120,130,140,.30)"]]


def varied(trials: pd.DataFrame, experiment: Experiment) -> list[str]:
    """Return the searched parameters that differ between trials."""
    return [
        name
        for name, entry in experiment.search.items()
        if isinstance(entry, Range | Choices) and name in trials and trials[name].astype(str).nunique() > 1
    ]


def map_pairs(trials: pd.DataFrame, experiment: Experiment, order: list[str]) -> list[tuple[str, str]]:
    """Return pairs of parameters to map: lr_ratio × update_ratio first, then those that come first in `order`."""
    names = sorted(varied(trials, experiment), key=lambda name: order.index(name) if name in order else len(order))
    if len(names) < 2:
        return [(name, "stability") for name in names]
    usual = ("lr_ratio", "update_ratio")
    pairs = [(x, y) for j, y in enumerate(names[:5]) for x in names[:j]]
    return [usual, *(pair for pair in pairs if set(pair) != set(usual))] if set(usual) <= set(names) else pairs


def stability_map(
    trials: pd.DataFrame,
    experiment: Experiment,
    x: str,
    y: str,
    best: int | None = None,
    surrogate: Surrogate | None = None,
) -> Figure:
    """Draw the trials over two searched parameters, on contours of the stability that a surrogate expects.

    y may be "stability", for a search of one parameter.
    """
    drawn, note = subsample(trials, [best])
    counts = trials["verdict"].fillna("no_verdict").value_counts()
    summary = ", ".join(f"{count} {words(str(verdict))}" for verdict, count in counts.items())
    expects = surrogate is not None and {x, y} <= set(surrogate.scales)
    figure = new_figure(
        f"{many(len(trials), 'trial')} over {x} and {y}. {summary}.",
        height=480,
        heading=f"Stability map: {x} × {y}",
        key="Lines and shade: the expected stability, the stronger the higher" if expects else "",
    )
    if surrogate and expects:
        (x_values, x_units), (y_values, y_units) = (grid(surrogate, name, trials, experiment) for name in (x, y))
        figure.add_contour(
            x=x_values,
            y=y_values,
            z=np.round(surrogate.map(x, y, x_units, y_units), 3).tolist(),
            name="expected stability",
            colorscale=_SHADES,
            contours={"showlabels": True, "labelfont": {"size": 11, "color": MUTED}},
            line={"color": MUTED, "width": 0.5, "smoothing": 1.1},
            ncontours=8,
            showscale=False,
            hoverinfo="skip",
        )
    hover = f"{html.escape(x)} %{{x}}<br>{html.escape(y)} %{{y}}"
    add_trials(figure, with_choice_labels(drawn, experiment), x, y, hover, best)
    for side, name in (("x", x), ("y", y)):
        axis = STABILITY if name == "stability" else search_axis(experiment.search.get(name), trials[name])
        style_axes(figure, 0, **{side: {"title": {"text": html.escape(name)}, "showgrid": not figure.traces, **axis}})
    return figure.update(meta={"drawn": note}).figure()


def pareto(trials: pd.DataFrame, best: int | None = None) -> Figure:
    """Draw stability against distance, with the Pareto front of the healthy trials."""
    measured = trials[np.isfinite(trials["distance"]) & np.isfinite(trials["stability"])]
    if measured.empty:
        raise EmptyFigureError("no trial has both a stability and a distance")
    front = pareto_front(by_distance(measured))
    numbers = ", ".join(map(str, front["number"]))
    figure = new_figure(
        f"Stability of {len(measured)} trials against their distance. "
        + (f"On the front, by distance: trial {numbers}." if numbers else "No trial is healthy, so there is no front."),
        height=420,
        heading="Stability and distance",
    )
    if numbers:
        figure.add_scatter(
            x=rounded(front["distance"]),
            y=rounded(front["stability"]),
            mode="lines",
            name="front",
            line={"color": MUTED, "width": 1.5, "shape": "hv", "dash": "dot"},
            hoverinfo="skip",
        )
    drawn, note = subsample(measured, [*front["number"], best])
    add_trials(figure, drawn, "distance", "stability", "stability %{y}<br>distance %{x}", best)
    x_axis = {"title": {"text": "distance (smaller is better)"}, **distance_axis(measured["distance"])}
    style_axes(figure, 0, x_axis, {"title": {"text": "stability"}, **STABILITY})
    return figure.update(meta={"drawn": note}).figure()


def slices(trials: pd.DataFrame, experiment: Experiment, target: str, best: int | None = None) -> Figure:
    """Draw the stability, the distance or another number of the trials over each searched parameter."""
    names = varied(trials, experiment)
    measured = trials[np.isfinite(trials[target])]
    if not names or measured.empty:
        raise EmptyFigureError(f"no trial has a {target}" if names else "no searched parameter differs between trials")
    description = f"The {target} of {many(len(measured), 'trial')} over each of {', '.join(names)}."
    figure = new_figure(description, heading=f"{target[:1].upper()}{target[1:]} over one parameter at a time")
    add_panels(figure, [title(name) for name in names], columns=5, row=200, up=html.escape(target))
    drawn, note = subsample(measured, [best], most=1000)
    points = with_choice_labels(drawn, experiment)
    y_axis = STABILITY if target == "stability" else distance_axis(measured[target])
    for panel, name in enumerate(names):
        add_trials(figure, points, name, target, f"{html.escape(name)} %{{x}}", best, panel, size=7)
        style_axes(figure, panel, search_axis(experiment.search[name], trials[name], few_ticks=True), y_axis)
    return figure.update(meta={"drawn": note}).figure()


def parallel(
    trials: pd.DataFrame,
    experiment: Experiment,
    best: int | None = None,
    targets: Sequence[str] = ("stability", "distance"),
) -> Figure:
    """Draw a line for each trial through its searched parameters, its stability and its distance, or other `targets`.

    Every axis runs from the smallest to the largest value, logarithmic where the search is, and for other numbers than
    the stability if that is more than a decade. Choices are evenly spaced, in their order. A trial without a verdict
    has no line; where none has one, those without any target.
    """
    names = [*varied(trials, experiment), *targets]
    judged = trials["verdict"].isin(COLOURS)
    shown = judged if judged.any() else trials[[*targets]].notna().any(axis=1)
    trials = with_choice_labels(trials[shown], experiment)
    entries: dict[str, Any] = {"stability": _SHARE, **experiment.search}
    axes = {name: axis for name in names if (axis := _parallel_axis(trials[name], entries.get(name)))}
    if len(axes) < 2 or len(trials) < 2:
        raise EmptyFigureError("fewer than two trials with a verdict or axes to draw them on")
    drawn, _ = subsample(trials, [best], most=_MAX_LINES)
    part = f"Drawn: {len(drawn):,} of {len(trials):,} trials, evenly from each verdict."
    figure = new_figure(
        f"Parallel coordinates of {many(len(drawn), 'trial')} over {', '.join(axes)}.",
        height=420,
        heading="Which settings go together",
        key="A line a trial",
    )
    units = pd.DataFrame({name: axis.unit(drawn[name]).where(drawn[name].notna()) for name, axis in axes.items()})
    labels = pd.DataFrame({name: drawn[name].map(_label) for name in axes})
    groups = [(words(verdict), colour, drawn["verdict"] == verdict) for verdict, colour in COLOURS.items()]
    groups += [("no verdict", MUTED, ~drawn["verdict"].isin(COLOURS))]
    for name, colour, rows in [*groups, ("best-balanced", INK, drawn["number"] == best)]:
        if rows.any():
            _add_lines(figure, drawn["number"][rows], units[rows], labels[rows], name, colour)
    for place, axis in enumerate(axes.values()):
        low, *_, high = axis.texts or (axis.low, axis.high)
        for height, value, anchor in ((-0.02, low, "top"), (1.02, high, "bottom")):
            label = {"text": _label(value), "yanchor": anchor, "font": {"size": 11}}
            figure.add_text(x=place, y=height, **label)
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": LINE, "width": 1.5}, layer="below")
    texts = [html.escape(name) + " (log)" * axis.log for name, axis in axes.items()]
    ticks = {"tickvals": [*range(len(axes))], "ticktext": texts, "tickangle": -25 if len(axes) > 5 else 0}
    x_axis = {**ticks, "showgrid": False, "range": [-0.4, len(axes) - 0.6]}
    style_axes(figure, 0, x_axis, {"visible": False, "range": [-0.1, 1.1]})
    figure.update(hovermode="closest")
    return figure.update(meta={"drawn": part if len(drawn) < len(trials) else ""}).figure()


def _parallel_axis(column: pd.Series[Any], entry: object) -> Scale | None:
    """Return the scale of a column; choices that were tried are evenly spaced. None where all values are the same."""
    if not isinstance(entry, Choices):
        scale = scale_of(column)
        if scale is None or not isinstance(entry, Range):
            return scale
        return replace(scale, log=entry.log and scale.low > 0)
    texts = tuple(label for label in choice_labels(entry, column) if label in set(column))
    return Scale(0, len(texts) - 1, log=False, texts=texts) if len(texts) > 1 else None


def _add_lines(
    figure: Drawing, numbers: pd.Series[int], units: pd.DataFrame, labels: pd.DataFrame, name: str, colour: str
) -> None:
    """Add a trace with a line for each trial: its place on each axis, and the label of its value there."""
    count, axes = units.shape
    y = np.full((count, axes + 1), math.nan)  # a gap ends the line of each trial
    y[:, :-1] = units.round(4)
    texts = [[int(number), text] for number, row in zip(numbers, labels.to_numpy(), strict=True) for text in [*row, ""]]
    strong = name == "best-balanced"
    figure.add_scatter(
        x=[*range(axes), axes - 1] * count,
        y=y.ravel().tolist(),
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 3 if strong else 1.2},
        marker={"size": 6 if strong else 3},
        opacity=1 if strong else 0.55,
        customdata=texts,
        hovertemplate="<b>trial %{customdata[0]}</b> · %{customdata[1]}<extra>" + name + "</extra>",
    )


def _label(value: object) -> str:
    if not isinstance(value, float | int):
        return html.escape(str(value))
    return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.3g}"
