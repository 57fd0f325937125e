"""Figures in the look of the report: an empty one, panels side by side, and markers for trials.

`layout.meta` of a figure carries what the page needs beside it: `text`, which a screen reader reads in its place;
`drawn`, a note where only a part of the data is drawn; `head`, the pixels of the heading; and the sizes of the panels.
"""

from __future__ import annotations

import html
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gansearch.formatting import words
from gansearch.store.folder import StudyError
from gansearch.study.figures.axes import rounded
from gansearch.study.figures.drawing import Drawing
from gansearch.study.figures.palette import CARD, COLOURS, INK, LINE, MUTED, SYMBOLS

MAX_TRIALS = 1500
"""Trials that a figure draws at most. More of them hide each other and make the page slow."""
_MIN_PER_VERDICT = 50
"""Trials of each verdict that are drawn, however many others there are."""
_ABOVE, _BETWEEN, _BELOW = 40, 96, 56
"""Pixels above, between and below rows of panels, for titles above them and ticks below."""
_HEADING = 110
"""Pixels for the heading of a figure, beside plotly's buttons, and for the legend below."""
_WIDTH = 1000
"""Pixels of a figure's width for the first layout. The page computes the panels again from its own width."""
_LINES = {"gridcolor": LINE, "linecolor": LINE, "tickcolor": LINE}
_AXIS = {**_LINES, "zeroline": False, "ticks": "outside", "automargin": True, "title": {"standoff": 8}}


class EmptyFigureError(StudyError):
    """A figure has nothing to show. The message gives the reason."""


def new_figure(description: str, height: int = 440, heading: str = "", key: str = "") -> Drawing:
    """Return an empty figure of `height` pixels below its heading, in the page's colours.

    `description` says in words what the figure shows. `heading` and the `key` below it are for notebooks: the page
    has headings of its own and removes them.
    """
    subtitle = {"text": html.escape(key), "font": {"size": 11, "color": MUTED}}
    top_left = {"x": 0, "xref": "paper", "y": 1, "yanchor": "top", "pad": {"t": 8}}
    return Drawing(
        template=None,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        paper_bgcolor=CARD,
        plot_bgcolor=CARD,
        font={"color": MUTED, "size": 12, "family": "system-ui, sans-serif"},
        title={"text": title(heading), "font": {"size": 15, "color": INK}, "subtitle": subtitle, **top_left},
        margin={"l": 8, "r": 12, "t": _HEADING, "b": 8},
        hoverlabel={"bgcolor": CARD, "bordercolor": LINE, "font": {"color": INK, "size": 13}, "align": "left"},
        height=height + _HEADING,
        meta={"text": description, "drawn": "", "head": _HEADING},
        xaxis=_AXIS,
        yaxis=_AXIS,
    )


def title(text: str, key: str = "") -> str:
    """Return the heading of a panel as HTML, with a key to its lines below."""
    subtitle = f"<br><span style='font-size:11px'>{html.escape(key)}</span>" if key else ""
    return f"<b>{html.escape(text)}</b>{subtitle}"


