"""One trial over its updates: D's answer, saturation, separability, and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gansearch.formatting import step_text, words
from gansearch.stability.figure import LATE, PANELS, SHARES
from gansearch.study.figures.axes import rounded, spans_decade, value_axis
from gansearch.study.figures.base import EmptyFigureError, add_panels, axes, new_figure, style_axes, title
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import COLOURS, INK

AUGMENTATION = {"Augmentation": ("— r_t, - - p", {"r_t": ("solid", "r_t"), "augment_p": ("dash", "p")})}
"""A panel for trials with `augment: ada`, as those of `PANELS`."""
RECONSTRUCTION = {"Reconstruction": ("of held-out pairs", {"reconstruction": ("solid", "reconstruction")})}
"""The same for trials of a task with pairs."""
_SIGNS = {"range": [-1.05, 1.05], "dtick": 0.5}
_MAX_PROBES = 200
"""Probes of a seed that are drawn at most."""


def curves(
    table: pd.DataFrame, number: int, verdict: str | None = None, late: Mapping[int, float] | None = None
) -> Figure:
    """Draw the curves of a trial in its verdict's colour: medians over its seeds, and each seed as a faint line.

    `late` has the update, by seed, from which on the seed was in trouble that began late; it is shaded from there to
    the seed's end.
    """
    probes = table[table["number"] == number]
    if probes.empty:
        raise EmptyFigureError(f"trial {number} left no curves")
    ends = probes.groupby("seed")["update"].max()
    late = {seed: since for seed, since in (late or {}).items() if seed in ends and since < ends[seed]}
    shaded = _late_words(late, len(ends))
    last = probes.sort_values("update").groupby("seed").tail(1).median(numeric_only=True)
    ends_at = {"D(real)": last["p_real"], "D(fake)": last["p_fake"], "separability": last["separability"]}
    known = ", ".join(f"{name} {value:.2f}" for name, value in ends_at.items() if np.isfinite(value))
    figure = new_figure(
        f"Trial {number}, {words(verdict)}, over {step_text(last['update'], 4)} updates"
        + (f"; at its end {known}." if known else ".")
        + (f" {shaded}" if shaded else ""),
        heading=f"Trial {number}: {words(verdict)}",
        key=shaded,
    )
    more = {"r_t": AUGMENTATION, "reconstruction": RECONSTRUCTION}
    panels = PANELS | {k: v for column, own in more.items() if probes[column].notna().any() for k, v in own.items()}
    add_panels(figure, [title(name, key) for name, (key, _) in panels.items()], columns=4, row=190)
    seeds = [part for _, part in probes.groupby("seed")]
    colour = COLOURS.get(verdict or "", INK)
    for panel, (name, (_, columns)) in enumerate(panels.items()):
        for column, (dash, label) in columns.items():
            common = {"name": label, **axes(panel)}
            common["hovertemplate"] = f"{label} %{{y}}<br>update %{{x}}<extra></extra>"
            for part in seeds if len(seeds) > 1 else []:
                faint = {"line": {"color": colour, "dash": dash, "width": 0.8}, "opacity": 0.4, "hoverinfo": "skip"}
                figure.add_scatter(**_line(part.set_index("update")[column]), **common, **faint)
            median = probes.groupby("update")[column].median()
            figure.add_scatter(**_line(median), **common, line={"color": colour, "dash": dash, "width": 2}, opacity=1)
        for seed, since in late.items():
            _shade(figure, panel, since, ends[seed], colour)
        own_axes = {
            "Gradient": _positive_axis(probes[["grad_norm_g", "grad_norm_d"]]),
            "Augmentation": _SIGNS,
            "Reconstruction": _positive_axis(probes[["reconstruction"]]),
        }
        y_axis = own_axes.get(name, SHARES)
        style_axes(figure, panel, {"title": {"text": "update"}, "rangemode": "tozero"}, y_axis)
    longest = max(map(len, seeds))
    note = f"Drawn: {_MAX_PROBES} of {longest:,} probes." if longest > _MAX_PROBES else ""
    return figure.update(showlegend=False, meta={"drawn": " ".join(filter(None, (shaded, note)))}).figure()


def _shade(figure: Drawing, panel: int, since: float, end: float, colour: str) -> None:
    """Shade a panel from one update to another."""
    names = axes(panel)
    on = {"xref": names["xaxis"], "yref": f"{names['yaxis']} domain"}
    figure.add_shape(type="rect", x0=since, x1=end, y0=0, y1=1, fillcolor=colour, **on, **LATE)


def _late_words(late: Mapping[int, float], seeds: int) -> str:
    """Return what the shaded part is, of `seeds` seeds; empty where nothing is shaded."""
    if not late:
        return ""
    since = ", ".join(f"{update:,.0f}" + (f" (seed {seed})" if seeds > 1 else "") for seed, update in late.items())
    return f"Shaded: trouble that began late, after update {since}, and lasted to the end. The run is judged by it."


def _positive_axis(columns: pd.DataFrame) -> dict[str, Any]:
    """Return an axis for the gradients' norms and the like, over all that are positive, so that small ones are seen."""
    numbers = columns.to_numpy(dtype=float)
    positive = pd.Series(numbers[np.isfinite(numbers) & (numbers > 0)])
    return value_axis(positive, spans_decade(positive)) if len(positive) else {}


def _line(values: pd.Series[float]) -> dict[str, Any]:
    """Return x, y and mode of a line through values by update; of many values, evenly spaced ones."""
    drawn = values.iloc[np.unique(np.linspace(0, len(values) - 1, _MAX_PROBES).astype(int))]
    mode = "lines" if len(drawn) > 1 else "markers"
    return {"x": drawn.index.tolist(), "y": rounded(drawn), "mode": mode}
