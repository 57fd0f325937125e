"""Pages that need no network: one HTML file with its charts and their scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gansearch.experiment import masked
from gansearch.formatting import duration, gpu_hours, many, number, shown, shown_json, size, without_home, words
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.palette import COLOURS, DARK, LIGHT

_PLAIN: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
"""How the data are written: a home folder with an umlaut is found as it is."""


class Charts:
    """The figures of a page by the id of their element, and the reasons for those that have nothing to show."""

    def __init__(self, plots: Mapping[str, Callable[[], go.Figure]]) -> None:
        """Draw each figure by its function."""
        self.figures: dict[str, go.Figure] = {}
        self.missing: dict[str, str] = {}
        for id, plot in plots.items():
            try:
                self.figures[id] = plot()
            except EmptyFigureError as reason:
                self.missing[id] = str(reason)

    def verdicts(self, id: str) -> list[str]:
        """Return the verdicts that a figure has traces of, best first; "no_verdict" for trials without one."""
        names = {trace.name for trace in self.figures[id].data}
        return [verdict for verdict in [*reversed(COLOURS), "no_verdict"] if words(verdict) in names]


def shareable(text: str) -> str:
    """Return a text as it may be passed on: without passwords, and with ~ for the home folder."""
    return without_home(masked(shown(text)))


def render(template: str, charts: Charts, details: Mapping[int, Any] | None = None, **context: Any) -> str:
    """Return the HTML of a page with its charts, and the details of trials that its script shows."""
    data = {
        "details": details or {},
        "figures": {id: json.loads(figure.to_json()) for id, figure in charts.figures.items()},
        "light": LIGHT,
        "dark": DARK,
    }
    return fragment(
        template,
        charts=charts,
        light=LIGHT,
        dark=DARK,
        plotly=Markup(get_plotlyjs()),
        data=Markup(without_home(masked(shown_json(htmlsafe_json_dumps(data, **_PLAIN))))),
        **context,
    )


def fragment(template: str, **context: Any) -> str:
    """Return the HTML of a template. All text that it is given is escaped, and made `shareable`."""
    environment = Environment(
        finalize=lambda value: shareable(value) if type(value) is str else value,
        loader=PackageLoader(__package__, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {one.__name__: one for one in (number, duration, words, many, gpu_hours, size)}
    environment.globals["colours"] = COLOURS
    return environment.get_template(template).render(**context)
