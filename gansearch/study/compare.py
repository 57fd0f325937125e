"""The results of several studies side by side, and the fields in which their experiments differ."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gansearch.formatting import many, short, words
from gansearch.stability.verdict import HEALTHY
from gansearch.study.data import StudyData
from gansearch.study.figures.axes import distance_axis, rounded
from gansearch.study.figures.base import add_panels, axes, new_figure, style_axes, title
from gansearch.study.figures.drawing import Drawing, Figure
from gansearch.study.figures.palette import COLOURS, INK, MUTED
from gansearch.study.figures.winner import add_seeds, interval_key

_DASHES = {
    "solid": "solid",
    "dashed": "6px,2px",
    "dotted": "2px,2px",
    "dash-dotted": "6px,2px,2px,2px",
    "long-dashed": "14px,3px",
    "long-dash-dotted": "14px,3px,2px,3px",
}
"""Dashes by name, with gaps so small that the steps of a line stay together."""


class Comparison(NamedTuple):
    """The result of `Study.compare`."""

    table: pd.DataFrame
    """A row for each study."""
    figure: Drawing

    def __repr__(self) -> str:
        """One line with the names of the studies."""
        return f"Comparison of {', '.join(map(str, self.table.index))}, with its table and its figure"


def compare(studies: Sequence[StudyData]) -> Comparison:
    """Compare studies. Their distances are comparable only where the task is the same."""
    names = labels(studies)
    return Comparison(table(studies, names), figure(studies, names))


def labels(studies: Sequence[StudyData]) -> list[str]:
    """The names of the studies, with their folders where names are the same."""
    names = [study.experiment.name for study in studies]
    folders = [study.folder.path.resolve().name for study in studies]
    if len(set(zip(names, folders, strict=True))) < len(studies):
        folders = [str(study.folder.path) for study in studies]
    return [
        name if names.count(name) == 1 else f"{name} ({folder})" for name, folder in zip(names, folders, strict=True)
    ]


def table(studies: Sequence[StudyData], names: Sequence[str]) -> pd.DataFrame:
    """A row for each study: its counts, its chosen configuration on its seeds, and that configuration's numbers.

    A parameter with the name of another column is `search.<name>`.
    """
    return pd.DataFrame([_row(study) for study in studies], index=pd.Index(names, name="study"))


def differences(studies: Sequence[StudyData]) -> dict[str, list[Any]]:
    """The fields in which the experiments differ, by dotted name, with each study's value; None where it has none."""
    dumps = [
        study.experiment.model_dump(mode="json", exclude_none=True, exclude={"evidence", "trackers"})
        for study in studies
    ]
    fields = [pd.json_normalize(dump).to_dict("records")[0] for dump in dumps]
    values = {str(name): [one.get(name) for one in fields] for one in fields for name in one}
    return {name: each for name, each in values.items() if any(value != each[0] for value in each)}


def figure(studies: Sequence[StudyData], names: Sequence[str]) -> Figure:
    """The verdicts of the trials, the progress over the updates, and the seeds of each chosen configuration."""
    groups = [
        replace(group, label=name) for name, study in zip(names, studies, strict=True) for group in study.groups[:1]
    ]
    counts = [
        f"{name}: {study.verdicts.get('balanced', 0)} of {many(len(study.trials), 'trial')} balanced"
        for name, study in zip(names, studies, strict=True)
    ]
    figure = new_figure("; ".join(counts) + ".", heading=" · ".join(names))
    titles = [
        title("Trials by verdict"),
        title("Smallest distance of a healthy trial so far", _line_key(names)),
        title("Stability of the chosen", "on its seeds"),
        title("Distance of the chosen", "; ".join(filter(None, ("on its seeds", interval_key(groups))))),
    ]
    add_panels(figure, titles, columns=2, row=max(150, 46 * len(studies) + 20), gap=150, least=240)
    _add_verdicts(figure, studies, names)
    _add_progress(figure, studies, names)
    if groups:
        add_seeds(figure, groups, "stability", 2)
        add_seeds(figure, groups, "distance", 3)
    return figure.figure()


