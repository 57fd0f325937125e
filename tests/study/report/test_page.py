"""Pages need no network, and are safe whatever texts they hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from gansearch.stability.verdict import VERDICTS
from gansearch.store.nan_json import from_json, to_json
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.palette import COLOURS, SYMBOLS
from gansearch.study.report.page import Charts, render
from gansearch.study.study import Study, load_study
from tests.study.report.html_page import Page, page
from tests.synthetic import experiment, write_study


def test_a_page_loads_nothing_from_a_network(text: str) -> None:
    found = Page(text)
    links = [attrs.get(name) for _, attrs in found.elements for name in ("src", "href", "srcset") if name in attrs]
    assert links
    assert all((link or "").startswith(("data:", "#")) for link in links)
    policy = next(attrs["content"] for tag, attrs in found.elements if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert {"img-src data: blob:", "media-src data:"} <= set(policy.split("; "))  # of pictures and of sounds
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert len([script for script in found.scripts if len(script) > 1e6]) == 1


def test_all_texts_of_users_are_escaped(tmp_path: Path) -> None:
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
    assert not any("<script" in script for script in found.scripts[1:])
    assert not any(name.startswith("on") for _, attrs in found.elements for name in attrs)
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


def test_one_colour_and_one_symbol_for_one_verdict_on_the_whole_page(text: str) -> None:
    charts = Page(text).charts()
    by_words = {verdict.replace("_", " "): verdict for verdict in VERDICTS}
    for id, chart in charts.items():
        for trace in chart["data"]:
            verdict = by_words.get(trace.get("name"))
            if verdict:
                colour = trace.get("marker", {}).get("color") or trace["line"]["color"]
                assert colour == COLOURS[verdict] or trace["line"]["color"] == COLOURS[verdict], id
                symbols = trace.get("marker", {}).get("symbol", [])
                symbols = [symbols] if isinstance(symbols, str) else symbols
                assert set(symbols) <= {SYMBOLS[verdict], SYMBOLS[verdict] + "-open"}


def test_a_figure_without_data_gives_its_reason() -> None:
    def empty() -> None:
        raise EmptyFigureError("no trial has ended yet")

    charts = Charts({"map": empty})
    assert (charts.figures, charts.missing) == ({}, {"map": "no trial has ended yet"})


def test_chart_data_cannot_end_its_script(text: str) -> None:
    data = Page(text).scripts[1]
    assert json.loads(data)["figures"]
    assert "\\u003cb\\u003etrial" in data, "a hover text has markup"
    assert not set("<>&") & set(data)


def test_a_home_folder_that_is_not_ascii_is_left_out_of_the_data_too(monkeypatch) -> None:
    monkeypatch.setenv("HOME", "/home/jürgen")
    details = {0: {"sentence": "/home/jürgen/loop.py raised \x7f\u202e"}}
    trained = SimpleNamespace(experiment=experiment(), seeds=[], trained=[])
    text = render("trained.html", Charts({}), details, trained=trained, answers=[], moments=None)
    assert json.loads(Page(text).scripts[1])["details"]["0"]["sentence"] == "~/loop.py raised \x7f\u202e"
    assert "\u202e" not in text


def test_a_page_to_be_passed_on_has_no_password_no_home_and_no_escape(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    error = f'  File "{tmp_path}/gan/mine.py", line 1\nOSError: http://me:hunter2@host \x1b[2J password=hunter2'
    folder = write_study(tmp_path / "s", trials=12, error=error, failing=2)
    fields = {"url": "http://me:hunter2@host", "api_key": "hunter2", "file": str(tmp_path / "data")}
    spec = experiment(**{"task": "my.module:Mine", "task_options": fields})
    folder.experiment.write_text(spec.to_yaml(secrets=True))
    folder.run.write_text(to_json({"command": f"gansearch --set a=http://me:hunter2@host {tmp_path}/a.yaml"}))
    study = load_study(folder.path)
    text = study.report(tmp_path / "page.html").read_text()
    assert "hunter2" not in text
    assert str(tmp_path) not in text
    assert "\x1b" not in text
    assert "~/gan/mine.py" in text
    assert "http://***@host" in text
    assert "hunter2" not in study.export(format="yaml") + study.export(format="json") + study._repr_html_()
