"""Axes span the search, choices have one label each, and distances stay above zero."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gansearch.store.folder import Folder
from gansearch.study.figures.axes import choice_label, distance_axis, value_axis
from gansearch.study.figures.trials import stability_map
from gansearch.study.study import Study, load_study


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def test_axes_span_the_search_and_each_choice_has_a_place(study: Study) -> None:
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


def test_a_choice_has_the_same_label_from_a_table_and_from_an_experiment() -> None:
    pairs = [(1, 1.0), (20_000, 20_000.0), (None, math.nan), (True, np.bool_(True)), ([0.5, 0.9], np.array([0.5, 0.9]))]
    assert [choice_label(one) for one, _ in pairs] == [choice_label(other) for _, other in pairs]
    assert [choice_label(one) for one, _ in pairs] == ["1", "20000", "none", "True", "0.5, 0.9"]


def test_a_distance_axis_does_not_start_below_zero() -> None:
    assert distance_axis(pd.Series([0.1, math.nan]))["range"] == [0, 0.2]
    assert distance_axis(pd.Series([0.1, 0.9]))["range"][0] == pytest.approx(0.036)
    assert distance_axis(pd.Series([0.0, 0.9]))["range"][0] == 0
    assert distance_axis(pd.Series([1.0, 90.0]))["type"] == "log"


def test_a_logarithmic_axis_without_a_round_number_has_its_ends_as_ticks() -> None:
    axis = value_axis(pd.Series([3.2, 3.9, 3.45678]), log=True)
    assert (axis["tickvals"], axis["ticktext"]) == ([3.2, 3.9], ["3.2", "3.9"])
    assert value_axis(pd.Series([3.0]), log=True)["tickvals"] == [3.0]
