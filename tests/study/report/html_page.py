"""A page of the report, parsed."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

from gansearch.study.study import Study

SECTIONS = ["answer", "stability-map", "reasons", "pareto-front", "importance", "slices", "all-curves", "winner"]
SECTIONS += ["compute", "trials", "failures", "made"]
CHARTS = {"map", "pareto", "shares", "slices-stability", "slices-distance", "parallel", "seeds", "neighbourhood"}
CHARTS |= {"curves", "bands", "timeline", "answer-broken", "answer-when", "answer-change", "answer-seeds"}


class Page(HTMLParser):
    """The page's elements and its text outside scripts and styles."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.text.append(data)

    def ids(self, tag: str) -> list[str]:
        return [attrs["id"] or "" for name, attrs in self.elements if name == tag and "id" in attrs]

    def charts(self) -> dict:
        return json.loads(self.scripts[1])["figures"]

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def rows(self) -> list[list[str]]:
        """The cells of the trials table, as they are sorted by: every digit of a number."""
        starts = [i for i, (tag, _) in enumerate(self.elements) if tag == "tr"]
        found = []
        for start, end in zip(starts, [*starts[1:], len(self.elements)], strict=True):
            cells = [
                attrs["data-v"] or "" for tag, attrs in self.elements[start:end] if tag == "td" and "data-v" in attrs
            ]
            found.append(cells)
        return [cells for cells in found if cells]


def page(study: Study, tmp_path: Path) -> Page:
    return Page(study.report(tmp_path / "r.html").read_text())