def _row(study: StudyData) -> dict[str, Any]:
    choice = study.choice
    group = study.groups[0] if choice else None
    low, high = (group.interval if group else None) or (math.nan, math.nan)
    before = {
        "task": study.experiment.task_name,
        **study.counts,
        "balanced": study.verdicts.get("balanced", 0),
        "trial": choice.number if choice else None,
        "is_best": study.best is not None,
        "seeds": len(group.seeds) if group else 0,
        "fresh": bool(group and group.fresh),
        "healthy": group.healthy if group else 0,
        "stability": group.stability if group else math.nan,
        "distance": group.distance if group else math.nan,
        "distance_low": low,
        "distance_high": high,
    }
    seconds = float(study.trials["train_seconds"].sum())
    after = {"wall_seconds": study.summary()["wall_seconds"], "train_seconds": seconds}
    params = choice.params if choice else {}  # of a loop they may have any name, such as "seeds"
    named = {f"search.{name}" if name in before or name in after else name: value for name, value in params.items()}
    return {**before, **named, **after}


def _add_verdicts(figure: Drawing, studies: Sequence[StudyData], names: Sequence[str]) -> None:
    """Add a stacked bar for each study: the share of each verdict among its trials."""
    labels = [html.escape(name) for name in names]
    for verdict in reversed(COLOURS):
        counts = [study.verdicts.get(verdict, 0) for study in studies]
        if not any(counts):
            continue
        figure.add_bar(
            x=[round(100 * count / max(1, len(study.trials)), 1) for count, study in zip(counts, studies, strict=True)],
            y=labels,
            orientation="h",
            name=words(verdict),
            legendgroup=f"{verdict} trials",
            marker={"color": COLOURS[verdict]},
            customdata=counts,
            hovertemplate=f"%{{customdata}} {words(verdict)}, %{{x}}%<extra></extra>",
        )
    ticks = {"tickvals": labels, "ticktext": [html.escape(short(name)) for name in names], "ticks": ""}
    y_axis = {"type": "category", "autorange": "reversed", "showgrid": False, **ticks}
    style_axes(figure, 0, {"range": [0, 100], "ticksuffix": "%", "showgrid": False}, y_axis)
    figure.update(barmode="stack", bargap=0.5)


def _add_progress(figure: Drawing, studies: Sequence[StudyData], names: Sequence[str]) -> None:
    """Add a line for each study, told apart by dashes: colours stand for verdicts."""
    distances = []
    for index, (study, name) in enumerate(zip(studies, names, strict=True)):
        trials = study.trials.sort_values("ended")
        healthy = trials["verdict"].isin(HEALTHY) & (trials["status"] == "complete")
        best = trials["distance"].where(healthy).cummin().ffill()
        steps = best.notna() & ((best != best.shift()) | (np.arange(len(best)) == len(best) - 1))
        distances.append(best[steps])
        figure.add_scatter(
            x=trials["updates"].cumsum()[steps].tolist(),
            y=rounded(best[steps]),
            mode="lines+markers",
            name=html.escape(name),
            line={"shape": "hv", "width": 2, "color": MUTED if index % 2 else INK, "dash": _DASHES[_dash(index)]},
            marker={"size": 4},
            hovertemplate=f"{html.escape(name)}<br>distance %{{y}} after %{{x:,}} updates<extra></extra>",
            **axes(1),
        )
    x_axis = {"title": {"text": "updates"}, "rangemode": "tozero"}
    style_axes(figure, 1, x_axis, distance_axis(pd.concat(distances).astype(float)))


def _line_key(names: Sequence[str]) -> str:
    """The dash of each study."""
    width = max(8, 36 // len(names))
    return "; ".join(f"{_dash(index)}: {short(name, width)}" for index, name in enumerate(names))


def _dash(index: int) -> str:
    return [*_DASHES][index % len(_DASHES)]
