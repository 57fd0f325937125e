"""The figures of a study. The page's own colours are named as CSS variables, which the report fills in."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Choices, Experiment, Range

COLOURS = {
    "diverged": "#56B4E9",
    "collapsed": "#0072B2",
    "discriminator_saturated": "#D55E00",
    "generator_dominates": "#CC79A7",
    "uninformative": "#8A8F98",
    "oscillating": "#E69F00",
    "balanced": "#009E73",
}
"""One colour a verdict, everywhere: those of Okabe and Ito, which the colour-blind tell apart."""
SYMBOLS = {
    "diverged": "x",
    "collapsed": "cross",
    "discriminator_saturated": "triangle-up",
    "generator_dominates": "triangle-down",
    "uninformative": "square",
    "oscillating": "diamond",
    "balanced": "circle",
}
"""One symbol a verdict, for print and for whoever sees no colour."""
_INK, _MUTED = "var(--ink)", "var(--muted)"


def map_axes(trials: pd.DataFrame, experiment: Experiment) -> list[str]:
    """The two parameters of the stability map: lr_ratio and update_ratio, else the first searched."""
    varied = [
        name
        for name, entry in experiment.search.items()
        if isinstance(entry, Range | Choices) and name in trials and trials[name].astype(str).nunique() > 1
    ]
    usual = ["lr_ratio", "update_ratio"]
    return usual if set(usual) <= set(varied) else varied[:2]


def stability_map(trials: pd.DataFrame, experiment: Experiment, best: int | None = None) -> go.Figure | None:
    """The trials over two searched parameters, their verdicts as colours; None where nothing was searched.

    With a single parameter the other axis is the stability.
    """
    axes = map_axes(trials, experiment)
    if not axes:
        return None
    x, y = axes if len(axes) == 2 else (axes[0], "stability")
    figure = _verdicts(trials, x, y, best, f"{html.escape(x)} %{{x}}<br>{html.escape(y)} %{{y}}")
    for name, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        entry = experiment.search.get(name)
        update(title=html.escape(name), **_scale(trials[name], isinstance(entry, Range) and entry.log))
    return figure.update_layout(height=460)


def pareto(trials: pd.DataFrame, best: int | None = None) -> go.Figure | None:
    """Stability against distance, with the front of the healthy trials; None where nothing was measured."""
    measured = trials[np.isfinite(trials["distance"]) & np.isfinite(trials["stability"])]
    if measured.empty:
        return None
    figure = _verdicts(measured, "distance", "stability", best, "stability %{y}<br>distance %{x}")
    healthy = measured[(measured["verdict"] == "balanced") & (measured["status"] == "complete")]
    healthy = healthy.sort_values(["distance", "stability"], ascending=[True, False])
    front = healthy[healthy["stability"] > healthy["stability"].cummax().shift(fill_value=-math.inf)]
    figure.add_scatter(
        x=_rounded(front["distance"]),
        y=_rounded(front["stability"]),
        mode="lines",
        line={"color": _MUTED, "width": 1.5, "shape": "hv", "dash": "dot"},
        hoverinfo="skip",
    )
    figure.data = (figure.data[-1], *figure.data[:-1])  # the line lies below the trials
    wide = measured["distance"].min() > 0 and measured["distance"].max() > 10 * measured["distance"].min()
    figure.update_xaxes(title="distance (smaller is better)", **_scale(measured["distance"], bool(wide)))
    figure.update_yaxes(title="stability", range=[-0.04, 1.06])
    return figure.update_layout(height=420)


def answers(curves: pd.DataFrame, numbers: Sequence[int]) -> go.Figure:
    """What D says of real (solid) and of fake samples (dashed), over the updates of some trials."""
    return _curves(curves, numbers, {"p_real": "solid", "p_fake": "dash"})


def saturation(curves: pd.DataFrame, numbers: Sequence[int]) -> go.Figure:
    """The shares that D is certain of, rightly (solid) and wrongly (dashed)."""
    return _curves(curves, numbers, {"saturated_right": "solid", "saturated_wrong": "dash"})


def separability(curves: pd.DataFrame, numbers: Sequence[int]) -> go.Figure:
    """How well D's scores tell real from fake."""
    return _curves(curves, numbers, {"separability": "solid"})


