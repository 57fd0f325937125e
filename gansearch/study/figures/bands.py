"""The curves of many runs at once: of each group of trials the median and a band, over the updates."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gansearch.formatting import many
from gansearch.formatting import number as format_number
from gansearch.stability.figure import SHARES
from gansearch.study.figures.axes import rounded, spans_decade, value_axis
from gansearch.study.figures.base import EmptyFigureError, add_panels, axes, new_figure, style_axes, title
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.groupings import Grouping
from gansearch.study.figures.palette import COLOURS, DASHES, GROUPS, MUTED, faint

PANELS = {"distance": "Distance", "separability": "Separability", "p_real": "D(real)", "p_fake": "D(fake)"}
"""The columns of the curves that are drawn, each with its title."""
_MOST_UPDATES = 50
"""Updates at which curves are compared. Where runs were probed at more, it is their means over as many equal spans."""
_BAND = {"low": 0.1, "middle": 0.5, "high": 0.9}
"""Quantiles: the ends of a band with its line between them."""
_FEW = 12
"""Points of a line below which each has a marker."""


def runs_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the curves of runs, a trial's seed each, at updates that they have in common, from a table of curves.

    The index is (number, seed, update), the columns are those of `PANELS`; what was not measured is NaN.
    """
    at = table["update"].astype(float)
    table, at = table[np.isfinite(at)], at[np.isfinite(at)]
    if at.nunique() > _MOST_UPDATES:
        ends = np.linspace(at.min(), at.max(), _MOST_UPDATES)
        at = pd.Series(ends[np.searchsorted(ends, at).clip(max=_MOST_UPDATES - 1)], at.index, name="update")
    measured = table[[*PANELS]].astype(float)
    return measured.where(np.isfinite(measured)).groupby([table["number"], table["seed"], at]).mean()


def seeds_of(runs: pd.DataFrame) -> dict[int, int]:
    """Return the number of runs of each trial."""
    counts = runs.index.to_frame()[["number", "seed"]].drop_duplicates()["number"].value_counts()
    return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))


@dataclass(frozen=True)
class _Group:
    """A group of runs as it is drawn."""

    label: str
    colour: str
    dash: str
    runs: pd.DataFrame

    @cached_property
    def name(self) -> str:
        return f"{self.label} · {many(sum(seeds_of(self.runs).values()), 'run')}"

    @cached_property
    def _bands(self) -> dict[str, pd.DataFrame]:
        groups = self.runs.groupby(level="update")
        return {name: groups.quantile(share) for name, share in _BAND.items()} | {"runs": groups.count()}

    def band(self, column: str) -> pd.DataFrame:
        """Return the "low", "middle" and "high" of a column by update, and of how many "runs" they are."""
        band = pd.DataFrame({name: table[column] for name, table in self._bands.items()})
        return band[band["runs"] > 0]

    def add_band(self, figure: Drawing, panel: int, band: pd.DataFrame) -> None:
        """Fill a panel between the ends of a band."""
        there_and_back = pd.concat([band["high"], band["low"][::-1]])
        common = {"legendgroup": self.label, "showlegend": False, "hoverinfo": "skip", **axes(panel)}
        line = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": faint(self.colour)}
        figure.add_scatter(x=rounded(there_and_back.index.to_numpy()), y=rounded(there_and_back), **line, **common)

    def add_line(self, figure: Drawing, panel: int, band: pd.DataFrame) -> None:
        """Add the line of the medians of a band to a panel."""
        label, mode = html.escape(self.label), "lines+markers" if len(band) < _FEW else "lines"
        figure.add_scatter(
            x=rounded(band.index.to_numpy()),
            y=rounded(band["middle"]),
            mode=mode,
            name=html.escape(self.name),
            line={"width": 2, "color": self.colour, "dash": self.dash},
            cliponaxis=False,
            customdata=band["runs"].tolist(),
            hovertemplate=f"{label}: %{{y}}<br>update %{{x}}, runs: %{{customdata}}<extra></extra>",
            legendgroup=self.label,
            showlegend=not panel,
            **axes(panel),
        )


def bands(runs: pd.DataFrame, by: str, groups: Grouping) -> Figure:
    """Draw the median of each group of trials over the updates, with the band that holds eight in ten of its runs.

    `runs` are those of `runs_of`.
    """
    numbers = runs.index.get_level_values("number")
    found = [
        _Group(label, *_look(by, label, place), runs[numbers.isin(groups[label])]) for place, label in enumerate(groups)
    ]
    drawn = [one for one in found if len(one.runs)]
    panels = [name for name in PANELS if any(one.runs[name].notna().any() for one in drawn)]
    if not panels:
        raise EmptyFigureError("no trial left curves")
    figure = new_figure(
        f"Curves by {by}, medians and bands from the 10th to the 90th percentile. {_ends(drawn, panels[0])}",
        heading=f"Curves of all trials by {by}",
        key="Line: the median of the runs; band: from their 10th to their 90th percentile",
    )
    add_panels(figure, [title(PANELS[name]) for name in panels], columns=2, row=200, least=300)
    last = float(runs.index.get_level_values("update").max())
    for panel, name in enumerate(panels):
        tables = [one.band(name) for one in drawn]
        for add in (_Group.add_band, _Group.add_line):  # bands first, so that none covers a line
            for one, band in zip(drawn, tables, strict=True):
                add(one, figure, panel, band)
        ends = pd.concat([band[side] for band in tables for side in ("low", "high")])
        y_axis = value_axis(ends, spans_decade(ends)) if name == "distance" else SHARES
        style_axes(figure, panel, {"title": {"text": "update"}, "range": [0, last or 1]}, y_axis)
    return figure.update(meta={"key": [[one.name, one.colour, one.dash] for one in drawn]}).figure()


def _look(by: str, label: str, place: int) -> tuple[str, str]:
    """Return the colour and the dash of a group: of a verdict its own colour."""
    colour = COLOURS.get(label.replace(" ", "_"), MUTED) if by == "verdict" else GROUPS[place % len(GROUPS)]
    return colour, DASHES[place % len(DASHES)]


def _ends(drawn: list[_Group], column: str) -> str:
    """Return the last median of each group in words."""
    last = [(one.name, one.band(column)["middle"]) for one in drawn]
    texts = [f"{name}, {format_number(float(middle.iloc[-1]))}" for name, middle in last if len(middle)]
    return f"{PANELS[column]} at the end: {'; '.join(texts)}."
