"""The report says what the tables hold."""

from __future__ import annotations

import json
import math
import re
import statistics
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.store.folder import Folder
from gansearch.store.nan_json import from_json
from gansearch.study.report.comparison import write_comparison
from gansearch.study.report.report import failures, reasons
from gansearch.study.report.samples import displayed
from gansearch.study.study import Study, load_study
from tests.study.report.html_page import CHARTS, SECTIONS, Page, page
from tests.synthetic import RAISED, experiment, write_many, write_study

pytestmark = pytest.mark.slow


def test_every_section_is_there_in_order(study: Study, text: str) -> None:
    found = Page(text)
    assert found.ids("section") == SECTIONS
    curves = {f"curves-{verdict}" for verdict in study.verdicts if verdict != "balanced"}
    assert set(found.ids("div")) == CHARTS | curves | {"trial"}
    others = {f"map-{place}" for place in range(1, 10)} | {f"parallel-{name}" for name in ("half", "tenth", "30", "10")}
    others |= {f"bands-{place}" for place in range(1, len(study.groupings))}
    assert set(found.charts()) == CHARTS | curves | others
    labels = [attrs["aria-label"] for tag, attrs in found.elements if attrs.get("class") == "chart"]
    assert all(label and len(label) > 20 for label in labels)


def test_the_numbers_of_the_page_are_those_of_the_tables(study: Study, finished: Folder, text: str) -> None:
    found, table = Page(text), pd.read_parquet(finished.trials).set_index("number")
    words, charts = found.words(), found.charts()
    # The answer: medians over the seeds of confirmation.json.
    assert study.best is not None
    assert f"Trial {study.best.number} is the best-balanced configuration" in words
    seeds = [seed for seed in from_json(finished.confirmation.read_text()) if seed["number"] == study.best.number]
    assert f"confirmed distance {statistics.median(seed['distance'] for seed in seeds):.4g}" in words
    assert f"confirmed stability {statistics.median(seed['stability'] for seed in seeds):.2f}" in words
    for name, value in study.best.params.items():
        assert f"{name} {table.loc[study.best.number, name]:.4g}" in words, value
    for verdict, count in table["verdict"].value_counts().items():
        assert f"{str(verdict).replace('_', ' ')} {count}" in words
    # The table: every digit.
    columns = ["stability", "distance", *study.experiment.search, "updates", "train_seconds"]
    for number, *cells in found.rows():
        row = table.loc[int(number), columns]
        assert [math.nan if cell == "" else float(cell) for cell in cells] == pytest.approx(list(row), nan_ok=True)
    # The figures: four digits of each point.
    for id, x, y in (
        ("map", "lr_ratio", "update_ratio"),
        ("pareto", "distance", "stability"),
    ):
        points = {}
        for trace in charts[id]["data"]:
            for at, up, (number, *_) in zip(trace["x"], trace["y"], trace.get("customdata", ()), strict=False):
                points[number] = (at, up)
                assert trace["name"] == table.loc[number, "verdict"].replace("_", " ")
        drawn = table[np.isfinite(table["distance"])] if id == "pareto" else table
        assert sorted(points) == sorted(drawn.index)
        for number, at in points.items():
            assert at == pytest.approx((table.loc[number, x], table.loc[number, y]), rel=1e-3)
    middle = [trace for trace in charts["seeds"]["data"] if trace["name"] == "median"]
    assert middle[1]["x"][0] == pytest.approx(study.best.distance)
    for trace, target in zip(charts["shares"]["data"], ("stability", "distance"), strict=True):
        assert trace["x"] == pytest.approx([100 * share for share in study.importance[target].values()], abs=0.05)
    spent = sum(sum(trace["x"]) for trace in charts["timeline"]["data"])
    assert spent == pytest.approx((table["ended"] - table["started"]).dt.total_seconds().sum())


@pytest.mark.parametrize("trials", [0, 1, 5])
def test_small_and_failed_sweeps_have_a_page_too(trials: int, tmp_path: Path) -> None:
    found = page(load_study(write_study(tmp_path / "s", trials=trials, only="diverged").path), tmp_path)
    assert found.ids("section") == SECTIONS
    text = found.words()
    assert "Nothing to draw" in text
    assert ("No trial has ended yet" if trials == 0 else "Nothing is healthy") in text
    assert trials == 0 or "--anyway" in text


def test_a_trial_without_a_verdict_is_on_the_page(tmp_path: Path) -> None:
    found = page(load_study(write_study(tmp_path / "s", trials=1, error="RuntimeError: boom").path), tmp_path)
    text = " ".join(found.text)
    assert "RuntimeError: boom" in text
    assert "no verdict" in text


