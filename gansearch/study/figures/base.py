"""What all figures of a study share: an empty one, panels side by side, axes, and what is drawn of many trials.

A figure carries in `layout.meta` what the page needs beside it: `text`, which a screen reader reads in its place;
`drawn`, where not everything is drawn; `columns` and `row`, how its panels lie and how high they are.
"""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Choices, Experiment, Range
from gansearch.formatting import words
from gansearch.store.folder import StudyError
from gansearch.study.figures.palette import CARD, COLOURS, INK, LINE, MUTED, SYMBOLS

MOST = 1500
"""Trials that a figure draws at most: more hide each other, and make the page slow."""
_FEWEST = 50
"""Trials of each verdict that are drawn, however many others there are."""
_ABOVE, _BETWEEN, _BELOW = 40, 96, 56
"""Pixels above, between and below rows of panels, for titles above them and ticks below."""
_HEAD = 110
"""Pixels for the heading of a figure, beside plotly's buttons, and for the legend below."""
_DECADES = 6
"""Ticks of a logarithmic axis over many decades, about."""
_WIDTH = 1000
"""Pixels of a figure's width; the page knows better."""


class NothingToDraw(StudyError):
    """A figure has nothing to show, and says why."""


def blank(text: str, height: int = 440, name: str = "", key: str = "") -> go.Figure:
    """An empty figure in the page's colours; `text` says in words what it will show.

    `name` is its heading, with a `key` below: a page has headings of its own and takes it away, a notebook has none.
    """
    label = {"bgcolor": CARD, "bordercolor": LINE, "font": {"color": INK, "size": 13}, "align": "left"}
    figure = go.Figure(
        layout={
            "template": None,
            "showlegend": True,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "paper_bgcolor": CARD,
            "plot_bgcolor": CARD,
            "font": {"color": MUTED, "size": 12, "family": "system-ui, sans-serif"},
            "title": {
                "text": title(name),
                "subtitle": {"text": html.escape(key), "font": {"size": 11, "color": MUTED}},
                "font": {"size": 15, "color": INK},
                "x": 0,
                "xref": "paper",
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 8},
            },
            "margin": {"l": 8, "r": 12, "t": _HEAD, "b": 8},
            "hoverlabel": label,
            "height": height + _HEAD,
            "meta": {"text": text, "drawn": "", "head": _HEAD},
        }
    )
    return figure.update_layout(xaxis=_AXIS, yaxis=_AXIS)


def panels(
    figure: go.Figure,
    titles: Sequence[str],
    columns: int,
    row: int = 230,
    gap: int = 62,
    least: int = 120,
    up: str = "",
) -> go.Figure:
    """Lays axes (x, y), (x2, y2), … side by side, `columns` in a row of `row` pixels, each under its title.

    `gap` pixels between two hold the ticks of the right one. The page puts fewer in a row where one would have less
    than `least` pixels. `up` is what all y axes show, and stands at the first panel of each row.
    """
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    inner = rows * row + (rows - 1) * _BETWEEN + _ABOVE
    across, down = gap / _WIDTH, _BETWEEN / inner
    width, tall = (1 - across * (columns - 1)) / columns, row / inner
    for place, title in enumerate(titles):
        at, line = place % columns, place // columns
        end = str(place + 1) if place else ""
        x, y = at * (width + across), (rows - 1 - line) * (tall + down)
        figure.layout[f"xaxis{end}"] = {**_AXIS, "domain": [x, x + width], "anchor": f"y{end}"}
        figure.layout[f"yaxis{end}"] = {**_AXIS, "domain": [y, y + tall], "anchor": f"x{end}"}
        if up and not at:
            figure.layout[f"yaxis{end}"].title.text = up
        figure.add_annotation(
            text=title,
            x=0,
            y=1,
            xref=f"x{end} domain",
            yref=f"y{end} domain",
            xanchor="left",
            yanchor="bottom",
            align="left",
            showarrow=False,
            font={"color": INK, "size": 13},
        )
    meta = {"panels": len(titles), "columns": columns, "row": row, "gap": gap, "least": least, "up": up}
    meta = {**figure.layout.meta, **meta, "above": _ABOVE, "between": _BETWEEN, "below": _BELOW}
    return figure.update_layout(height=inner + _BELOW + _HEAD, meta=meta)


