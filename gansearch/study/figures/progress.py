"""A number of the trials in their order, whatever it is called."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from gansearch.formatting import many
from gansearch.study.figures.axes import distance_axis, rounded
from gansearch.study.figures.base import EmptyFigureError, add_trials, new_figure, style_axes, subsample
from gansearch.study.figures.palette import MUTED


def progress(trials: pd.DataFrame, name: str, minimised: bool, best: int | None = None) -> Figure:
    """Draw a number of each trial by the trial's number, and the best of the complete ones so far."""
    measured = trials[np.isfinite(trials[name])].sort_values("number")
    if measured.empty:
        raise EmptyFigureError(f"no trial has a {name}")
    complete = measured[measured["status"] == "complete"]
    so_far = complete[name].cummin() if minimised else complete[name].cummax()
    figure = new_figure(f"{name} of {many(len(measured), 'trial')} by their number.", 380, f"{name} by trial")
    figure.add_scatter(
        x=rounded(complete["number"]),
        y=rounded(so_far),
        mode="lines",
        name="best so far",
        line={"color": MUTED, "width": 1.5, "shape": "hv"},
        hoverinfo="skip",
    )
    drawn, note = subsample(measured, [best])
    add_trials(figure, drawn, "number", name, f"{html.escape(name)} %{{y}}", best)
    y_axis = {"title": {"text": html.escape(name)}, **distance_axis(measured[name])}
    style_axes(figure, 0, {"title": {"text": "trial"}}, y_axis)
    return figure.update(meta={"drawn": note}).figure()
