"""What mattered, and how sure the winner is: importance, its seeds beside others', its neighbourhood."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Choices, Experiment
from gansearch.formatting import number as told
from gansearch.formatting import short, words
from gansearch.study.analysis.neighbourhood import WIDTH
from gansearch.study.analysis.seeds import Seeds
from gansearch.study.analysis.surrogate import ENOUGH, Surrogate, scales
from gansearch.study.figures.base import NothingToDraw, blank, distances, panels, scale, title, wide
from gansearch.study.figures.palette import COLOURS, INK, LINE, MUTED, SYMBOLS
from gansearch.study.figures.trials import grid


def importance(shares: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """The share of the differences between trials that each parameter explains by itself, for each target."""
    if not shares:
        raise NothingToDraw("too few trials to say what mattered, or all are alike")
    said = "; ".join(
        f"for {target}: " + ", ".join(f"{name} {share:.0%}" for name, share in found.items())
        for target, found in shares.items()
    )
    figure = blank(
        f"What explains the differences between trials, {said}.",
        name="What mattered",
        key="The share of the differences between trials that each parameter explains by itself",
    )
    row = 30 + 30 * max(len(found) for found in shares.values())
    panels(figure, [title(f"for {target}") for target in shares], columns=2, row=row, gap=150, least=240)
    for place, found in enumerate(shares.values()):
        end = str(place + 1) if place else ""
        figure.add_bar(
            x=[round(100 * share, 1) for share in found.values()],
            y=[html.escape(name) for name in found],
            orientation="h",
            marker={"color": MUTED},
            text=[f"{share:.0%}" for share in found.values()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x}%<extra></extra>",
            xaxis=f"x{end}",
            yaxis=f"y{end}",
        )
        figure.layout[f"xaxis{end}"].update(range=[0, 110], visible=False)
        figure.layout[f"yaxis{end}"].update(autorange="reversed", showgrid=False, ticks="")
    return figure.update_layout(showlegend=False, bargap=0.5)


def seeds(groups: Sequence[Seeds]) -> go.Figure:
    """Each seed of some configurations, with the median and, for the distance, where new medians would lie."""
    targets = [name for name in ("stability", "distance") if any(_known(group, name) for group in groups)]
    if not targets:
        raise NothingToDraw("no seed has a stability or a distance")
    groups = [group for group in groups if group.seeds]
    said = [
        f"{group.label}: {group.healthy} of {len(group.seeds)} seeds balanced, stability {told(group.stability)}, "
        f"distance {told(group.distance)}"
        for group in groups
    ]
    figure = blank("; ".join(said) + ".", name="Each configuration on its seeds")
    heads = [title(target.capitalize(), bar(groups) if target == "distance" else "") for target in targets]
    panels(figure, heads, columns=2, row=46 * len(groups) + 20, gap=150, least=240)
    for place, target in enumerate(targets):
        add_seeds(figure, groups, target, place)
    return figure


def bar(groups: Sequence[Seeds]) -> str:
    """The key to the bar of new medians, where a configuration has one."""
    return "bar: 95% of new medians" if any(group.interval for group in groups) else ""


def _known(group: Seeds, target: str) -> bool:
    return any(math.isfinite(seed[target]) for seed in group.seeds)


def add_seeds(figure: go.Figure, groups: Sequence[Seeds], target: str, panel: int) -> None:
    """Adds the stability or distance of each seed to a panel, a line a group: seeds are points, medians strokes."""
    end = str(panel + 1) if panel else ""
    axes = {"xaxis": f"x{end}", "yaxis": f"y{end}"}
    labels = [html.escape(group.label) for group in groups]
    medians = [getattr(group, target) for group in groups]
    ends = [
        (group.interval if target == "distance" else None) or (middle, middle)
        for group, middle in zip(groups, medians, strict=True)
    ]
    for verdict, colour in COLOURS.items():
        points = [
            (html.escape(group.label), seed) for group in groups for seed in group.seeds if seed["verdict"] == verdict
        ]
        if points:
            figure.add_scatter(
                x=[seed[target] for _, seed in points],
                y=[label for label, _ in points],
                mode="markers",
                name=words(verdict),
                legendgroup=verdict,
                showlegend=not panel,
                marker={"color": colour, "symbol": SYMBOLS[verdict], "size": 10, "opacity": 0.85},
                customdata=[seed["seed"] for _, seed in points],
                hovertemplate=f"seed %{{customdata}} · {words(verdict)}<br>{target} %{{x:.4g}}<extra></extra>",
                **axes,
            )
    figure.add_scatter(
        x=medians,
        y=labels,
        mode="markers",
        name="median",
        legendgroup="median",
        showlegend=not panel,
        marker={"symbol": "line-ns", "size": 24, "line": {"width": 2, "color": INK}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - middle for (_, high), middle in zip(ends, medians, strict=True)],
            "arrayminus": [middle - low for (low, _), middle in zip(ends, medians, strict=True)],
            "color": MUTED,
            "thickness": 1.5,
            "width": 0,
        },
        hovertemplate="%{y}<br>median %{x:.4g}<extra></extra>",
        **axes,
    )
    places: dict[str, Any] = {"categoryorder": "array", "categoryarray": labels, "range": [len(groups) - 0.4, -0.6]}
    places |= {"tickvals": labels, "ticktext": [html.escape(short(group.label)) for group in groups]}
    figure.layout[f"yaxis{end}"].update(type="category", ticks="", **places)
    values = pd.Series([value for pair in ends for value in pair] + [s[target] for g in groups for s in g.seeds])
    figure.layout[f"xaxis{end}"].update({"range": [-0.02, 1.02]} if target == "stability" else distances(values))


def neighbourhood(trials: pd.DataFrame, experiment: Experiment, number: int) -> go.Figure:
    """What a forest expects of the distance if one parameter of a trial changes and the others stay.

    Where too few distances are known it is the stability. The band holds eight in ten of the forest's trees; shaded is
    what counts as near, ± 10% of each range; choices have no such thing.
    """
    logs = np.log(trials["distance"].where(trials["distance"] > 0)).replace(math.inf, math.nan)
    target = "distance" if logs.notna().sum() >= ENOUGH else "stability"
    if len(trials) < ENOUGH or not scales(trials):
        raise NothingToDraw(f"a neighbourhood takes {ENOUGH} trials to guess at, there are {len(trials)}")
    values = logs.fillna(logs.max()) if target == "distance" else trials["stability"].fillna(0.0)
    forest = Surrogate(trials, values)
    at = forest.points[trials["number"] == number].iloc[0]
    figure = blank(
        f"Expected {target} around trial {number}, a parameter at a time: {', '.join(forest.scales)}.",
        name=f"What is expected around trial {number}",
        key="One parameter changes, the others stay; dotted: the trial’s own",
    )
    heads, up = [title(name) for name in forest.scales], f"expected {target}"
    panels(figure, heads, columns=min(5, len(forest.scales)), row=180, up=up)
    back = np.exp if target == "distance" else np.asarray
    found = []
    for place, (name, lying) in enumerate(forest.scales.items()):
        end = str(place + 1) if place else ""
        x, unit = grid(forest, name, trials, experiment, 41)
        chosen = isinstance(experiment.search.get(name), Choices) or bool(lying.texts)
        points = forest.where(at, {name: unit})
        low, high = back(np.quantile(forest.each(points), (0.1, 0.9), axis=0))
        middle = back(forest(points))
        found += [low, high]
        common = {"x": x, "xaxis": f"x{end}", "yaxis": f"y{end}"}
        edge = {"mode": "lines", "line": {"width": 0, "color": MUTED}, "hoverinfo": "skip"}
        figure.add_scatter(y=low, **common, **edge)
        figure.add_scatter(y=high, **common, **edge, fill="tonexty", fillcolor="rgba(120,130,140,.22)")
        figure.add_scatter(
            y=[float(f"{value:.4g}") for value in middle],
            mode="lines+markers" if chosen else "lines",
            marker={"size": 6},
            line={"color": INK, "width": 2},
            hovertemplate=f"{html.escape(name)} %{{x}}<br>expected {target} %{{y}}<extra></extra>",
            **common,
        )
        axis = figure.layout[f"xaxis{end}"]
        axis.update({"type": "category"} if chosen else scale(pd.Series(x), lying.log, few=True))
        if not chosen:
            near = lying.values(np.clip([at[name] - WIDTH, at[name] + WIDTH], 0, 1))
            box = {
                "type": "rect",
                "x0": near[0],
                "x1": near[1],
                "y0": 0,
                "y1": 1,
                "fillcolor": LINE,
                "line": {"width": 0},
            }
            figure.add_shape(**box, xref=f"x{end}", yref=f"y{end} domain", layer="below")
        place_of = int(np.abs(unit - at[name]).argmin())
        own = place_of if chosen else x[place_of]  # a shape takes "1" for the second of the choices 0, .1 and 1
        line = {
            "type": "line",
            "x0": own,
            "x1": own,
            "y0": 0,
            "y1": 1,
            "line": {"color": INK, "width": 1, "dash": "dot"},
        }
        figure.add_shape(**line, xref=f"x{end}", yref=f"y{end} domain")
    whole = pd.Series(np.concatenate(found))
    for place in range(len(forest.scales)):
        axis = figure.layout[f"yaxis{place + 1}" if place else "yaxis"]
        axis.update(scale(whole, True) if wide(whole) else {"range": [0, 1.05 * float(whole.max())]})
    return figure.update_layout(showlegend=False)
