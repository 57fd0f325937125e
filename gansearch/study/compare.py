"""Two or more studies beside each other: what each found, and in what they differ."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gansearch.formatting import many, short, words
from gansearch.study.data import StudyData
from gansearch.study.figures.axes import distance_axis
from gansearch.study.figures.base import add_panels, new_figure, title
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
"""Lines by name, with gaps so small that steps do not fall apart."""


class Comparison(NamedTuple):
    """What `Study.compare` returns."""

    table: pd.DataFrame
    """A row a study."""
    figure: go.Figure

    def __repr__(self) -> str:
        return f"Comparison of {', '.join(map(str, self.table.index))}, with its table and its figure"


def compare(studies: Sequence[StudyData]) -> Comparison:
    """The studies beside each other; distances can be compared only where the task is the same."""
    names = labels(studies)
    return Comparison(table(studies, names), figure(studies, names))


def labels(studies: Sequence[StudyData]) -> list[str]:
    """The studies' names; with their folders, where names are the same."""
    names = [study.experiment.name for study in studies]
    folders = [study.folder.path.resolve().name for study in studies]
    if len(set(zip(names, folders, strict=True))) < len(studies):
        folders = [str(study.folder.path) for study in studies]
    return [
        name if names.count(name) == 1 else f"{name} ({folder})" for name, folder in zip(names, folders, strict=True)
    ]


def table(studies: Sequence[StudyData], names: Sequence[str]) -> pd.DataFrame:
    """A row a study: its counts, its chosen configuration on its seeds, and that configuration's numbers."""
    return pd.DataFrame([_row(study) for study in studies], index=pd.Index(names, name="study"))


def differences(studies: Sequence[StudyData]) -> dict[str, list[Any]]:
    """The fields of the experiments that are not the same in all, by dotted name; None where one has no such field."""
    flat = [
        _flat(study.experiment.model_dump(mode="json", exclude_none=True, exclude={"evidence", "trackers"}))
        for study in studies
    ]
    return {
        name: [fields.get(name) for fields in flat]
        for name in dict.fromkeys(name for fields in flat for name in fields)
        if any(fields.get(name) != flat[0].get(name) for fields in flat)
    }


def figure(studies: Sequence[StudyData], names: Sequence[str]) -> go.Figure:
    """Verdicts of the trials, progress over the updates, and the seeds of each chosen configuration."""
    groups = [
        replace(group, label=name) for name, study in zip(names, studies, strict=True) for group in study.groups[:1]
    ]
    said = [
        f"{name}: {study.verdicts.get('balanced', 0)} of {many(len(study.trials), 'trial')} balanced"
        for name, study in zip(names, studies, strict=True)
    ]
    made = new_figure("; ".join(said) + ".", heading=" · ".join(names))
    heads = [
        title("Trials by verdict"),
        title("Smallest distance of a healthy trial so far", _key(names)),
        title("Stability of the chosen", "on its seeds"),
        title("Distance of the chosen", "; ".join(filter(None, ("on its seeds", interval_key(groups))))),
    ]
    add_panels(made, heads, columns=2, row=max(150, 46 * len(studies) + 20), gap=150, least=240)
    _verdicts(made, studies, names)
    _progress(made, studies, names)
    if groups:
        add_seeds(made, groups, "stability", 2)
        add_seeds(made, groups, "distance", 3)
    return made


def _row(study: StudyData) -> dict[str, Any]:
    choice = study.best or study.closest
    group = study.groups[0] if choice else None
    low, high = (group.interval if group else None) or (math.nan, math.nan)
    return {
        "task": study.experiment.task,
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
        **(choice.params if choice else {}),
        "wall_seconds": study.summary()["wall_seconds"],
        "train_seconds": float(study.trials["train_seconds"].sum()),
    }


def _verdicts(made: go.Figure, studies: Sequence[StudyData], names: Sequence[str]) -> None:
    known = [name for name in COLOURS if any(name in study.verdicts for study in studies)]
    for verdict in reversed(known):
        counts = [study.verdicts.get(verdict, 0) for study in studies]
        shares = [100 * count / max(1, len(study.trials)) for count, study in zip(counts, studies, strict=True)]
        made.add_bar(
            x=np.round(shares, 1).tolist(),
            y=[html.escape(name) for name in names],
            orientation="h",
            name=words(verdict),
            legendgroup=f"{verdict} trials",
            marker={"color": COLOURS[verdict]},
            customdata=counts,
            hovertemplate=f"%{{customdata}} {words(verdict)}, %{{x}}%<extra></extra>",
        )
    made.update_layout(barmode="stack", bargap=0.5)
    made.layout.xaxis.update(range=[0, 100], ticksuffix="%", showgrid=False)
    escaped = [html.escape(name) for name in names]
    ticks = {"tickvals": escaped, "ticktext": [html.escape(short(name)) for name in names]}
    made.layout.yaxis.update(type="category", autorange="reversed", ticks="", showgrid=False, **ticks)


def _progress(made: go.Figure, studies: Sequence[StudyData], names: Sequence[str]) -> None:
    """A line a study, in the page's ink and a dash of its own: colours are the verdicts'."""
    every = []
    for place, (study, name) in enumerate(zip(studies, names, strict=True)):
        order = study.trials.sort_values("ended")
        healthy = (order["verdict"] == "balanced") & (order["status"] == "complete")
        best = order["distance"].where(healthy).cummin()
        kept = best.notna() & ((best != best.shift()) | (np.arange(len(best)) == len(best) - 1))
        every += best[kept].tolist()
        made.add_scatter(
            x=order["updates"].cumsum()[kept].tolist(),
            y=[float(f"{value:.4g}") for value in best[kept]],
            mode="lines+markers",
            name=html.escape(name),
            line={
                "shape": "hv",
                "width": 2,
                "color": MUTED if place % 2 else INK,
                "dash": _DASHES[_dash(place)],
            },
            marker={"size": 4},
            hovertemplate=f"{html.escape(name)}<br>distance %{{y}} after %{{x:,}} updates<extra></extra>",
            xaxis="x2",
            yaxis="y2",
        )
    made.layout.xaxis2.update(title={"text": "updates"}, rangemode="tozero")
    made.layout.yaxis2.update(distance_axis(pd.Series(np.array(every, dtype=float))))


def _key(names: Sequence[str]) -> str:
    """Which dash is whose."""
    room = max(8, 36 // len(names))
    return "; ".join(f"{_dash(place)}: {short(name, room)}" for place, name in enumerate(names))


def _dash(place: int) -> str:
    return [*_DASHES][place % len(_DASHES)]


def _flat(data: Any, name: str = "") -> dict[str, Any]:
    """Nested fields by their dotted names."""
    if not isinstance(data, dict) or not data:
        return {name: data}
    inner = [_flat(value, f"{name}.{key}" if name else key) for key, value in data.items()]
    return {key: value for part in inner for key, value in part.items()}
