"""What mattered, and how sure the winner is: importance, its seeds beside others', its neighbourhood."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gansearch.experiment import Choices, Experiment
from gansearch.formatting import number as format_number
from gansearch.formatting import short, words
from gansearch.study.analysis.neighbourhood import WIDTH
from gansearch.study.analysis.seeds import Seeds
from gansearch.study.analysis.surrogate import ENOUGH, distance_surrogate, stability_surrogate
from gansearch.study.figures.axes import distance_axis, grid, rounded, spans_decade, value_axis
from gansearch.study.figures.base import (
    EmptyFigureError,
    add_band,
    add_panels,
    axes,
    bars,
    new_figure,
    style_axes,
    title,
)
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import COLOURS, INK, LINE, MUTED, SYMBOLS

_WIDE: dict[str, Any] = {"columns": 2, "gap": 150, "least": 240}
"""Panels whose y axes hold names."""


def importance(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the share of the differences between trials that each parameter explains by itself, for each target."""
    if not shares:
        raise EmptyFigureError("too few trials to say what mattered, or all are alike")
    texts = {target: [f"{share:.0%}" for share in found.values()] for target, found in shares.items()}
    description = "; ".join(
        f"for {target}: " + ", ".join(map(" ".join, zip(found, texts[target], strict=True)))
        for target, found in shares.items()
    )
    figure = new_figure(
        f"What explains the differences between trials, {description}.",
        heading="What mattered",
        key="The share of the differences between trials that each parameter explains by itself",
    )
    row = 30 + 30 * max(len(found) for found in shares.values())
    add_panels(figure, [title(f"for {target}") for target in shares], row=row, **_WIDE)
    for panel, (target, found) in enumerate(shares.items()):
        figure.add_bar(
            x=[round(100 * share, 1) for share in found.values()],
            y=[html.escape(name) for name in found],
            orientation="h",
            marker={"color": MUTED},
            text=texts[target],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x}%<extra></extra>",
            **axes(panel),
        )
        y_axis = {"autorange": "reversed", "showgrid": False, "ticks": ""}
        style_axes(figure, panel, {"range": [0, 110], "visible": False}, y_axis)
    return figure.update(showlegend=False, bargap=0.5).figure()


def seeds(groups: Sequence[Seeds]) -> Figure:
    """Draw each seed of some configurations, with the median and the interval of new median distances."""
    groups = [group for group in groups if group.seeds]
    targets = [
        target
        for target in ("stability", "distance")
        if any(math.isfinite(getattr(seed, target)) for group in groups for seed in group.seeds)
    ]
    if not targets:
        raise EmptyFigureError("no seed has a stability or a distance")
    descriptions = [
        f"{group.label}: {group.healthy} of {len(group.seeds)} seeds {group.healthy_word}, "
        f"stability {format_number(group.stability)}, distance {format_number(group.distance)}"
        for group in groups
    ]
    figure = new_figure("; ".join(descriptions) + ".", heading="Each configuration on its seeds")
    titles = [title(target.capitalize(), interval_key(groups) if target == "distance" else "") for target in targets]
    add_panels(figure, titles, row=46 * len(groups) + 20, **_WIDE)
    for panel, target in enumerate(targets):
        add_seeds(figure, groups, target, panel)
    return figure.figure()


def interval_key(groups: Sequence[Seeds]) -> str:
    """Return the key to the bar of new medians, where a configuration has one."""
    return "bar: 95% of new medians" if any(group.interval for group in groups) else ""


