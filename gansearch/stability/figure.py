"""The windows of a report as a figure. Plotly is imported when one is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gansearch.stability.verdict import COLOURS

PANELS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "D’s answer": ("— real, - - fake", {"p_real": ("solid", "D(real)"), "p_fake": ("dash", "D(fake)")}),
    "Saturation": (
        "— right, - - wrong",
        {"saturated_right": ("solid", "certain, right"), "saturated_wrong": ("dash", "certain, wrong")},
    ),
    "Separability": ("0.5: blind, 1: perfect", {"separability": ("solid", "separability")}),
    "Gradient": ("— G’s, - - D’s", {"grad_norm_g": ("solid", "of G"), "grad_norm_d": ("dash", "of D")}),
}
"""Panels by title: a key to the lines, and each column of the curves with its dash and its name."""
SHARES = {"range": [-0.03, 1.03], "dtick": 0.25}
"""The y axis of the panels that show shares and probabilities."""
LATE = {"opacity": 0.22, "layer": "below", "line": {"width": 0}}
"""The band over trouble that began late and lasted to the end; its colour is the verdict's."""


def windows_figure(
    windows: Sequence[Mapping[str, float | str]], verdict: str, text: str, late_since: float = math.nan
) -> Any:
    """A plotly figure of a report's windows, in the colour of its verdict: the panels of `PANELS`, side by side.

    `text` describes the figure in words, in its `layout.meta`. A report has no gradient of D, so no line of it. Trouble
    that began late is shaded from step `late_since` to the end.
    """
    from plotly.subplots import make_subplots

    titles = [f"<b>{title}</b><br><span style='font-size:11px'>{key}</span>" for title, (key, _) in PANELS.items()]
    figure = make_subplots(1, len(PANELS), subplot_titles=titles)
    steps = [window["step"] for window in windows]
    for panel, (_, lines) in enumerate(PANELS.values(), 1):
        for column, (dash, name) in lines.items():
            values = [window.get(column, math.nan) for window in windows]
            line = {"color": COLOURS[verdict], "width": 2, "dash": dash}
            mode = "lines" if len(steps) > 1 else "markers"
            figure.add_scatter(x=steps, y=values, name=name, mode=mode, line=line, row=1, col=panel)
    figure.update_xaxes(title_text="update", rangemode="tozero")
    for panel in range(1, len(PANELS)):
        figure.update_yaxes(**SHARES, col=panel)
    norms = [norm for window in windows if (norm := float(window["grad_norm_g"])) > 0]
    if norms and max(norms) > 10 * min(norms):
        figure.update_yaxes(type="log", col=len(PANELS))
    heading = f"<b>{verdict.replace('_', ' ').capitalize()}</b>"
    if math.isfinite(late_since):
        figure.add_vrect(late_since, steps[-1], row="all", col="all", fillcolor=COLOURS[verdict], **LATE)
        heading += f"<br><span style='font-size:11px'>Shaded: from update {late_since:,.0f} to the end</span>"
    return figure.update_layout(title_text=heading, showlegend=False, height=420, meta={"text": text})