def title(text: str, key: str = "") -> str:
    """A panel's heading, with a key to its lines below."""
    return f"<b>{html.escape(text)}</b>" + (
        f"<br><span style='font-size:11px'>{html.escape(key)}</span>" if key else ""
    )


def thin(trials: pd.DataFrame, keep: Collection[int] = (), most: int = MOST) -> tuple[pd.DataFrame, str]:
    """The trials to draw, and the sentence that says so where some are left out.

    In order of number, evenly from each verdict and at least a few of each, and those with the numbers in `keep`.
    """
    if len(trials) <= most:
        return trials, ""
    chosen = set(keep)
    for _, part in trials.groupby(trials["verdict"].fillna(""), sort=False):
        count = min(len(part), max(_FEWEST, round(most * len(part) / len(trials))))
        chosen |= set(part["number"].iloc[np.linspace(0, len(part) - 1, count).astype(int)])
    drawn = trials[trials["number"].isin(chosen)]
    text = f"Drawn: {len(drawn):,} of {len(trials):,} trials, evenly from each verdict and at least {_FEWEST} of each."
    return drawn, text


def by_verdict(
    figure: go.Figure,
    trials: pd.DataFrame,
    x: str,
    y: str,
    hover: str,
    best: int | None = None,
    panel: int = 0,
    size: float = 10,
) -> None:
    """Adds a trace a verdict; pruned trials are hollow, those without a verdict thin crosses, the best is ringed.

    `hover` is a template of x and y; the trial, its verdict, stability and distance are there anyway.
    """
    axes = {"xaxis": f"x{panel + 1}" if panel else "x", "yaxis": f"y{panel + 1}" if panel else "y"}
    named = trials.assign(verdict=trials["verdict"].where(trials["verdict"].isin(COLOURS), "no verdict"))
    size = size if len(trials) < 500 else 0.6 * size
    for verdict in ["no verdict", *COLOURS]:
        part = named[named["verdict"] == verdict]
        if part.empty:
            continue
        symbol = SYMBOLS.get(verdict, "x-thin")
        colour = COLOURS.get(verdict, INK)
        figure.add_scatter(
            x=rounded(part[x]),
            y=rounded(part[y]),
            mode="markers",
            name=words(verdict),
            legendgroup=verdict,
            showlegend=not panel,
            marker={
                "color": colour,
                "symbol": [symbol + ("-open" if status == "pruned" else "") for status in part["status"]],
                "size": size * (1.1 if "triangle" in symbol else 1),
                "opacity": 0.9,
                "line": {"width": 1.5 if symbol == "x-thin" else 1, "color": colour},
            },
            customdata=[list(row) for row in zip(*(rounded(part[name]) for name in _HOVERED), strict=True)],
            hovertemplate=f"<b>trial %{{customdata[0]}}</b> · {words(verdict)}<br>{hover}"
            + ("<br>stability %{customdata[1]}" if y != "stability" else "")
            + ("<br>distance %{customdata[2]}" if "distance" not in (x, y) else "")
            + "<extra></extra>",
            **axes,
        )
    chosen = trials[trials["number"] == best]
    if len(chosen):
        figure.add_scatter(
            x=rounded(chosen[x]),
            y=rounded(chosen[y]),
            mode="markers",
            name="best-balanced",
            legendgroup="best",
            showlegend=not panel,
            marker={"color": "rgba(0,0,0,0)", "symbol": "circle", "size": 2 * size, "line": {"width": 2, "color": INK}},
            hoverinfo="skip",
            **axes,
        )