def _verdicts(trials: pd.DataFrame, x: str, y: str, best: int | None, hover: str) -> go.Figure:
    """A trace a verdict; pruned trials are hollow, those without a verdict thin crosses, the best ringed."""
    figure = _figure()
    named = trials.assign(verdict=trials["verdict"].where(trials["verdict"].isin(COLOURS), "no verdict"))
    for verdict in ["no verdict", *COLOURS]:
        part = named[named["verdict"] == verdict]
        if part.empty:
            continue
        symbol = SYMBOLS.get(verdict, "x-thin")
        figure.add_scatter(
            x=_rounded(part[x]),
            y=_rounded(part[y]),
            mode="markers",
            name=verdict,
            marker={
                "color": COLOURS.get(verdict, _INK),
                "symbol": [symbol + ("-open" if status == "pruned" else "") for status in part["status"]],
                "size": (11 if "triangle" in symbol else 10) * (1 if len(trials) < 1000 else 0.5),
                "opacity": 0.9,
                "line": {"width": 1.5 if symbol == "x-thin" else 1, "color": COLOURS.get(verdict, _INK)},
            },
            customdata=np.stack([part["number"], _rounded(part["stability"]), _rounded(part["distance"])], -1),
            hovertemplate=f"<b>trial %{{customdata[0]}}</b> · {verdict.replace('_', ' ')}<br>{hover}"
            + ("" if y == "stability" else "<br>stability %{customdata[1]}<br>distance %{customdata[2]}")
            + "<extra></extra>",
        )
    chosen = trials[trials["number"] == best]
    figure.add_scatter(
        x=_rounded(chosen[x]),
        y=_rounded(chosen[y]),
        mode="markers",
        marker={
            "color": "rgba(0,0,0,0)",
            "symbol": "circle",
            "size": 20,
            "line": {"width": 2, "color": _INK},
        },
        hoverinfo="skip",
    )
    return figure


def _curves(curves: pd.DataFrame, numbers: Sequence[int], columns: dict[str, str]) -> go.Figure:
    """Medians over seeds, each column with its dash; the first trial in ink, thick, and above the others."""
    figure = _figure()
    for place, number in reversed(list(enumerate(numbers))):
        middle = curves[curves["number"] == number].groupby("update")[list(columns)].median()
        for column, dash in columns.items():
            figure.add_scatter(
                x=middle.index.to_numpy(),
                y=_rounded(middle[column]),
                mode="lines" if len(middle) > 1 else "markers",
                line={"color": _MUTED if place else _INK, "width": 1 if place else 2.4, "dash": dash},
                opacity=0.75 if place else 1,
                hovertemplate=f"trial {number} · {column} %{{y}}<br>update %{{x}}<extra></extra>",
            )
    figure.update_xaxes(title="update", rangemode="tozero")
    figure.update_yaxes(range=[-0.03, 1.03], dtick=0.25)
    return figure.update_layout(height=260)


def _figure() -> go.Figure:
    """An empty figure with the page's colours and no legend: the page has one for all."""
    axis = {
        "gridcolor": "var(--line)",
        "linecolor": "var(--line)",
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": "var(--line)",
        "automargin": True,
        "title": {"standoff": 10},
    }
    label = {"bgcolor": "var(--card)", "bordercolor": "var(--line)", "font": {"color": _INK, "size": 13}}
    return go.Figure(
        layout={
            "template": None,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": _MUTED, "size": 12, "family": "system-ui, sans-serif"},
            "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
            "hoverlabel": {**label, "align": "left"},
            "xaxis": axis,
            "yaxis": axis,
        }
    )


def _scale(column: pd.Series[Any], log: bool) -> dict[str, Any]:
    """A linear or logarithmic axis for a column, or one with a place for each of some texts."""
    if not pd.api.types.is_numeric_dtype(column):
        return {"type": "category"}
    if not log:
        return {"type": "linear"}
    low, high = math.log10(column.min()), math.log10(column.max())
    steps = (1,) if high - low > 3 else (1, 2, 5)
    ticks = [m * 10.0**e for e in range(math.floor(low) - 1, math.ceil(high) + 1) for m in steps]
    margin = 0.05 * max(high - low, 0.2)
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
        "range": [low - margin, high + margin],
    }


def _rounded(column: pd.Series[Any]) -> np.ndarray:
    """Values to draw: four digits are more than one sees, and keep the page small."""
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return column.astype(str).map(html.escape).to_numpy(dtype=object)
    return np.array([float(f"{value:.4g}") for value in column])
