"""The report of a study: one page with everything in it, which asks no network for anything."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gansearch.experiment import Choices, Range
from gansearch.stability.verdict import ADVICE
from gansearch.study import figures
from gansearch.study.choose import candidates, confirmed_candidates
from gansearch.study.folder import as_typed
from gansearch.study.pictures import pictures
from gansearch.study.study import Study
from gansearch.study.tables import BALANCE, read_record, read_samples
from gansearch.study.words import duration

_SHOWN = 4
"""Trials whose samples and curves are shown side by side."""
_ROWS = 1000
"""Rows of the trials table at most."""
_ERRORS = 50
"""Errors shown at most."""


@dataclass(frozen=True)
class Chart:
    """A figure on the page, with the text that a screen reader reads in its place."""

    id: str
    text: str
    figure: go.Figure


@dataclass(frozen=True)
class Reason:
    """A verdict other than balanced, with a trial that is typical of it."""

    verdict: str
    count: int
    sentence: str
    number: int
    advice: str


def render(study: Study) -> str:
    """The page's text. Raises StudyError where the tables cannot be read."""
    choice, numbers = study.best or study.closest, shown(study)
    verdict = study.verdict_of(choice) if choice else None
    charts = {chart.id: chart for chart in _charts(study, numbers)}
    environment = Environment(
        loader=PackageLoader("gansearch", "study"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "duration": duration,
        "words": lambda text: text.replace("_", " "),
    }
    page = environment.get_template("report.html")
    return page.render(
        study=study,
        summary=study.summary(),
        choice=choice,
        choice_verdict=verdict,
        advice=ADVICE.get(verdict or "", ""),
        export=f"gansearch export {shlex.quote(str(as_typed(study.folder.path)))}"
        + ("" if study.best else " --anyway"),
        confirmed=confirmed_candidates(study.trials, study.confirmation),
        samples=list(_samples(study, numbers)),
        numbers=numbers,
        charts=charts,
        axes=figures.map_axes(study.trials, study.experiment),
        reasons=list(reasons(study)),
        columns=_columns(study),
        rows=_rows(study),
        errors=list(_errors(study)),
        counts=_best_first(study),
        colours=figures.COLOURS,
        experiment=study.experiment.to_yaml(),
        style=Markup((files("gansearch") / "study" / "report.css").read_text(encoding="utf-8")),
        plotly=Markup(get_plotlyjs()),
        data=Markup(_script_safe({chart.id: json.loads(chart.figure.to_json()) for chart in charts.values()})),
    )


def shown(study: Study) -> list[int]:
    """The trials with samples and curves: the choice, the other candidates, then the most stable."""
    choice, trials = study.best or study.closest, study.trials
    ended = trials[trials["status"] == "complete"].sort_values("stability", ascending=False)
    order = [
        *([choice.number] if choice else []),
        *(entry["number"] for entry in study.confirmation),
        *candidates(trials, _SHOWN),
        *ended["number"].head(_SHOWN),
    ]
    known = set(trials["number"])
    return [int(number) for number in dict.fromkeys(order) if number in known][:_SHOWN]


def reasons(study: Study) -> Iterator[Reason]:
    """Every verdict but balanced, the most frequent first, with its trial of median stability."""
    trials = study.trials
    for verdict, count in sorted(study.verdicts.items(), key=lambda item: -item[1]):
        if verdict != "balanced":
            alike = trials[trials["verdict"] == verdict].sort_values("stability")
            typical = int(alike["number"].iloc[(len(alike) - 1) // 2])
            record = read_record(study.folder, typical)
            seeds = record["seeds"] if record else []
            sentences = [seed["sentence"] for seed in seeds if seed["verdict"] == verdict and seed["sentence"]]
            yield Reason(verdict, count, next(iter(sentences), ""), typical, ADVICE[verdict])


def number(value: Any) -> str:
    """A cell of a table: four digits of a number, a dash where there is none."""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    return "–" if value is None or value is pd.NaT else str(value)


def _charts(study: Study, numbers: list[int]) -> Iterator[Chart]:
    trials, best = study.trials, study.best.number if study.best else None
    counts = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in study.verdicts.items())
    if len(trials) and (figure := figures.stability_map(trials, study.experiment, best)):
        yield Chart("map", f"Stability map of {len(trials)} trials: {counts}.", figure)
    if len(trials) and (figure := figures.pareto(trials, best)):
        yield Chart("pareto", "Stability of the trials against their distance.", figure)
    curves = study.curves[study.curves["number"].isin(numbers)]
    if len(curves):
        of = f"of trials {', '.join(map(str, numbers))} over their updates."
        yield Chart("answers", f"What D says of real and fake samples, {of}", figures.answers(curves, numbers))
        yield Chart("saturation", f"Saturation {of}", figures.saturation(curves, numbers))
        yield Chart("separability", f"Separability {of}", figures.separability(curves, numbers))


def _samples(study: Study, numbers: list[int]) -> Iterator[dict[str, Any]]:
    """The trials that kept samples: {"number", "verdict", "stability", "distance", "picture", "shape"}."""
    arrays = [read_samples(study.folder, number) for number in numbers]
    rows = study.trials.set_index("number")
    for number_, array, picture in zip(numbers, arrays, pictures(arrays), strict=True):
        if array is not None:
            facts = {name: rows.loc[number_, name] for name in ("verdict", "stability", "distance")}
            yield {"number": number_, **facts, "picture": picture, "shape": array.shape}


def _columns(study: Study) -> list[str]:
    """The columns of the trials table: how each ended, what was searched, what it cost."""
    searched = [name for name, entry in study.experiment.search.items() if isinstance(entry, Range | Choices)]
    names = [*dict.fromkeys([*(name for name in BALANCE if name not in ("lr_d", "lr_g")), *searched])]
    return ["number", "status", "verdict", "stability", "distance", *names, "updates", "train_seconds"]


def _rows(study: Study) -> list[dict[str, Any]]:
    """The best rows first: healthy before not, then by stability."""
    trials = study.trials
    order = trials.assign(_bad=trials["verdict"] != "balanced").sort_values(
        ["_bad", "stability"], ascending=[True, False]
    )
    names = [name for name in _columns(study) if name in trials]
    rows = order[names].head(_ROWS).astype(object).to_dict("records")
    return [{str(key): None if _is_nan(value) else value for key, value in row.items()} for row in rows]


def _errors(study: Study) -> Iterator[dict[str, Any]]:
    """{"number", "node", "title", "text"} of the trials that left an error."""
    trials = study.trials
    failed = trials[(trials["status"] == "failed") | (trials["error"].fillna("") != "")]
    for row in failed.head(_ERRORS).to_dict("records"):
        text = str(row["error"] or "").strip()
        lines = text.splitlines() or ["no error is known"]
        # Python says what is wrong in the last line of a traceback.
        title = lines[-1] if lines[0].startswith("Traceback") else lines[0]
        yield {
            "number": row["number"],
            "node": row["node"],
            "title": title,
            "text": text if len(lines) > 1 else "",
        }


def _best_first(study: Study) -> dict[str, int]:
    """Trials by verdict, balanced first, and in the end those that died before they had one."""
    unnamed = len(study.trials) - sum(study.verdicts.values())
    return dict(reversed(study.verdicts.items())) | ({"no verdict": unnamed} if unnamed else {})


def _script_safe(data: Any) -> str:
    """JSON that can stand within a script element, whatever texts it holds."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
