"""The figures as methods of a study, and what they refuse."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from gansearch.store.confirmation import write_confirmation
from gansearch.store.folder import Folder, StudyError
from gansearch.store.trial_files import read_record, write_record
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.report.page import Charts
from gansearch.study.report.report import charts_of, reasons
from gansearch.study.study import Study, load_study
from tests.synthetic import confirm, write_study

PLOTS = ["stability_map", "pareto", "curves", "bands", "importance", "slices", "parallel", "seeds", "neighbourhood"]
PLOTS += ["timeline"]


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_the_page_shows_the_methods_figures(study: Study) -> None:
    charts: Charts = charts_of(study, reasons(study), ())
    names = {"stability_map": "map", "importance": "shares", "slices": "slices-stability"}
    for name in PLOTS:
        figure = getattr(study, f"plot_{name}")()
        assert figure.to_json() == charts.figures[names.get(name, name)].to_json(), name
        assert figure.layout.meta["text"]
        assert figure.layout.title.text != "<b></b>"
        assert figure.layout.margin.t == figure.layout.meta["head"]  # room for it and for plotly's buttons


def test_a_map_of_other_parameters(study: Study) -> None:
    figure = study.plot_stability_map("lr", "r1_gamma")
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("lr", "r1_gamma")
    with pytest.raises(StudyError, match=r"'lr_rato': it is not one of lr, lr_ratio"):
        study.plot_stability_map("lr_rato", "lr")
    with pytest.raises(StudyError, match="no trial 99 among 40"):
        study.plot_curves(99)
    with pytest.raises(StudyError, match="'fid'"):
        study.plot_slices("fid")
    with pytest.raises(StudyError, match=r"no bands by 'los': it is not one of verdict, status, distance, lr, "):
        study.plot_bands("los")


def test_parallel_coordinates_of_the_nearest_trials_by_share_or_number(study: Study) -> None:
    order = study.trials.sort_values("distance")["number"].tolist()
    measured = int(study.trials["distance"].notna().sum())
    for part, count in ((0.1, 4), (7, 7), (1000, measured)):
        figure = study.plot_parallel(part)
        drawn = {row[0] for trace in figure.data for row in trace.customdata}
        assert drawn == set(order[:count]), part


def test_trials_are_grouped_by_where_they_came_from(folder: Folder) -> None:
    assert "source" not in load_study(folder.path).groupings
    run = json.loads(folder.run.read_text())
    folder.run.write_text(json.dumps({**run, "sources": {"prior": {"trials": 1, "balanced": 1, "distance": 1.0}}}))
    for number, source in enumerate(["prior", "tpe", "tpe"]):
        record = read_record(folder, number)
        assert record
        write_record(folder, replace(record, source=source))
    (folder.record(3) / "result.json").write_text("[")
    groups = load_study(folder.path).groupings["source"]
    assert {name: list(numbers)[:3] for name, numbers in groups.items()} == {
        "none": [3, 4, 5],
        "tpe": [1, 2],
        "prior": [0],
    }
    assert load_study(folder.path).plot_bands("source").layout.meta["key"][1][0] == "tpe · 2 runs"


def test_a_study_without_trials_has_no_figures(tmp_path: Path) -> None:
    empty = load_study(write_study(tmp_path / "s", trials=0).path)
    for name in PLOTS:
        with pytest.raises(EmptyFigureError):
            getattr(empty, f"plot_{name}")()
    assert "No trial has ended yet" in empty._repr_html_()


def test_the_curves_show_where_the_record_says_that_late_trouble_began(folder: Folder) -> None:
    path = folder.record(3) / "result.json"
    content = json.loads(path.read_text())
    for seed in content["seeds"]:
        del seed["late_since"]  # an earlier version has written the folder
    path.write_text(json.dumps(content))
    assert not load_study(folder.path).plot_curves(3).layout.shapes
    record = read_record(folder, 3)
    assert record
    write_record(folder, replace(record, seeds=(replace(record.seeds[0], late_since=150.0),)))
    assert {shape.x0 for shape in load_study(folder.path).plot_curves(3).layout.shapes} == {150}


def test_the_default_settings_may_be_a_trial(folder: Folder) -> None:
    folder.default.unlink()
    assert load_study(folder.path).default is None
    trials = pd.read_parquet(folder.trials)
    usual = {"lr": 2e-4, "lr_ratio": 1.0, "pretrain_steps": 0, "update_ratio": 1.0, "r1_gamma": 0.0}
    for name, value in usual.items():
        trials.loc[3, name] = value
    trials.to_parquet(folder.trials, index=False)
    found = load_study(folder.path).default
    assert found is not None
    assert (found.number, found.fresh) == (3, False)
    # Among the confirmed candidates it is known on fresh seeds, and is not twice in the figure.
    write_confirmation(folder, [*load_study(folder.path).confirmation, *confirm(usual, 3)])
    study = load_study(folder.path)
    assert study.default is not None
    assert (study.default.number, study.default.fresh, len(study.default.seeds)) == (3, True, 5)
    assert [group.number for group in study.groups].count(3) == 1
    found = study.default
    (folder.path / "default.json").write_text("{half")
    assert load_study(folder.path).default == found
    seeds = [{"seed": 1, "verdict": "balanced", "stability": 0.9, "distance": None}]
    (folder.path / "default.json").write_text(json.dumps({"seeds": seeds}))
    found = load_study(folder.path).default
    assert found is not None
    assert (found.number, found.healthy, found.stability) == (None, 1, 0.9)
    assert math.isnan(found.distance)