def scale(column: pd.Series[Any], log: bool, few: bool = False) -> dict[str, Any]:
    """A linear or logarithmic axis for a column, or one with a place for each of some texts.

    A panel has room for a `few` ticks alone.
    """
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return {"type": "category"}
    if not log or not column.min() > 0:
        return {"type": "linear", "nticks": 4} if few else {"type": "linear"}
    low, high = math.log10(column.min()), math.log10(column.max())
    margin = 0.05 * max(high - low, 0.2)
    steps = (1,) if high - low > 2 else (1, 2, 5)
    every = max(1, math.ceil((high - low) / _DECADES))
    exponents = range(math.floor(low) - 1, math.ceil(high) + 1)
    ticks = [m * 10.0**e for e in exponents if e % every == 0 for m in steps]
    ticks = [tick for tick in ticks if low - margin <= math.log10(tick) <= high + margin]
    if few and len(ticks) > 3:
        long = max(len(f"{tick:g}") for tick in ticks) > 4
        ticks = [ticks[0], *([] if long else [ticks[len(ticks) // 2]]), ticks[-1]]
    return {
        "type": "log",
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
        "range": [low - margin, high + margin],
    }


def distances(column: pd.Series[float]) -> dict[str, Any]:
    """An axis for distances: logarithmic where they span more than a decade, and never below 0 without need."""
    known = column[np.isfinite(column)]
    if wide(known) or known.empty:
        return scale(known, wide(known))
    low, high = float(known.min()), float(known.max())
    if low == high:
        return {"type": "linear", "range": sorted((0.0, 2 * low)) if low else [0.0, 1.0]}
    margin = 0.08 * (high - low)
    return {"type": "linear", "range": [max(0.0, low - margin) if low >= 0 else low - margin, high + margin]}


def searched(entry: object, column: pd.Series[Any], few: bool = False) -> dict[str, Any]:
    """An axis over all that was searched, not only over what was tried: one sees what lies at an edge.

    `entry` is that of the search; choices have a place each, in their order.
    """
    if isinstance(entry, Choices):
        places = [html.escape(one) for one in choices(entry, column)]
        return {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": places,
            "range": [-0.5, len(places) - 0.5],
        }
    if not isinstance(entry, Range):
        return scale(column, False, few)
    # A schedule or the settings that a sweep starts from may lie outside.
    whole = pd.concat([column.astype(float), pd.Series([float(entry.low), float(entry.high)])])
    axis, low, high = scale(whole, entry.log, few), float(whole.min()), float(whole.max())
    margin = 0.05 * (high - low) or 0.5
    return axis if axis["type"] == "log" else {**axis, "range": [low - margin, high + margin]}


def choices(entry: Choices, column: pd.Series[Any]) -> list[str]:
    """The choices of a parameter as the places of an axis, and behind them what trials had beside."""
    return list(dict.fromkeys(map(choice, [*entry.choices, *column])))


def choice(value: Any) -> str:
    """A choice as text, the same from an experiment and from a table, whose column may have made numbers of another
    type and NaN of null."""
    if isinstance(value, np.ndarray | list | tuple):
        return ", ".join(map(choice, value))
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "none"
    return f"{float(value):.6g}" if isinstance(value, Real) and not isinstance(value, bool) else str(value)


def placed(trials: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """The trials with each choice as its place on an axis."""
    entries = {
        name: entry for name, entry in experiment.search.items() if isinstance(entry, Choices) and name in trials
    }
    return trials.assign(**{name: trials[name].map(choice).astype(object) for name in entries})


def wide(column: pd.Series[float]) -> bool:
    """Whether positive numbers span more than a decade, and want a logarithmic axis."""
    known = column[np.isfinite(column)]
    return bool(len(known) and known.min() > 0 and known.max() > 10 * known.min())


def rounded(column: pd.Series[Any]) -> list[Any]:
    """Values to draw: four digits are more than one sees, and keep the page small; texts are escaped."""
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return [html.escape(str(value)) for value in column]
    if pd.api.types.is_integer_dtype(column):
        return [int(value) for value in column]
    return [float(f"{value:.4g}") for value in column]


_HOVERED = ("number", "stability", "distance")
_AXIS = {
    "gridcolor": LINE,
    "linecolor": LINE,
    "zeroline": False,
    "ticks": "outside",
    "tickcolor": LINE,
    "automargin": True,
    "title": {"standoff": 8},
}
