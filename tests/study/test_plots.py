"""The figures as methods of a study, what they refuse, and studies beside each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansearch.store.confirmation import write_confirmation
from gansearch.store.folder import Folder, StudyError
from gansearch.study.analysis.time_spent import by_slot, saved
from gansearch.study.figures import curves as figures_curves
from gansearch.study.figures.axes import choice_label, distance_axis
from gansearch.study.figures.base import EmptyFigureError, subsample
from gansearch.study.figures.trials import stability_map
from gansearch.study.report.page import Charts
from gansearch.study.report.report import charts_of, reasons
from gansearch.study.study import Study, load_study
from tests.synthetic import confirm, write_study

PLOTS = ["stability_map", "pareto", "curves", "importance", "slices", "parallel", "seeds", "neighbourhood", "timeline"]


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_the_page_shows_the_methods_figures(study: Study) -> None:
    charts: Charts = charts_of(study, reasons(study))
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


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    empty = load_study(write_study(tmp_path / "s", trials=0).path)
    for name in PLOTS:
        with pytest.raises(EmptyFigureError):
            getattr(empty, f"plot_{name}")()
    assert "No trial has ended yet" in empty._repr_html_()


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


def test_many_trials_are_thinned_evenly(study: Study) -> None:
    many = pd.concat([study.trials] * 100, ignore_index=True)
    many["number"] = range(len(many))
    many.loc[17, "verdict"] = "collapsed"
    drawn, note = subsample(many, include={1234})
    assert {17, 1234} <= set(drawn["number"])
    assert f"{len(drawn):,} of 4,000" in note
    shares = drawn["verdict"].value_counts(normalize=True) - many["verdict"].value_counts(normalize=True)
    assert shares.abs().max() < 0.02
    assert subsample(study.trials)[1] == ""


def test_slots_and_what_pruning_saved(study: Study) -> None:
    slots = by_slot(study.trials)
    assert set(slots["slot"]) == {"slot 1", "slot 2"}
    for _, part in slots.groupby("slot"):
        assert (part["begin"].iloc[1:].to_numpy() >= part["end"].iloc[:-1].to_numpy() - 0.05).all()
    later = study.trials.copy()
    late = later["number"] >= 20
    for name in ("started", "ended"):
        later.loc[late, name] += pd.Timedelta(days=1)  # a sweep that was resumed the next day
    assert by_slot(later)["end"].max() < slots["end"].max() + 8
    pruned = study.trials[study.trials["status"] == "pruned"]
    found = saved(study.trials, study.experiment)
    assert found.updates == (4000 - pruned["updates"]).sum() == 3000 * len(pruned)
    # At the speed of complete trials: those that were stopped had their end, too, in fewer updates.
    assert found.seconds == pytest.approx(3000 * 8 / 4000 * len(pruned))
    alone = saved(pruned, study.experiment)
    assert alone.seconds == pytest.approx(3000 * 8 / 1000 * len(pruned))


def test_axes_span_the_search_and_choices_have_places(study: Study) -> None:
    figure = study.plot_slices()
    axes = {figure.layout.annotations[i].text: figure.layout[f"xaxis{i + 1 if i else ''}"] for i in range(5)}
    gamma, steps = axes["<b>r1_gamma</b>"], axes["<b>pretrain_steps</b>"]
    assert (gamma.type, gamma.categoryarray) == ("category", ("0", "0.1", "1"))
    assert (steps.range[0], steps.range[1]) == pytest.approx((-50, 1050))
    low, high = axes["<b>lr</b>"].range
    assert low < -4
    assert high > -2
    few = study.trials[study.trials["lr"] < 1e-3]
    assert stability_map(few, study.experiment, "lr", "r1_gamma").layout.xaxis.range == axes["<b>lr</b>"].range
    points = {x for trace in figure.data if trace.xaxis == "x5" for x in trace.x}
    assert points == {"0", "0.1", "1"}
    contour = study.plot_stability_map("r1_gamma", "lr").data[0]
    assert (contour.type, contour.x, len(contour.z[0])) == ("contour", ("0", "0.1", "1"), 3)
    assert "expected stability" in study.plot_stability_map().layout.title.subtitle.text


def test_choices_are_the_same_from_a_table_and_from_an_experiment() -> None:
    pairs = [(1, 1.0), (20_000, 20_000.0), (None, math.nan), (True, np.bool_(True)), ([0.5, 0.9], np.array([0.5, 0.9]))]
    assert [choice_label(one) for one, _ in pairs] == [choice_label(other) for _, other in pairs]
    assert [choice_label(one) for one, _ in pairs] == ["1", "20000", "none", "True", "0.5, 0.9"]


def test_no_axis_shows_distances_below_zero() -> None:
    assert distance_axis(pd.Series([0.1, math.nan]))["range"] == [0, 0.2]
    assert distance_axis(pd.Series([0.1, 0.9]))["range"][0] == pytest.approx(0.036)
    assert distance_axis(pd.Series([0.0, 0.9]))["range"][0] == 0
    assert distance_axis(pd.Series([1.0, 90.0]))["type"] == "log"


def test_one_seed_has_no_bar_and_no_distance_below_zero(tmp_path: Path) -> None:
    one = load_study(write_study(tmp_path / "s", trials=1, confirmed=False).path)
    assert one.plot_seeds().layout.xaxis2.range[0] == 0
    assert one.plot_pareto().layout.xaxis.range[0] == 0
    assert "bar" not in one.plot_seeds().layout.annotations[1].text
    assert "bar: 95%" in load_study(write_study(tmp_path / "c").path).plot_seeds().layout.annotations[1].text
    failed = load_study(write_study(tmp_path / "f", trials=3, only="diverged").path)
    assert [note.text for note in failed.plot_seeds().layout.annotations] == ["<b>Stability</b>"]


def test_a_gradient_that_vanishes_is_drawn_to_the_end(study: Study) -> None:
    curves = study.curves[study.curves["number"] == 3].copy()
    curves.iloc[-1, curves.columns.get_loc("grad_norm_g")] = 1e-12
    axis = figures_curves.curves(curves, 3).layout.yaxis4
    assert axis.range[0] < -12
    assert 3 <= len(axis.tickvals) <= 8


def test_a_neighbourhood_says_what_it_shows_and_shades_no_choices(study: Study) -> None:
    figure = study.plot_neighbourhood()
    assert figure.layout.yaxis.title.text == "expected distance"
    shaded = {shape.xref for shape in figure.layout.shapes if shape.type == "rect"}
    assert shaded == {"x", "x2", "x3", "x4"}
    own = next(shape for shape in figure.layout.shapes if shape.type == "line" and shape.xref == "x5")
    assert study.best is not None
    assert ("0", "0.1", "1")[own.x0] == f"{study.best.params['r1_gamma']:g}"


def test_studies_beside_each_other(study: Study, tmp_path: Path) -> None:
    other = load_study(write_study(tmp_path / "other", trials=12, confirmed=False, replicas=2).path)
    table, figure = study.compare(other)
    assert list(table.index) == ["digits (digits)", "digits (other)"]
    row = table.iloc[0]
    assert study.best is not None
    assert (row["total"], row["balanced"]) == (40, study.verdicts["balanced"])
    assert (row["trial"], row["distance"]) == (study.best.number, study.best.distance)
    assert (row["distance_low"], row["distance_high"]) == study.best.interval
    assert row["lr_ratio"] == study.best.params["lr_ratio"]
    assert not table["fresh"].iloc[1]
    assert "digits (other)" in figure.layout.meta["text"]
    lines = [trace.line.dash for trace in figure.data if trace.xaxis == "x2" and trace.yaxis == "y2"]
    assert lines == ["solid", "6px,2px"]
