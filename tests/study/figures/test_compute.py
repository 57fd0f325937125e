"""The timeline of the slots."""

from __future__ import annotations

import pytest

from gansearch.store.folder import Folder
from gansearch.study.figures.compute import timeline
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_a_bar_is_a_trial_and_a_row_a_slot(study: Study) -> None:
    figure = timeline(study.trials)
    assert sum(len(bar.x) for bar in figure.data) == len(study.trials)
    assert figure.layout.yaxis.categoryarray == ("slot 2", "slot 1")
    hatched = {
        row[0]
        for bar in figure.data
        for row, shape in zip(bar.customdata, bar.marker.pattern.shape, strict=True)
        if shape
    }
    assert hatched == set(study.trials.loc[study.trials["status"] == "pruned", "number"])
    assert figure.layout.xaxis.title.text == "minutes"


def test_many_slots_are_counted(study: Study) -> None:
    trials = study.trials.assign(node=[f"10.0.0.{number}" for number in study.trials["number"]])
    figure = timeline(trials)
    assert "in place of 40 trials" in figure.layout.meta["drawn"]
    whole = study.trials["ended"].max() - study.trials["started"].min()
    spent = sum(sum(trace.y) for trace in figure.data) * whole.total_seconds() / 120
    assert spent == pytest.approx((trials["ended"] - trials["started"]).dt.total_seconds().sum(), rel=0.02)
