"""Where the compute went, as a picture: each slot's trials, or how many slots were busy with what."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.formatting import duration, many, words
from gansearch.study.analysis.time_spent import by_slot
from gansearch.study.figures.base import NothingToDraw, blank
from gansearch.study.figures.palette import CARD, COLOURS, MUTED

_BARS = 1000
"""Trials from which on slots are counted, not drawn one by one."""
_SLOTS = 32
_UNITS = ((3600, "hours"), (60, "minutes"), (1, "seconds"))
_STEPS = (1, 2, 5, 10, 15, 20, 50, 100, 200, 500)
_BINS = 120


def timeline(trials: pd.DataFrame) -> go.Figure:
    """The trials of each slot over the time, by verdict; of many trials or slots how many were busy with what."""
    slots = by_slot(trials)
    if slots.empty:
        raise NothingToDraw("no trial has ended yet")
    verdicts = trials["verdict"][slots.index].fillna("no verdict")
    count, whole = slots["slot"].nunique(), float(slots["end"].max())
    busy = float((slots["end"] - slots["begin"]).sum() / (count * whole)) if whole > 0 else 1.0
    said = f"{many(len(slots), 'trial')} on {many(count, 'slot')} in {duration(whole)}"
    figure = blank(
        f"{said}; the slots were busy {busy:.0%} of it.", name="Where the compute went", key="Hatched: pruned"
    )
    if len(slots) > _BARS or count > _SLOTS:
        _counted(figure, slots, verdicts, whole)
    else:
        _bars(figure, slots, verdicts, trials)
    unit, name = next((u, n) for u, n in _UNITS if whole >= 2 * u or u == 1)
    step = next((step for step in _STEPS if whole / unit / step <= 8), _STEPS[-1])
    ticks = np.arange(0, whole / unit + step / 2, step)
    figure.update_xaxes(title_text=name, tickvals=(ticks * unit).tolist(), ticktext=[f"{tick:g}" for tick in ticks])
    return figure


def _bars(figure: go.Figure, slots: pd.DataFrame, verdicts: pd.Series[str], trials: pd.DataFrame) -> None:
    names = sorted(slots["slot"].unique(), key=lambda name: (name.rpartition(" ")[0], int(name.rpartition(" ")[2])))
    for verdict in [*COLOURS, "no verdict"]:
        rows = verdicts == verdict
        if not rows.any():
            continue
        part, status = slots[rows], trials["status"][slots.index][rows]
        figure.add_bar(
            base=part["begin"].round(1).tolist(),
            x=(part["end"] - part["begin"]).round(1).tolist(),
            y=part["slot"].map(html.escape).tolist(),
            orientation="h",
            name=words(verdict),
            marker={
                "color": COLOURS.get(verdict, MUTED),
                "line": {"width": 1, "color": CARD},
                "pattern": {"shape": ["/" if one == "pruned" else "" for one in status], "fgcolor": CARD, "size": 6},
            },
            customdata=[
                [int(number), one, duration(seconds)]
                for number, one, seconds in zip(part["number"], status, part["end"] - part["begin"], strict=True)
            ],
            hovertemplate=f"<b>trial %{{customdata[0]}}</b> · {words(verdict)}"
            "<br>%{customdata[1]}, %{customdata[2]}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], type="category", showgrid=False, ticks="")
    figure.update_layout(height=70 + 34 * len(names) + figure.layout.meta["head"], barmode="overlay", bargap=0.25)


def _counted(figure: go.Figure, slots: pd.DataFrame, verdicts: pd.Series[str], whole: float) -> None:
    """How many slots each verdict kept busy, on average over each of some equal spans."""
    edges = np.linspace(0, whole, _BINS + 1)
    for verdict in [*COLOURS, "no verdict"]:
        part = slots[verdicts == verdict]
        if part.empty:
            continue
        # Seconds that were spent up to each edge; their differences are those within a span.
        begin, end = part["begin"].to_numpy(), part["end"].to_numpy()
        spent = [float(np.clip(np.minimum(end, edge) - begin, 0, None).sum()) for edge in edges]
        figure.add_scatter(
            x=edges[1:].round(1).tolist(),
            y=(np.diff(spent) / (whole / _BINS)).round(2).tolist(),
            name=words(verdict),
            mode="lines",
            stackgroup="slots",
            line={"width": 0.5, "color": COLOURS.get(verdict, MUTED)},
            fillcolor=COLOURS.get(verdict, MUTED),
            hovertemplate=f"{words(verdict)}: %{{y}} slots<extra></extra>",
        )
    figure.update_yaxes(title_text="busy slots", rangemode="tozero")
    note = f"Drawn: busy slots in {_BINS} equal spans, in place of {len(slots):,} trials one by one."
    figure.update_layout(height=300 + figure.layout.meta["head"], meta={**figure.layout.meta, "drawn": note})