def add_seeds(figure: Drawing, groups: Sequence[Seeds], target: str, panel: int) -> None:
    """Add the stability or distance of each seed to a panel, a row for each group, with a stroke at its median."""
    common = {"mode": "markers", "showlegend": not panel, **axes(panel)}
    points = [(html.escape(group.label), seed) for group in groups for seed in group.seeds]
    for verdict, colour in COLOURS.items():
        part = [(label, seed) for label, seed in points if seed.verdict == verdict]
        if part:
            figure.add_scatter(
                x=[getattr(seed, target) for _, seed in part],
                y=[label for label, _ in part],
                name=words(verdict),
                legendgroup=verdict,
                marker={"color": colour, "symbol": SYMBOLS[verdict], "size": 10, "opacity": 0.85},
                customdata=[seed.seed if seed.seed >= 0 else "unknown" for _, seed in part],
                hovertemplate=f"seed %{{customdata}} · {words(verdict)}<br>{target} %{{x:.4g}}<extra></extra>",
                **common,
            )
    labels = [html.escape(group.label) for group in groups]
    medians = [getattr(group, target) for group in groups]
    known = [group.interval if target == "distance" else None for group in groups]
    intervals = [ends or (median, median) for ends, median in zip(known, medians, strict=True)]
    figure.add_scatter(
        x=medians,
        y=labels,
        name="median",
        legendgroup="median",
        marker={"symbol": "line-ns", "size": 24, "line": {"width": 2, "color": INK}},
        error_x=bars(medians, intervals, thickness=1.5),
        hovertemplate="%{y}<br>median %{x:.4g}<extra></extra>",
        **common,
    )
    values = pd.Series([*np.ravel(intervals), *(getattr(seed, target) for _, seed in points)])
    x_axis = {"range": [-0.02, 1.02]} if target == "stability" else distance_axis(values)
    rows = {"categoryorder": "array", "categoryarray": labels, "range": [len(groups) - 0.4, -0.6]}
    ticks = {"tickvals": labels, "ticktext": [html.escape(short(group.label)) for group in groups], "ticks": ""}
    style_axes(figure, panel, x_axis, {"type": "category", **rows, **ticks})


def neighbourhood(trials: pd.DataFrame, experiment: Experiment, number: int) -> Figure:
    """Draw the distance that a forest expects if one parameter of a trial changes and the others stay.

    Where too few distances are known it is the stability. The band holds eight in ten of the forest's trees. Shaded
    is what counts as near, ± 10% of each range; choices have no such range.
    """
    distance = distance_surrogate(trials)
    forest, target = distance or stability_surrogate(trials), "distance" if distance else "stability"
    if forest is None:
        raise EmptyFigureError(f"a neighbourhood takes {ENOUGH} trials to guess at, there are {len(trials)}")
    centre = forest.points[trials["number"] == number].iloc[0]
    names = list(forest.scales)
    figure = new_figure(
        f"Expected {target} around trial {number}, a parameter at a time: {', '.join(names)}.",
        heading=f"What is expected around trial {number}",
        key="One parameter changes, the others stay; dotted: the trial’s own",
    )
    add_panels(figure, [title(name) for name in names], columns=5, row=180, up=f"expected {target}")
    edges = []
    for panel, (name, scale) in enumerate(forest.scales.items()):
        x, units = grid(forest, name, trials, experiment, 41)
        points = forest.where(centre, {name: units})
        expected = np.stack([*np.quantile(forest.each(points), (0.1, 0.9), axis=0), forest(points)])
        low, high, middle = np.exp(expected) if target == "distance" else expected
        edges += [low, high]
        discrete = isinstance(experiment.search.get(name), Choices) or bool(scale.texts)
        hover = f"{html.escape(name)} %{{x}}<br>expected {target} %{{y}}<extra></extra>"
        add_band(figure, x, low, high, panel)
        line = {"line": {"color": INK, "width": 2}, "mode": "lines+markers" if discrete else "lines", **axes(panel)}
        figure.add_scatter(x=x, y=rounded(middle), marker={"size": 6}, hovertemplate=hover, **line)
        own = int(np.abs(units - centre[name]).argmin())
        if discrete:
            # The place of a choice, not its text: a shape takes "1" for the second of the choices 0, 0.1 and 1.
            style_axes(figure, panel, {"type": "category"})
            _mark_centre(figure, panel, own)
        else:
            style_axes(figure, panel, value_axis(pd.Series(x), scale.log, few_ticks=True))
            near = scale.values(np.clip([centre[name] - WIDTH, centre[name] + WIDTH], 0, 1))
            _mark_centre(figure, panel, x[own], near)
    whole = pd.Series(np.concatenate(edges))
    y_axis = value_axis(whole, True) if spans_decade(whole) else {"range": [0, 1.05 * float(whole.max())]}
    for panel in range(len(names)):
        style_axes(figure, panel, y=y_axis)
    return figure.update(showlegend=False).figure()


def _mark_centre(figure: Drawing, panel: int, x: float, near: np.ndarray | None = None) -> None:
    """Add a dotted line at x, and a shade over the range that counts as near."""
    names = axes(panel)
    common = {"y0": 0, "y1": 1, "xref": names["xaxis"], "yref": f"{names['yaxis']} domain"}
    if near is not None:
        shade = {"type": "rect", "fillcolor": LINE, "line": {"width": 0}, "layer": "below"}
        figure.add_shape(x0=near[0], x1=near[1], **common, **shade)
    figure.add_shape(type="line", x0=x, x1=x, line={"color": INK, "width": 1, "dash": "dot"}, **common)
