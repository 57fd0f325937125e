"""A forest over the trials, and the scales of what was searched."""

import numpy as np
import pandas as pd
import pytest

from gansearch.study.analysis.surrogate import (
    ENOUGH,
    Scale,
    Surrogate,
    distance_surrogate,
    scale_of,
    scales,
    stability_surrogate,
)


def trials(count=60):
    rng = np.random.default_rng(0)
    lr = 10 ** rng.uniform(-4, -2, count)
    numbers = {"lr": lr, "lr_ratio": 1.0, "lr_d": lr, "lr_g": lr, "update_ratio": rng.uniform(1, 3, count)}
    return pd.DataFrame({"number": range(count), **numbers, "loss": np.where(np.arange(count) % 2, "hinge", "wgan")})


def test_a_scale_is_logarithmic_beyond_a_decade_and_comes_back():
    assert scale_of(pd.Series([1.0, 1.0])) is None
    assert scale_of(pd.Series([1.0, 3.0])).log is False
    scale = scale_of(pd.Series([1e-4, 1e-2, np.nan]))
    assert scale == Scale(1e-4, 1e-2, log=True)
    assert scale.unit(pd.Series([1e-4, 1e-3, 1e-2, np.nan])).tolist() == pytest.approx([0, 0.5, 1, 0.5])
    assert scale.values(np.array([0.0, 0.5, 1.0])) == pytest.approx([1e-4, 1e-3, 1e-2])


def test_rates_of_the_networks_follow_from_rate_and_ratio():
    table = trials()
    assert list(scales(table)) == ["lr", "update_ratio", "loss"], "lr_ratio is the same everywhere"
    assert list(scales(table.drop(columns=["lr", "lr_ratio"]))) == ["lr_d", "lr_g", "update_ratio", "loss"]
    cube = Surrogate(table, table["lr"]).points
    assert cube.min().min() == 0
    assert cube.max().max() == 1


def test_it_predicts_what_the_trials_show():
    table = trials(200)
    target = np.log10(table["lr"]) + (table["loss"] == "hinge")
    forest = Surrogate(table, target)
    at = forest.points.iloc[0]
    points = forest.where(at, {"lr": np.array([0.1, 0.9])})
    low, high = forest(points)
    assert high - low == pytest.approx(1.6, abs=0.3)
    assert forest.each(points).mean(0) == pytest.approx([low, high])
    grid = forest.map("lr", "update_ratio", np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.8]))
    assert grid.shape == (2, 3)
    assert (np.diff(grid, axis=1) > 0.4).all()


def test_there_is_none_of_too_few_trials_or_of_equal_ones():
    table = trials(ENOUGH).assign(stability=0.5)
    assert stability_surrogate(table) is not None
    assert stability_surrogate(table.head(ENOUGH - 1)) is None
    assert stability_surrogate(table.head(1).loc[[0] * ENOUGH].reset_index()) is None


def test_null_among_the_choices_is_a_choice():
    column = pd.Series([None, "hinge", "wgan"])
    scale = scale_of(column)
    assert len(scale.texts) == 3
    assert sorted(scale.unit(column)) == [0, 0.5, 1]


def test_distances_without_a_logarithm_have_no_surrogate():
    table = trials().assign(distance=1.0, stability=1.0)
    table["distance"] += np.arange(60)
    assert distance_surrogate(table) is not None
    assert distance_surrogate(table.assign(distance=table["distance"] - 5)) is None
