"""What the pages have in common: one file that asks no network for anything, with its charts and their scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gansearch.formatting import duration, many, number, words
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.palette import COLOURS, DARK, LIGHT


class Charts:
    """The figures of a page by id, and why those are missing that have nothing to show."""

    def __init__(self) -> None:
        self.figures: dict[str, go.Figure] = {}
        self.missing: dict[str, str] = {}

    def draw(self, id: str, plot: Callable[[], go.Figure]) -> None:
        """Adds what `plot` returns, or its reason for drawing nothing."""
        try:
            self.figures[id] = plot()
        except EmptyFigureError as reason:
            self.missing[id] = str(reason)

    def verdicts(self, id: str) -> list[str]:
        """The verdicts that a figure has traces of, best first; "no_verdict" for what died before it had one."""
        names = {trace.name for trace in self.figures[id].data}
        return [verdict for verdict in [*reversed(COLOURS), "no_verdict"] if words(verdict) in names]


def render(template: str, charts: Charts, **context: Any) -> str:
    """The page's text."""
    data = {
        "figures": {id: json.loads(figure.to_json()) for id, figure in charts.figures.items()},
        "light": LIGHT,
        "dark": DARK,
    }
    return fragment(
        template,
        charts=charts,
        light=LIGHT,
        dark=DARK,
        style=Markup(_text("page.css")),
        plotly=Markup(get_plotlyjs()),
        data=Markup(_script_safe(data)),
        script=Markup(_text("page.js")),
        **context,
    )


def fragment(template: str, **context: Any) -> str:
    """A template's text, in which everything that people wrote is escaped."""
    environment = Environment(
        loader=PackageLoader(__package__, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "duration": duration, "words": words, "many": many}
    environment.globals["colours"] = COLOURS
    return environment.get_template(template).render(**context)


def _text(name: str) -> str:
    return (files(__package__) / "pages" / name).read_text(encoding="utf-8")


def _script_safe(data: Any) -> str:
    """JSON that can stand within a script element, whatever texts it holds."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
