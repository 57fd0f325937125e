"""Where the compute went: the trials of each slot over time, or how many slots were busy with which verdict."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd

from gansearch.formatting import duration, many, words
from gansearch.study.analysis.time_spent import by_slot
from gansearch.study.figures.base import EmptyFigureError, new_figure, style_axes
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import CARD, COLOURS, MUTED

_MAX_BARS, _MAX_SLOTS = 1000, 32
"""Trials and slots up to which each trial is a bar."""
_UNITS = ((3600, "hours"), (60, "minutes"), (1, "seconds"))
_STEPS = (1, 2, 5, 10, 15, 20, 50, 100, 200, 500)
_BINS = 120


def timeline(trials: pd.DataFrame) -> Figure:
    """Draw the trials of each slot over time by verdict; of many trials or slots, how many slots were busy."""
    slots = by_slot(trials).join(trials[["verdict", "status"]])
    if slots.empty:
        raise EmptyFigureError("no trial has ended yet")
    slots["verdict"] = slots["verdict"].fillna("no verdict")
    count, end = slots["slot"].nunique(), float(slots["end"].max())
    busy = float((slots["end"] - slots["begin"]).sum() / (count * end)) if end > 0 else 1.0
    figure = new_figure(
        f"{many(len(slots), 'trial')} on {many(count, 'slot')} in {duration(end)}; "
        f"the slots were busy {busy:.0%} of it.",
        heading="Where the compute went",
        key="Hatched: pruned",
    )
    draw = _add_areas if len(slots) > _MAX_BARS or count > _MAX_SLOTS else _add_bars
    draw(figure, slots)
    unit, name = next((u, n) for u, n in _UNITS if end >= 2 * u or u == 1)
    step = next((step for step in _STEPS if end / unit / step <= 8), _STEPS[-1])
    ticks = np.arange(0, end / unit + step / 2, step)
    texts = [f"{tick:g}" for tick in ticks]
    style_axes(figure, 0, {"title": {"text": name}, "tickvals": (ticks * unit).tolist(), "ticktext": texts})
    return figure.figure()


def _parts(slots: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return the verdicts that occur, each with its colour and its trials."""
    groups = [(verdict, slots[slots["verdict"] == verdict]) for verdict in [*COLOURS, "no verdict"]]
    return [(words(verdict), COLOURS.get(verdict, MUTED), part) for verdict, part in groups if len(part)]


def _add_bars(figure: Drawing, slots: pd.DataFrame) -> None:
    """Draw a row for each slot and a bar for each trial."""
    for verdict, colour, part in _parts(slots):
        seconds = part["end"] - part["begin"]
        figure.add_bar(
            base=part["begin"].round(1).tolist(),
            x=seconds.round(1).tolist(),
            y=part["slot"].map(html.escape).tolist(),
            orientation="h",
            name=verdict,
            marker={
                "color": colour,
                "line": {"width": 1, "color": CARD},
                "pattern": {
                    "shape": ["/" if status == "pruned" else "" for status in part["status"]],
                    "fgcolor": CARD,
                    "size": 6,
                },
            },
            customdata=[list(row) for row in zip(part["number"], part["status"], seconds.map(duration), strict=True)],
            hovertemplate=f"<b>trial %{{customdata[0]}}</b> · {verdict}<br>%{{customdata[1]}}, %{{customdata[2]}}"
            "<extra></extra>",
        )
    names = sorted(slots["slot"].unique(), key=lambda name: (name.rpartition(" ")[0], int(name.rpartition(" ")[2])))
    rows = {"categoryorder": "array", "categoryarray": names[::-1], "type": "category"}
    style_axes(figure, 0, y={**rows, "showgrid": False, "ticks": ""})
    figure.update(height=70 + 34 * len(names) + figure.layout["meta"]["head"], barmode="overlay", bargap=0.25)


def _add_areas(figure: Drawing, slots: pd.DataFrame) -> None:
    """Draw how many slots each verdict kept busy, on average over each of some equal spans of time."""
    edges = np.linspace(0, float(slots["end"].max()), _BINS + 1)
    for verdict, colour, part in _parts(slots):
        # Seconds that were spent up to each edge. Their differences are those within a span.
        begin, end = part["begin"].to_numpy(), part["end"].to_numpy()
        spent = [float(np.clip(np.minimum(end, edge) - begin, 0, None).sum()) for edge in edges]
        figure.add_scatter(
            x=edges[1:].round(1).tolist(),
            y=(np.diff(spent) / (edges[-1] / _BINS)).round(2).tolist(),
            name=verdict,
            mode="lines",
            stackgroup="slots",
            line={"width": 0.5, "color": colour},
            fillcolor=colour,
            hovertemplate=f"{verdict}: %{{y}} slots<extra></extra>",
        )
    style_axes(figure, 0, y={"title": {"text": "busy slots"}, "rangemode": "tozero"})
    note = f"Drawn: busy slots in {_BINS} equal spans, in place of {len(slots):,} trials one by one."
    figure.update(height=300 + figure.layout["meta"]["head"], meta={"drawn": note})