def test_a_page_of_trials_that_all_raised_shows_the_error_and_nothing_to_export(tmp_path: Path) -> None:
    found = page(load_study(write_study(tmp_path / "s", trials=4, error=RAISED, failing=4).path), tmp_path)
    text = found.words()
    assert found.ids("section") == SECTIONS
    assert (
        "Every trial failed before it had a verdict The first one failed with RuntimeError: the judge is not at home"
        in text
    )
    assert "No trial has a verdict. 4 trials failed without a verdict" in text
    for wrong in ("every one is balanced", "came closest", "gansearch export", "--anyway"):
        assert wrong not in text
    assert "4 trials : RuntimeError: the judge is not at home (0, 1, 2, 3) Trial 0 on 10.0.0.1:" in text
    assert text.count('raise RuntimeError("the judge is not at home")') == 1
    assert set(found.charts()) & {"parallel", "seeds", "curves", "neighbourhood", "pareto"} == set()


def test_errors_are_listed_beside_balanced_trials(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=4, only="balanced", error=RAISED, failing=1).path)
    text = page(study, tmp_path).words()
    assert "Every trial that has a verdict is balanced. 1 trial failed without a verdict" in text
    assert "Trial 0 on 10.0.0.1 : RuntimeError: the judge is not at home" in text


def test_trials_that_may_be_unknown_are_called_healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(write_study(tmp_path / "s", trials=4, only="balanced", samples=False).path)
    assert "every one is balanced" in page(study, tmp_path).words()
    monkeypatch.setattr(type(study), "healthy_word", "healthy")
    study.trials.loc[study.trials["number"] == 0, "verdict"] = "unknown"
    words = page(study, tmp_path).words()
    assert "every one is healthy" in words
    assert "configuration healthy stability" in words
    assert "its healthy seeds" in Page(write_comparison([study, study], tmp_path / "c.html").read_text()).words()


def test_default_settings_of_a_copy_were_not_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_study(tmp_path / "s", trials=4, confirmed=False, samples=False)
    monkeypatch.setattr("gansearch.study.report.report.is_copy", lambda path: True)
    words = page(load_study(folder.path), tmp_path).words()
    assert "without its search, were not trained. " in words
    assert "There is none for" not in words


def test_an_error_without_a_node_names_its_trial(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "s", trials=2, error="RuntimeError: boom").path)
    study.trials["node"] = ""
    assert failures(study)[0].where == "Trial 0"


def test_long_lists_of_errors_and_trials_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansearch.study.report.report._MAX_ERRORS", 1)
    monkeypatch.setattr("gansearch.study.report.report._MAX_NUMBERS", 2)
    study = load_study(write_study(tmp_path / "s", trials=6, only="diverged", error=RAISED, failing=2).path)
    text = page(study, tmp_path).words()
    assert "The first 1 of 2 different errors" in text
    study.trials["error"] = "boom"
    assert "6 trials : boom (0, 1 …)" in page(study, tmp_path).words()


def test_the_head_gives_the_time_of_the_fresh_seeds(study: Study, text: str) -> None:
    words = Page(text).words()
    assert "in 2 min 44 s, and about 44 s on fresh seeds" in words
    assert "1 min 28 s of training after the search, about 44 s in all" in words


def test_the_links_say_what_the_headings_say(text: str) -> None:
    links = dict(re.findall(r'<a href="#([\w-]+)">(.*?)</a>', text.split("</nav>")[0]))
    headings = dict(re.findall(r'<section id="([\w-]+)">\s*<h2>(.*?)</h2>', text))
    assert set(links) == set(headings) == set(SECTIONS) - {"answer"}
    assert all(headings[id].startswith(words) for id, words in links.items())


def test_the_map_explains_its_shade_for_both_themes(text: str) -> None:
    assert "the stronger the shade, the higher" in Page(text).words()
    assert "darker" not in Page(text).words()


def test_one_trial_is_written_in_the_singular(tmp_path: Path) -> None:
    text = page(load_study(write_study(tmp_path / "s", trials=1, confirmed=False).path), tmp_path).words()
    assert "1 trial, 1 complete" in text
    assert "1 trials" not in text
    assert "generator dominates , not confirmed on fresh seeds" in text


def test_unequal_evidence_is_mentioned(folder: Folder, tmp_path: Path) -> None:
    assert "evidence is unequal" not in page(load_study(folder.path), tmp_path).words()
    folder.confirmation.unlink()
    study = load_study(folder.path)
    assert study.best is not None
    assert (
        f"unequal: trial {study.best.number} was chosen by its 1 seed of the search, which favours lucky ones; "
        "the default settings have 3 fresh seeds"
    ) in page(study, tmp_path).words()


