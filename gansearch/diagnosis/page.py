"""A diagnosis as a page that needs no network, and as a notebook's card. All text of logs is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from gansearch.diagnosis import chart
from gansearch.diagnosis.facts import CANNOT_SHOW, MONITOR, NOTHING_WRONG, SEARCH, facts
from gansearch.diagnosis.questions import questions
from gansearch.diagnosis.rules.evidence import Evidence
from gansearch.diagnosis.rules.finding import KINDS, Finding
from gansearch.diagnosis.text import begin, heading, read_as
from gansearch.diagnosis.training_log import TrainingLog
from gansearch.formatting import words


class Judged(NamedTuple):
    """A log with what was found in it."""

    log: TrainingLog
    findings: Sequence[Finding]
    unknown: Sequence[str]


def write_page(logs: Sequence[Judged], path: Path) -> Path:
    """Write the page of one log, or of several side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_render("page.html", logs=[_described(one) for one in logs]), encoding="utf-8")
    return path


def card(one: Judged) -> str:
    """The HTML of a notebook's card."""
    return _render("card.html", log=_described(one))


def _described(one: Judged) -> dict[str, Any]:
    return {
        "name": one.log.file,
        "log": one.log,
        "step_name": one.log.step_name,
        "heading": heading(one.log),
        "read_as": list(read_as(one.log)),
        "fine": not any(finding.is_verdict for finding in one.findings),
        "facts": [fact for game in one.log.games for fact in facts(Evidence(one.log, game))],
        "questions": list(questions(one.log, one.findings)),
        "findings": one.findings,
        "unknown": one.unknown,
        "charts": list(chart.charts(one.log, one.findings)),
    }


def _render(template: str, **context: Any) -> str:
    environment = Environment(
        loader=PackageLoader("gansearch.diagnosis", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = words
    sizes = {"width": chart.WIDTH, "height": chart.HEIGHT, "left": chart.LEFT, "top": chart.TOP}
    said = {"nothing_wrong": NOTHING_WRONG, "cannot_show": CANNOT_SHOW, "monitor": MONITOR, "search": SEARCH}
    return environment.get_template(template).render(**context, **sizes, **said, kinds=KINDS, begin=begin)
