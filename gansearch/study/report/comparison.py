"""One page on two or more studies side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import plotly.graph_objects as go

from gansearch.store.folder import as_typed, save
from gansearch.study.compare import compare, differences, labels
from gansearch.study.plots import Plots
from gansearch.study.report.page import Charts, render


def write_comparison(studies: Sequence[Plots], path: str | Path | None = None) -> Path:
    """Write the page and return its path, comparison.html in the first study's folder by default.

    Raises StudyError where the file cannot be written.
    """
    path = studies[0].folder.path / "comparison.html" if path is None else Path(path)
    return save(path, comparison(studies))


def comparison(studies: Sequence[Plots]) -> str:
    """Return the HTML of the page."""
    names, found = labels(studies), compare(studies)
    plots: dict[str, Callable[[], go.Figure]] = {"comparison": lambda: found.figure}
    for place, study in enumerate(studies):
        plots[f"map-{place}"] = study.plot_stability_map
        plots[f"pareto-{place}"] = study.plot_pareto
        plots[f"curves-{place}"] = study.plot_curves
    # As objects: in a column of numbers an integer would become a float where one study has none.
    rows = found.table.astype(object).where(found.table.notna(), None)
    return render(
        "comparison.html",
        Charts(plots),
        studies=list(zip(names, studies, strict=True)),
        names=names,
        healthy_words={study.healthy_word for study in studies},
        verdicts={verdict for study in studies for verdict in study.verdicts},
        groups=[study.groups[0] if study.groups else None for study in studies],
        table=rows.to_dict("list"),
        differences=differences(studies),
        same_task=all(study.experiment.task == studies[0].experiment.task for study in studies),
        folders=[as_typed(study.folder.path) for study in studies],
    )
