"""The curves of many runs at once: of each group of trials the median and a band, over the updates."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.formatting import many
from gansearch.formatting import number as format_number
from gansearch.stability.figure import SHARES
from gansearch.study.figures.axes import rounded, spans_decade, value_axis
from gansearch.study.figures.base import EmptyFigureError, add_panels, axes, new_figure, style_axes, title, with_meta
from gansearch.study.figures.groupings import Grouping
from gansearch.study.figures.palette import COLOURS, DASHES, GROUPS, MUTED, faint

PANELS = {"distance": "Distance", "separability": "Separability", "p_real": "D(real)", "p_fake": "D(fake)"}
"""The columns of the curves that are drawn, each with its title."""
_MOST_UPDATES = 50
"""Updates at which curves are compared. Where runs were probed at more, it is their means over as many equal spans."""
_BAND = (0.1, 0.5, 0.9)
"""Quantiles: the ends of a band with its line between them."""
_FEW = 12
"""Points of a line below which each has a marker."""


@dataclass(frozen=True)
class Runs:
    """The curves of R runs, a trial's seed each, at U updates that they have in common."""

    updates: np.ndarray
    """(U,), ascending."""
    trials: np.ndarray
    """(R,) numbers of their trials."""
    curves: Mapping[str, np.ndarray]
    """(R, U) values of each column; NaN where nothing was measured, and from where a run was stopped."""

    @classmethod
    def of(cls, table: pd.DataFrame) -> Runs:
        """The runs in a table of curves."""
        at = table["update"].to_numpy(dtype=float)
        table, at = table[np.isfinite(at)], at[np.isfinite(at)]
        updates = np.unique(at)
        if len(updates) > _MOST_UPDATES:
            updates = np.linspace(updates[0], updates[-1], _MOST_UPDATES)
        measured = table[[*PANELS]].astype(float)
        run = table.groupby(["number", "seed"]).ngroup()
        place = np.minimum(np.searchsorted(updates, at), len(updates) - 1)
        means = measured.where(np.isfinite(measured)).groupby([run, place]).mean()
        cells = tuple(means.index.get_level_values(level) for level in (0, 1))
        curves = {name: np.full((run.nunique(), len(updates)), np.nan) for name in PANELS}
        for name, values in curves.items():
            values[cells] = means[name]
        return cls(updates, table["number"].groupby(run).first().to_numpy(), curves)

    @property
    def seeds(self) -> dict[int, int]:
        """The number of runs of each trial."""
        return {
            int(trial): int(count) for trial, count in zip(*np.unique(self.trials, return_counts=True), strict=True)
        }


@dataclass(frozen=True)
class _Group:
    """A group of runs as it is drawn."""

    label: str
    rows: np.ndarray
    """(R,) whether a run belongs to it."""
    colour: str
    dash: str

    @property
    def name(self) -> str:
        return f"{self.label} · {many(int(self.rows.sum()), 'run')}"

    def quantiles(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (3, U) ends and middle of the band of (R, U) values, and (U,) the runs that it is of."""
        own = values[self.rows]
        counts = np.isfinite(own).sum(0)
        found = np.full((3, values.shape[1]), np.nan)
        found[:, counts > 0] = np.nanquantile(own[:, counts > 0], _BAND, axis=0)
        return found, counts


def bands(runs: Runs, by: str, groups: Grouping) -> go.Figure:
    """Draw the median of each group of trials over the updates, with the band that holds eight in ten of its runs."""
    drawn = [one for place, label in enumerate(groups) if (one := _group(runs, by, groups, label, place)).rows.any()]
    panels = [name for name in PANELS if any(np.isfinite(runs.curves[name][one.rows]).any() for one in drawn)]
    if not panels:
        raise EmptyFigureError("no trial left curves")
    figure = new_figure(
        f"Curves by {by}, medians and bands from the 10th to the 90th percentile. {_ends(runs, drawn, panels[0])}",
        heading=f"Curves of all trials by {by}",
        key="Line: the median of the runs; band: from their 10th to their 90th percentile",
    )
    add_panels(figure, [title(PANELS[name]) for name in panels], columns=2, row=200, least=300)
    last = float(runs.updates[-1])
    for panel, name in enumerate(panels):
        found = [(one, *one.quantiles(runs.curves[name])) for one in drawn]
        for one, quantiles, _ in found:  # bands first, so that none covers a line
            _add_band(figure, panel, runs.updates, quantiles, one)
        for one, quantiles, counts in found:
            _add_line(figure, panel, runs.updates, quantiles[1], counts, one)
        ends = pd.Series(np.concatenate([quantiles.ravel() for _, quantiles, _ in found])).dropna()
        y_axis = value_axis(ends, spans_decade(ends)) if name == "distance" else SHARES
        style_axes(figure, panel, {"title_text": "update", "range": [0, last or 1]}, y_axis)
    return with_meta(figure, key=[[one.name, one.colour, one.dash] for one in drawn])


def _group(runs: Runs, by: str, groups: Grouping, label: str, place: int) -> _Group:
    """Return a group in its verdict's colour, or that of its place."""
    colour = GROUPS[place % len(GROUPS)]
    if by == "verdict":
        colour = COLOURS.get(label.replace(" ", "_"), MUTED)
    return _Group(label, np.isin(runs.trials, list(groups[label])), colour, DASHES[place % len(DASHES)])


def _ends(runs: Runs, drawn: list[_Group], name: str) -> str:
    """Return the last median of each group in words."""
    last = [(one.name, one.quantiles(runs.curves[name])[0][1]) for one in drawn]
    known = [(label, median[np.isfinite(median)]) for label, median in last]
    texts = [f"{label}, {format_number(float(median[-1]))}" for label, median in known if len(median)]
    return f"{PANELS[name]} at the end: {'; '.join(texts)}."


def _add_band(figure: go.Figure, panel: int, updates: np.ndarray, quantiles: np.ndarray, group: _Group) -> None:
    """Fill a panel between the ends of a group's (3, U) quantiles."""
    known = np.isfinite(quantiles[1])
    x, low, high = updates[known], quantiles[0, known], quantiles[2, known]
    if (high > low).any():
        figure.add_scatter(
            x=rounded(np.concatenate([x, x[::-1]])),
            y=rounded(np.concatenate([high, low[::-1]])),
            mode="lines",
            line={"width": 0, "color": group.colour},
            fill="toself",
            fillcolor=faint(group.colour),
            hoverinfo="skip",
            showlegend=False,
            legendgroup=group.label,
            **axes(panel),
        )


def _add_line(
    figure: go.Figure, panel: int, updates: np.ndarray, middle: np.ndarray, counts: np.ndarray, group: _Group
) -> None:
    """Add the line of a group's (U,) medians to a panel."""
    known = np.isfinite(middle)
    name = html.escape(group.label)
    figure.add_scatter(
        x=rounded(updates[known]),
        y=rounded(middle[known]),
        mode="lines+markers" if known.sum() < _FEW else "lines",
        name=html.escape(group.name),
        line={"width": 2, "color": group.colour, "dash": group.dash},
        cliponaxis=False,
        customdata=counts[known].tolist(),
        hovertemplate=f"{name}: %{{y}}<br>update %{{x}}, runs: %{{customdata}}<extra></extra>",
        showlegend=not panel,
        legendgroup=group.label,
        **axes(panel),
    )
