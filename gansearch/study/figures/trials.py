"""The trials as points: over two parameters, stability against distance, over each parameter, and over all."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Choices, Experiment, Range
from gansearch.formatting import many, words
from gansearch.study.analysis.surrogate import ENOUGH, Scale, Surrogate, scale_of, scales
from gansearch.study.figures.base import (
    NothingToDraw,
    blank,
    by_verdict,
    choice,
    choices,
    distances,
    panels,
    placed,
    rounded,
    searched,
    thin,
    title,
)
from gansearch.study.figures.palette import COLOURS, INK, LINE, MUTED

_LINES = 250
"""Trials in the parallel coordinates at most."""
_CELLS = 24
"""Values of a parameter that a map asks the forest about."""
_STABILITY = {"range": [-0.04, 1.06]}
_LEVELS = "rgba(120,130,140,0)", "rgba(120,130,140,.30)"


def varied(trials: pd.DataFrame, experiment: Experiment) -> list[str]:
    """The searched parameters that differ between trials."""
    return [
        name
        for name, entry in experiment.search.items()
        if isinstance(entry, Range | Choices) and name in trials and trials[name].astype(str).nunique() > 1
    ]


def map_pairs(trials: pd.DataFrame, experiment: Experiment, order: list[str]) -> list[tuple[str, str]]:
    """Pairs of parameters to map: lr_ratio × update_ratio first, then those that come first in `order`."""
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
) -> go.Figure:
    """The trials over two searched parameters, their verdicts as colours, on what a surrogate expects in between.

    y may be "stability", which is what a search of one parameter can show.
    """
    drawn, note = thin(trials, {best} if best is not None else ())
    known = surrogate is not None and all(name in surrogate.scales for name in (x, y))
    figure = blank(
        f"{many(len(trials), 'trial')} over {x} and {y}. {_counted(trials)}",
        height=480,
        name=f"Stability map: {x} × {y}",
        key="Lines and shade: the expected stability, the stronger the higher" if known else "",
    )
    if surrogate and known:
        (across, at), (up, over) = (grid(surrogate, name, trials, experiment) for name in (x, y))
        expected = surrogate.map(x, y, at, over)
        figure.add_contour(
            x=across,
            y=up,
            z=np.round(expected, 3).tolist(),
            name="expected stability",
            colorscale=[[0, _LEVELS[0]], [1, _LEVELS[1]]],
            contours={"showlabels": True, "labelfont": {"size": 11, "color": MUTED}},
            line={"color": MUTED, "width": 0.5, "smoothing": 1.1},
            ncontours=8,
            showscale=False,
            hoverinfo="skip",
        )
    points = placed(drawn, experiment)
    by_verdict(figure, points, x, y, f"{html.escape(x)} %{{x}}<br>{html.escape(y)} %{{y}}", best)
    for name, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        axis = _STABILITY if name == "stability" else searched(experiment.search.get(name), trials[name])
        update(title={"text": html.escape(name)}, showgrid=len(figure.data) == 0, **axis)
    return figure.update_layout(meta={**figure.layout.meta, "drawn": note})


def pareto(trials: pd.DataFrame, best: int | None = None) -> go.Figure:
    """Stability against distance, with the front of the healthy trials."""
    measured = trials[np.isfinite(trials["distance"]) & np.isfinite(trials["stability"])]
    if measured.empty:
        raise NothingToDraw("no trial has both a stability and a distance")
    healthy = measured[(measured["verdict"] == "balanced") & (measured["status"] == "complete")]
    healthy = healthy.sort_values(["distance", "stability"], ascending=[True, False])
    front = healthy[healthy["stability"] > healthy["stability"].cummax().shift(fill_value=-math.inf)]
    numbers = ", ".join(str(number) for number in front["number"])
    figure = blank(
        f"Stability of {len(measured)} trials against their distance. "
        + (f"On the front, by distance: trial {numbers}." if numbers else "No trial is healthy, so there is no front."),
        height=420,
        name="Stability and distance",
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
    drawn, note = thin(measured, {*front["number"], best} - {None})
    by_verdict(figure, drawn, "distance", "stability", "stability %{y}<br>distance %{x}", best)
    figure.update_xaxes(title_text="distance (smaller is better)", **distances(measured["distance"]))
    figure.update_yaxes(title_text="stability", **_STABILITY)
    return figure.update_layout(meta={**figure.layout.meta, "drawn": note})


def slices(trials: pd.DataFrame, experiment: Experiment, target: str, best: int | None = None) -> go.Figure:
    """The stability or the distance of the trials over each searched parameter."""
    names = varied(trials, experiment)
    measured = trials[np.isfinite(trials[target])]
    if not names or measured.empty:
        raise NothingToDraw(f"no trial has a {target}" if names else "no searched parameter differs between trials")
    said = f"The {target} of {many(len(measured), 'trial')} over each of {', '.join(names)}."
    figure = blank(said, name=f"{target.capitalize()} over one parameter at a time")
    panels(figure, [title(name) for name in names], columns=min(5, len(names)), row=200, up=target)
    drawn, note = thin(measured, {best} if best is not None else (), most=1000)
    points = placed(drawn, experiment)
    for place, name in enumerate(names):
        end = str(place + 1) if place else ""
        by_verdict(figure, points, name, target, f"{html.escape(name)} %{{x}}", best, panel=place, size=7)
        figure.layout[f"xaxis{end}"].update(searched(experiment.search[name], trials[name], few=True))
        figure.layout[f"yaxis{end}"].update(distances(measured[target]) if target == "distance" else _STABILITY)
    return figure.update_layout(meta={**figure.layout.meta, "drawn": note})


def parallel(trials: pd.DataFrame, experiment: Experiment, best: int | None = None) -> go.Figure:
    """A line a trial through each searched parameter, its stability and its distance: which settings go together.

    Every axis runs from the smallest to the largest value, by logarithm if that is more than a decade; choices are
    evenly apart, in their order. A trial without a verdict has no line.
    """
    names = [*varied(trials, experiment), "stability", "distance"]
    trials = placed(trials[trials["verdict"].isin(COLOURS)], experiment)
    lying = {name: one for name in names if (one := _lying(trials[name], experiment.search.get(name)))}
    if len(lying) < 2 or len(trials) < 2:
        raise NothingToDraw("fewer than two trials with a verdict or axes to draw them on")
    drawn, _ = thin(trials, {best} if best is not None else (), most=_LINES)
    note = (
        f"Drawn: {len(drawn):,} of {len(trials):,} trials, evenly from each verdict."
        if len(drawn) < len(trials)
        else ""
    )
    said = f"Parallel coordinates of {many(len(drawn), 'trial')} over {', '.join(lying)}."
    figure = blank(said, height=420, name="Which settings go together", key="A line a trial")
    units = pd.DataFrame({name: one.unit(drawn[name]).where(drawn[name].notna()) for name, one in lying.items()})
    shown = pd.DataFrame({name: drawn[name].map(_short) for name in lying})
    groups = [(words(verdict), colour, drawn["verdict"] == verdict) for verdict, colour in COLOURS.items()]
    groups.append(("best-balanced", INK, drawn["number"] == best))
    for name, colour, rows in groups:
        if not rows.any():
            continue
        strong = name == "best-balanced"
        count, gap = int(rows.sum()), len(lying) + 1  # a gap ends the line of each trial
        y = np.full((count, gap), np.nan)
        y[:, :-1] = units[rows].round(4)
        told = np.full((count, gap), "", dtype=object)
        told[:, :-1] = shown[rows]
        numbers = np.repeat(drawn.loc[rows, "number"].to_numpy(), gap)
        figure.add_scatter(
            x=[*range(len(lying)), len(lying) - 1] * count,
            y=y.ravel().tolist(),
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 3 if strong else 1.2},
            marker={"size": 6 if strong else 3},
            opacity=1 if strong else 0.55,
            customdata=[[int(number), text] for number, text in zip(numbers, told.ravel(), strict=True)],
            hovertemplate="<b>trial %{customdata[0]}</b> · %{customdata[1]}<extra>" + name + "</extra>",
        )
    for place, one in enumerate(lying.values()):
        low, *_, high = one.texts or (one.low, one.high)
        for height, value, anchor in ((-0.02, low, "top"), (1.02, high, "bottom")):
            label = {"text": _short(value), "yanchor": anchor, "showarrow": False, "font": {"size": 11}}
            figure.add_annotation(x=place, y=height, **label)
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": LINE, "width": 1.5}, layer="below")
    names = [html.escape(name) for name in lying]
    figure.update_xaxes(tickvals=[*range(len(lying))], ticktext=names, showgrid=False, range=[-0.4, len(lying) - 0.6])
    figure.update_xaxes(tickangle=-25 if len(lying) > 5 else 0)
    figure.update_yaxes(visible=False, range=[-0.1, 1.1])
    return figure.update_layout(hovermode="closest", meta={**figure.layout.meta, "drawn": note})


def _lying(column: pd.Series[Any], entry: object) -> Scale | None:
    """How a column lies on its axis; choices that were tried have places evenly apart."""
    if not isinstance(entry, Choices):
        return scale_of(column)
    texts = tuple(one for one in choices(entry, column) if one in set(column))
    return Scale(0, len(texts) - 1, log=False, texts=texts) if len(texts) > 1 else None


def grid(
    surrogate: Surrogate, name: str, trials: pd.DataFrame, experiment: Experiment, size: int = _CELLS
) -> tuple[list[Any], np.ndarray]:
    """Values of a parameter to ask what is expected at, and where they lie on [0, 1].

    Of choices those that were tried; else `size` from the smallest to the largest value of a trial.
    """
    scale, entry = surrogate.scales[name], experiment.search.get(name)
    if scale.texts and not isinstance(entry, Choices):
        return [html.escape(text) for text in scale.texts], np.linspace(0, 1, len(scale.texts))
    if not isinstance(entry, Choices):
        units = np.linspace(0, 1, size)
        return [float(f"{value:.4g}") for value in scale.values(units)], units
    at = dict(zip(trials[name].map(choice), scale.unit(trials[name]), strict=True))
    texts = [one for one in choices(entry, trials[name]) if one in at]
    return [html.escape(one) for one in texts], np.array([at[one] for one in texts])


def surrogate_of(trials: pd.DataFrame) -> Surrogate | None:
    """What a forest expects of the stability, a trial without one counting as 0; None with too few trials."""
    if len(trials) < ENOUGH or not scales(trials):
        return None
    return Surrogate(trials, trials["stability"].fillna(0.0))


def _counted(trials: pd.DataFrame) -> str:
    counts = trials["verdict"].fillna("no_verdict").value_counts()
    return ", ".join(f"{count} {words(str(verdict))}" for verdict, count in counts.items()) + "."


def _short(value: object) -> str:
    if not isinstance(value, float | int):
        return html.escape(str(value))
    return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.3g}"
