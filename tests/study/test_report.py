"""The report: true, self-contained, and safe whatever people wrote."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from gansearch.stability.verdict import VERDICTS
from gansearch.study import figures
from gansearch.study.folder import Folder
from gansearch.study.report import reasons, shown
from gansearch.study.study import Study, load_study
from gansearch.study.tables import from_json, to_json
from gansearch.study.words import duration

from .synthetic import experiment, write_study

SECTIONS = [
    "answer",
    "candidates",
    "samples",
    "stability-map",
    "pareto-front",
    "curves",
    "reasons",
    "importance",
]
SECTIONS += ["trials", "failures", "made"]


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
        return json.loads(self.scripts[1])


def page(study: Study, tmp_path: Path) -> Page:
    return Page(study.report(tmp_path / "r.html").read_text())


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


@pytest.fixture(scope="module")
def text(study: Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a finished sweep."""
    return study.report(tmp_path_factory.mktemp("report") / "r.html").read_text()


def test_every_section_is_there_in_order(text: str) -> None:
    found = Page(text)
    assert found.ids("section") == SECTIONS
    assert set(found.charts()) == {"map", "pareto", "answers", "saturation", "separability"}
    assert set(found.charts()) == set(found.ids("div"))


def test_the_page_asks_no_network_for_anything(text: str) -> None:
    found = Page(text)
    links = [attrs.get(name) for _, attrs in found.elements for name in ("src", "href", "srcset") if name in attrs]
    assert links
    assert all((link or "").startswith("data:") for link in links)
    policy = next(attrs["content"] for tag, attrs in found.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert len([script for script in found.scripts if len(script) > 1e6]) == 1


def test_the_page_s_numbers_are_the_tables_numbers(study: Study, text: str) -> None:
    found = Page(text)
    words = " ".join(" ".join(found.text).split())
    assert study.best is not None
    assert f"Trial {study.best.number} is the best-balanced configuration" in words
    assert f"confirmed distance {study.best.distance:.4g}" in words
    for name, value in study.best.params.items():
        assert f"{name} {value:.4g}" in words
    for verdict, count in study.verdicts.items():
        assert f"{verdict.replace('_', ' ')} {count}" in words
    points = [trace for trace in found.charts()["map"]["data"] if trace.get("name")]
    assert {trace["name"] for trace in points} == set(study.verdicts)
    for trace in points:
        assert set(trace["marker"]["symbol"]) <= {
            figures.SYMBOLS[trace["name"]],
            figures.SYMBOLS[trace["name"]] + "-open",
        }
        assert trace["marker"]["color"] == figures.COLOURS[trace["name"]]
        assert len(trace["marker"]["symbol"]) == study.verdicts[trace["name"]]


def test_what_people_wrote_is_escaped_everywhere(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    error = f"ValueError: {evil}\n</script><img src=x onerror=alert(1)>"
    folder = write_study(tmp_path / "s", trials=3, name=evil, error=error)
    folder.run.write_text(to_json({"command": evil, "hardware": evil, "versions": {evil: evil}}))
    record = folder.record(1) / "result.json"
    data = from_json(record.read_text())
    data["seeds"][0]["sentence"] = evil
    record.write_text(to_json(data))
    found = page(load_study(folder.path), tmp_path)
    assert len(found.scripts) == 3
    assert not any("alert(1)" in script for script in found.scripts[1:])
    assert "alert(1)" not in str([attrs for _, attrs in found.elements])
    assert "".join(found.text).count(evil) >= 5


def test_a_choice_with_markup_cannot_leave_its_script(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", trials=12)
    study = load_study(folder.path)
    spec = study.experiment.model_copy(
        update={"search": {k: v for k, v in study.experiment.search.items() if k in ("lr", "r1_gamma")}}
    )
    study = Study(folder, spec)
    study.trials["r1_gamma"] = np.where(study.trials["number"] % 2, "</script><b>", "fine")
    found = page(study, tmp_path)
    assert len(found.scripts) == 3
    axis = found.charts()["map"]["layout"]["yaxis"]
    assert axis["type"] == "category"


@pytest.mark.parametrize("trials", [0, 1, 5])
def test_small_and_failed_sweeps_have_a_page_too(trials: int, tmp_path: Path) -> None:
    found = page(load_study(write_study(tmp_path / "s", trials=trials, only="diverged").path), tmp_path)
    sections = found.ids("section")
    assert sections[0] == "answer"
    assert sections[-1] == "made"
    assert ("failures" in sections) == (trials > 0)
    text = " ".join(found.text)
    assert ("No trial has ended yet" if trials == 0 else "Nothing is healthy") in text
    assert trials == 0 or "--anyway" in text


def test_a_trial_that_died_without_a_verdict_is_on_the_page(tmp_path: Path) -> None:
    found = page(load_study(write_study(tmp_path / "s", trials=1, error="RuntimeError: boom").path), tmp_path)
    text = " ".join(found.text)
    assert "RuntimeError: boom" in text
    assert "no verdict" in text


def test_a_sweep_that_runs_has_a_page(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "s")
    folder.create(experiment())
    folder.journal.touch()
    assert page(load_study(folder.path), tmp_path).ids("section") == ["answer", "made"]


def test_the_chosen_trial_comes_first(study: Study) -> None:
    assert study.best is not None
    numbers = shown(study)
    assert numbers[0] == study.best.number
    assert len(numbers) == len(set(numbers)) == 4


def test_each_bad_verdict_has_the_sentence_of_its_typical_trial(study: Study) -> None:
    found = {reason.verdict: reason for reason in reasons(study)}
    assert set(found) == set(study.verdicts) - {"balanced"}
    alike = study.trials[study.trials["verdict"] == "generator_dominates"]
    typical = study.trials.set_index("number").loc[found["generator_dominates"].number]
    assert (alike["stability"] < typical["stability"]).sum() == (len(alike) - 1) // 2
    assert "certain and wrong" in found["generator_dominates"].sentence


def test_every_verdict_has_one_colour_and_one_symbol() -> None:
    assert set(figures.COLOURS) == set(figures.SYMBOLS) == set(VERDICTS)
    assert len(set(figures.COLOURS.values())) == len(set(figures.SYMBOLS.values())) == len(VERDICTS)


def test_many_rows_are_cut_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansearch.study.report._ROWS", 5)
    found = page(load_study(write_study(tmp_path / "s", trials=8, samples=False).path), tmp_path)
    assert "The 5 best of 8 trials" in " ".join(found.text)


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (0.4, "0 s"), (119.6, "2 min 0 s"), (3700, "1 h 1 min")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