def add_panels(
    figure: Drawing, titles: Sequence[str], columns: int, row: int = 230, gap: int = 62, least: int = 120, up: str = ""
) -> Drawing:
    """Lay axes (x, y), (x2, y2), … side by side, `columns` in a row of `row` pixels, each under its title.

    `gap` pixels between two panels hold the ticks of the right one. The page puts fewer panels in a row where one
    would be narrower than `least` pixels. `up` names all y axes and is written at the first panel of each row.
    """
    columns = min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    inner = rows * row + (rows - 1) * _BETWEEN + _ABOVE
    width = (1 - gap / _WIDTH * (columns - 1)) / columns
    top_left = {"x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "align": "left"}
    for panel, text in enumerate(titles):
        line, place = divmod(panel, columns)
        left, bottom = place * (width + gap / _WIDTH), (rows - 1 - line) * (row + _BETWEEN) / inner
        names = axes(panel)
        x_axis = {**_AXIS, "domain": [left, left + width], "anchor": names["yaxis"]}
        y_axis = {**_AXIS, "domain": [bottom, bottom + row / inner], "anchor": names["xaxis"]}
        style_axes(figure, panel, x_axis, y_axis)
        if up and place == 0:
            style_axes(figure, panel, y={"title": {"text": up}})
        at = {"xref": f"{names['xaxis']} domain", "yref": f"{names['yaxis']} domain"}
        figure.add_text(text=text, font={"color": INK, "size": 13}, **at, **top_left)
    sizes = {"panels": len(titles), "columns": columns, "row": row, "gap": gap, "least": least, "up": up}
    meta = {**sizes, "above": _ABOVE, "between": _BETWEEN, "below": _BELOW}
    return figure.update(meta=meta, height=inner + _BELOW + _HEADING)


def axes(panel: int) -> dict[str, str]:
    """Return the axes of a panel, counted from 0, as a trace refers to them: `{"xaxis": "x2", "yaxis": "y2"}`."""
    suffix = panel + 1 if panel else ""
    return {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}


def style_axes(
    figure: Drawing, panel: int, x: Mapping[str, Any] | None = None, y: Mapping[str, Any] | None = None
) -> None:
    """Update properties of the axes of a panel, counted from 0."""
    suffix = panel + 1 if panel else ""
    figure.update(**{f"xaxis{suffix}": x or {}, f"yaxis{suffix}": y or {}})


def bars(
    middles: Sequence[float] | np.ndarray, ends: Sequence[tuple[float, float]], thickness: float
) -> dict[str, Any]:
    """Return what a trace has as `error_x` for a bar from the one to the other end about each of its points."""
    lows, highs = np.array(ends).T
    sides = {"array": rounded(highs - middles), "arrayminus": rounded(middles - lows)}
    return {"type": "data", "symmetric": False, **sides, "color": MUTED, "thickness": thickness, "width": 0}


def add_band(figure: Drawing, x: Sequence[Any], low: np.ndarray, high: np.ndarray, panel: int = 0) -> None:
    """Shade a panel between two lines."""
    edge = {"x": x, "mode": "lines", "line": {"width": 0, "color": MUTED}, "hoverinfo": "skip", **axes(panel)}
    figure.add_scatter(y=rounded(low), **edge)
    figure.add_scatter(y=rounded(high), **edge, fill="tonexty", fillcolor="rgba(120,130,140,.22)")


def subsample(
    trials: pd.DataFrame, include: Collection[int | None] = (), most: int = MAX_TRIALS
) -> tuple[pd.DataFrame, str]:
    """Return the trials to draw and a sentence that says so where some are left out.

    They are taken evenly from each verdict in order of number, at least a few of each, and with the numbers in
    `include`.
    """
    if len(trials) <= most:
        return trials, ""
    chosen = set(include)
    for _, part in trials.groupby(trials["verdict"].fillna(""), sort=False):
        count = min(len(part), max(_MIN_PER_VERDICT, round(most * len(part) / len(trials))))
        chosen |= set(part["number"].iloc[np.linspace(0, len(part) - 1, count).astype(int)])
    drawn = trials[trials["number"].isin(chosen)]
    return drawn, (
        f"Drawn: {len(drawn):,} of {len(trials):,} trials, evenly from each verdict and at least {_MIN_PER_VERDICT} "
        "of each."
    )


def add_trials(
    figure: Drawing,
    trials: pd.DataFrame,
    x: str,
    y: str,
    hover: str,
    best: int | None = None,
    panel: int = 0,
    size: float = 10,
) -> None:
    """Add a trace of markers for each verdict.

    Markers of pruned trials are hollow, those of trials without a verdict thin crosses, and a ring marks the best.
    `hover` is a template of x and y. The number and verdict of a trial are always shown, and its stability and distance
    where any trial has one.
    """
    common = {"mode": "markers", "showlegend": not panel, **axes(panel)}
    named = trials.assign(verdict=trials["verdict"].where(trials["verdict"].isin(COLOURS), "no verdict"))
    size = size if len(trials) < 500 else 0.6 * size
    known = {name: trials[name].notna().any() for name in ("stability", "distance")}
    stability = "<br>stability %{customdata[1]}" if y != "stability" and known["stability"] else ""
    distance = "<br>distance %{customdata[2]}" if "distance" not in (x, y) and known["distance"] else ""
    for verdict in ["no verdict", *COLOURS]:
        part = named[named["verdict"] == verdict]
        if part.empty:
            continue
        symbol, colour = SYMBOLS.get(verdict, "x-thin"), COLOURS.get(verdict, INK)
        facts = (rounded(part[name]) for name in ("number", "stability", "distance"))
        figure.add_scatter(
            x=rounded(part[x]),
            y=rounded(part[y]),
            name=words(verdict),
            legendgroup=verdict,
            marker={
                "color": colour,
                "symbol": [symbol + ("-open" if status == "pruned" else "") for status in part["status"]],
                "size": size * (1.1 if "triangle" in symbol else 1),
                "opacity": 0.9,
                "line": {"width": 1.5 if symbol == "x-thin" else 1, "color": colour},
            },
            customdata=[list(row) for row in zip(*facts, strict=True)],
            hovertemplate=f"<b>trial %{{customdata[0]}}</b> · {words(verdict)}<br>{hover}{stability}{distance}"
            "<extra></extra>",
            **common,
        )
    ring = trials[trials["number"] == best]
    if len(ring):
        figure.add_scatter(
            x=rounded(ring[x]),
            y=rounded(ring[y]),
            name="best-balanced",
            legendgroup="best",
            marker={"color": "rgba(0,0,0,0)", "symbol": "circle", "size": 2 * size, "line": {"width": 2, "color": INK}},
            hoverinfo="skip",
            **common,
        )
