"""The figures as methods of a study, what they refuse, and studies beside each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from gansearch.study.compute import by_slot, saved
from gansearch.study.figures import NothingToDraw, thin
from gansearch.study.folder import Folder, StudyError
from gansearch.study.page import Charts
from gansearch.study.report import _charts, reasons
from gansearch.study.study import Study, load_study
from gansearch.study.tables import to_json

from .synthetic import confirm, write_study

PLOTS = ["stability_map", "pareto", "curves", "importance", "slices", "parallel", "seeds", "neighbourhood", "timeline"]


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_the_page_shows_the_methods_figures(study: Study) -> None:
    charts: Charts = _charts(study, reasons(study))
    names = {"stability_map": "map", "importance": "shares", "slices": "slices-stability"}
    for name in PLOTS:
        figure = getattr(study, f"plot_{name}")()
        assert figure.to_json() == charts.figures[names.get(name, name)].to_json(), name
        assert figure.layout.meta["text"]


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
        with pytest.raises(NothingToDraw):
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
    folder.confirmation.write_text(to_json([*load_study(folder.path).confirmation, *confirm(usual, 3)]))
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
    drawn, note = thin(many, keep={1234})
    assert {17, 1234} <= set(drawn["number"])
    assert f"{len(drawn):,} of 4,000" in note
    shares = drawn["verdict"].value_counts(normalize=True) - many["verdict"].value_counts(normalize=True)
    assert shares.abs().max() < 0.02
    assert thin(study.trials)[1] == ""


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
    assert found.seconds == pytest.approx(3000 * 8 / 1000 * len(pruned))


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