def test_a_running_sweep_has_a_page(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "s")
    folder.create(experiment())
    folder.journal.touch()
    assert page(load_study(folder.path), tmp_path).ids("section") == SECTIONS


def test_each_bad_verdict_has_the_sentence_of_its_typical_trial(study: Study) -> None:
    found = {reason.verdict: reason for reason in reasons(study)}
    assert set(found) == set(study.verdicts) - {"balanced"}
    alike = study.trials[study.trials["verdict"] == "generator_dominates"]
    typical = study.trials.set_index("number").loc[found["generator_dominates"].number]
    assert (alike["stability"] < typical["stability"]).sum() == (len(alike) - 1) // 2
    assert "certain and wrong" in found["generator_dominates"].sentence


def test_the_default_settings_are_compared_where_they_are_known(folder: Folder, tmp_path: Path) -> None:
    found = page(load_study(folder.path), tmp_path)
    assert displayed(load_study(folder.path))[1] is None
    assert "Samples: default settings" in [attrs.get("alt") for _, attrs in found.elements]
    folder.default.unlink()
    text = page(load_study(folder.path), tmp_path).words()
    assert "were not trained" in text
    assert "gansearch train " in text
    seeds = [{"seed": 20_000 + i, "verdict": "oscillating", "stability": 0.4, "distance": 90.0 + i} for i in range(5)]
    (folder.path / "default.json").write_text(json.dumps({"seeds": seeds}))
    text = page(load_study(folder.path), tmp_path).words()
    assert "default settings 0 of 5 0.4 0.4 to 0.4 92" in text
    assert "were not trained" not in text


def test_many_rows_are_cut_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansearch.study.report.report._MAX_ROWS", 5)
    found = page(load_study(write_study(tmp_path / "s", trials=8, samples=False).path), tmp_path)
    assert "The 5 best of 8 trials" in " ".join(found.text)


def test_a_page_of_many_trials_is_thinned_out_and_says_so(tmp_path: Path) -> None:
    path = load_study(write_many(tmp_path / "many", 3000).path).report(tmp_path / "r.html")
    found = Page(path.read_text())
    words = found.words()
    drawn = sum(len(trace["customdata"]) for trace in found.charts()["map"]["data"] if "customdata" in trace)
    assert f"Drawn: {drawn:,} of 3,000 trials, evenly from each verdict and at least 50 of each" in words
    assert "The 1000 best of 3,000 trials" in words
    assert "in place of 3,000 trials one by one" in words
    assert "3,000 trials," in words


def test_the_page_says_what_the_search_improves_and_when_a_candidate_was_out(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", trials=12, samples=False)
    given = Experiment.load(folder.experiment)
    for objective, improved in (("distance", "distance alone"), ("both", "both, as a Pareto front")):
        for replicas, out in ((5, "or unhealthy twice;"), (3, "or unhealthy;")):
            confirm = given.confirm and given.confirm.model_copy(update={"replicas": replicas})
            changed = given.model_copy(update={"objective": objective, "confirm": confirm})
            folder.experiment.write_text(changed.to_yaml())
            words = page(load_study(folder.path), tmp_path).words()
            assert f"The search improves {improved}." in words
            assert out in words


def test_the_page_says_what_was_taken_of_gpus(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", trials=12, samples=False)
    words = page(load_study(folder.path), tmp_path).words()
    assert "GPU-hours" not in words
    assert "gpu_seconds" not in words
    table = pd.read_parquet(folder.trials)
    table.assign(gpu_seconds=1800.0, gpu_memory=2.1e9, gpu_utilisation=0.5).to_parquet(folder.trials, index=False)
    words = page(load_study(folder.path), tmp_path).words()
    assert "6 GPU-hours; at most 2.1 GB a trial; busy 50% of the time" in words
    assert "gpu_seconds gpu_memory gpu_utilisation" in words
    assert load_study(folder.path).summary()["gpu_hours"] == 6.0


def test_the_page_says_where_trials_came_from_and_bad_numbers_of_it_do_not_break_it(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", trials=12, samples=False)
    prior = {"trials": 9, "balanced": 3, "distance": 0.25, "won": 0.56}
    folder.run.write_text(json.dumps({"sources": {"prior": prior, "tpe": {"trials": "x"}, "move": 3}}))
    words = page(load_study(folder.path), tmp_path).words()
    assert "from the prior 9 trials, 3 balanced, the nearest at 0.25; at the first rung" in words
    assert "by TPE" not in words
    for data in ({"sources": ["prior"], "versions": 3, "score": 3, "slots": "two", "wall_seconds": "x"}, [1], 3):
        folder.run.write_text(json.dumps(data))
        assert "Where the compute went" in page(load_study(folder.path), tmp_path).words()
