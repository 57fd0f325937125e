"""Trials as points and as lines."""

from __future__ import annotations

import numpy as np
import pytest

from gansearch.store.folder import Folder
from gansearch.study.figures.trials import map_pairs, parallel, pareto
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_pairs_to_map_begin_with_the_usual_one_and_then_follow_the_importance(study: Study) -> None:
    pairs = map_pairs(study.trials, study.experiment, ["r1_gamma", "lr"])
    assert pairs[:2] == [("lr_ratio", "update_ratio"), ("r1_gamma", "lr")]
    assert len(pairs) == 10
    one = study.experiment.model_copy(update={"search": {"lr": study.experiment.search["lr"]}})
    assert map_pairs(study.trials, one, []) == [("lr", "stability")]


def test_the_front_holds_the_healthy_trials_that_no_other_beats(study: Study) -> None:
    figure = pareto(study.trials)
    front = next(trace for trace in figure.data if trace.name == "front")
    healthy = study.trials[(study.trials["verdict"] == "balanced") & (study.trials["status"] == "complete")]
    unbeaten = [
        row.distance
        for row in healthy.itertuples()
        if not ((healthy["distance"] < row.distance) & (healthy["stability"] > row.stability)).any()
    ]
    assert list(front.x) == pytest.approx(sorted(unbeaten), rel=1e-3)
    assert list(front.y) == sorted(front.y)


def test_parallel_axes_are_logarithmic_where_the_search_is(study: Study) -> None:
    narrow = study.trials[study.trials["lr"].between(1e-3, 4e-3)].assign(pretrain_steps=lambda part: 1 + part.index**3)
    figure = parallel(narrow, study.experiment)
    names = ["lr (log)", "lr_ratio (log)", "pretrain_steps", "update_ratio (log)", "r1_gamma", "stability", "distance"]
    assert [name.replace("distance (log)", "distance") for name in figure.layout.xaxis.ticktext] == names
    lines = [trace for trace in figure.data if trace.name != "best-balanced"]
    first = {trace.customdata[at][0]: trace.y[at] for trace in lines for at, x in enumerate(trace.x) if x == 0}
    table = narrow.set_index("number")["lr"]
    span = np.log(table.max() / table.min())
    assert len(first) == len(narrow)
    for number, at in first.items():
        assert at == pytest.approx(np.log(table[number] / table.min()) / span, abs=1e-3)


def test_parallel_lines_have_a_gap_between_trials(study: Study) -> None:
    figure = parallel(study.trials, study.experiment, best=3)
    balanced = next(trace for trace in figure.data if trace.name == "balanced")
    axes = len(figure.layout.xaxis.tickvals)
    assert axes == 7
    assert np.isnan(balanced.y[axes :: axes + 1]).all()
    assert len(balanced.y) == (axes + 1) * study.verdicts["balanced"]
    assert figure.data[-1].name == "best-balanced"
    assert {row[0] for row in figure.data[-1].customdata} == {3}
