"""One trial over its updates: what D answers, how certain it is, how well it separates, and the gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.formatting import words
from gansearch.stability.report import StabilityReport
from gansearch.study.figures.base import NothingToDraw, blank, panels, rounded, scale, title, wide
from gansearch.study.figures.palette import COLOURS, INK

_PANELS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "D’s answer": ("— real, - - fake", {"p_real": ("solid", "D(real)"), "p_fake": ("dash", "D(fake)")}),
    "Saturation": (
        "— right, - - wrong",
        {"saturated_right": ("solid", "certain, right"), "saturated_wrong": ("dash", "certain, wrong")},
    ),
    "Separability": ("0.5: blind, 1: perfect", {"separability": ("solid", "separability")}),
    "Gradient": ("— G’s, - - D’s", {"grad_norm_g": ("solid", "of G"), "grad_norm_d": ("dash", "of D")}),
}
"""Panels by title: a key to the lines, and each column with its dash and its name."""
_PROBES = 200
"""Probes of a seed that are drawn at most."""


def curves(table: pd.DataFrame, number: int, verdict: str | None = None) -> go.Figure:
    """The curves of a trial in its verdict's colour: medians over its seeds, and each seed faint."""
    mine = table[table["number"] == number]
    if mine.empty:
        raise NothingToDraw(f"trial {number} left no curves")
    last = mine.sort_values("update").groupby("seed").tail(1).median(numeric_only=True)
    figure = blank(
        f"Trial {number}, {words(verdict)}, over {last['update']:,.0f} updates; at its end "
        f"D(real) {last['p_real']:.2f}, D(fake) {last['p_fake']:.2f}, separability {last['separability']:.2f}.",
        name=f"Trial {number}: {words(verdict)}",
    )
    panels(figure, [title(name, key) for name, (key, _) in _PANELS.items()], columns=4, row=190)
    seeds = [part for _, part in mine.groupby("seed")]
    for place, (_, lines) in enumerate(_PANELS.values()):
        for column, (dash, name) in lines.items():
            middle = mine.groupby("update")[column].median()
            for part in seeds if len(seeds) > 1 else []:
                _line(figure, part.set_index("update")[column], place, name, dash, verdict, strong=False)
            _line(figure, middle, place, name, dash, verdict, strong=True)
        figure.layout[_axis("xaxis", place)].update(title={"text": "update"}, rangemode="tozero")
        figure.layout[_axis("yaxis", place)].update(_answers if place < 3 else _norms(mine))
    meta = {**figure.layout.meta, "drawn": _said(max(len(part) for part in seeds))}
    return figure.update_layout(showlegend=False, meta=meta)


def of_report(report: StabilityReport) -> go.Figure:
    """The same of one run that a monitor has watched, by the windows of its report."""
    table = pd.DataFrame(report.windows).rename(columns={"step": "update", "grad_norm": "grad_norm_g"})
    figure = curves(table.assign(number=0, seed=0, grad_norm_d=np.nan), 0, report.verdict)
    heading = title(words(report.verdict).capitalize())
    return figure.update_layout(meta={**figure.layout.meta, "text": str(report)}, title={"text": heading})


_answers = {"range": [-0.03, 1.03], "dtick": 0.25}


def _norms(mine: pd.DataFrame) -> dict[str, Any]:
    """The axis of the gradients' norms, with all that are not nothing: one that vanishes is seen to the end."""
    norms = mine[["grad_norm_g", "grad_norm_d"]].to_numpy(dtype=float)
    known = norms[np.isfinite(norms) & (norms > 0)]
    if not len(known):
        return {}
    return scale(pd.Series(known), wide(pd.Series(known)))


def _line(
    figure: go.Figure, values: pd.Series[float], place: int, name: str, dash: str, verdict: str | None, strong: bool
) -> None:
    values = values.iloc[np.unique(np.linspace(0, len(values) - 1, _PROBES).astype(int))]
    figure.add_scatter(
        x=values.index.tolist(),
        y=rounded(values),
        mode="lines" if len(values) > 1 else "markers",
        name=name,
        line={"color": COLOURS.get(verdict or "", INK), "width": 2 if strong else 0.8, "dash": dash},
        opacity=1 if strong else 0.4,
        hovertemplate=f"{name} %{{y}}<br>update %{{x}}<extra></extra>",
        hoverinfo=None if strong else "skip",
        xaxis=_axis("x", place),
        yaxis=_axis("y", place),
    )


def _axis(name: str, place: int) -> str:
    return f"{name}{place + 1}" if place else name


def _said(probes: int) -> str:
    return f"Drawn: {_PROBES} of {probes:,} probes." if probes > _PROBES else ""
