"""Values of distributions as numbers from 0 to 1."""

import numpy as np
import pytest
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gansearch.search.sampling.units import from_unit, holds, nearest_value, to_unit


@pytest.mark.parametrize(
    ("dist", "value", "unit"),
    [
        (FloatDistribution(1e-4, 1e-2, log=True), 1e-3, 0.5),
        (FloatDistribution(0.0, 2.0), 0.5, 0.25),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.75, 0.7),
        (IntDistribution(0, 999), 250, 0.2505),
        (IntDistribution(2, 8, step=3), 2, 1 / 6),
        (IntDistribution(1, 4, log=True), 1, np.log(2) / np.log(9)),
    ],
)
def test_a_value_lies_where_its_scale_has_it_and_comes_back(dist, value, unit):
    assert to_unit(dist, value) == pytest.approx(unit)
    assert from_unit(dist, unit) == pytest.approx(value)
    assert dist._contains(dist.to_internal_repr(from_unit(dist, 1.0)))
    assert type(from_unit(dist, unit)) is type(value)


@pytest.mark.parametrize(
    ("dist", "values"),
    [
        (IntDistribution(1, 3), [1, 2, 3]),
        (IntDistribution(0, 6, step=3), [0, 3, 6]),
        (FloatDistribution(0.0, 0.3, step=0.1), [0.0, 0.1, 0.2, 0.3]),
    ],
)
def test_each_of_few_values_has_an_equal_share(dist, values):
    drawn = np.array([from_unit(dist, unit) for unit in (np.arange(12_000) + 0.5) / 12_000])
    shares = [np.isclose(drawn, value).mean() for value in values]
    assert shares == pytest.approx([1 / len(values)] * len(values), abs=1e-3)


@pytest.mark.parametrize(
    "dist",
    [
        IntDistribution(1, 3),
        IntDistribution(-4, 8, step=4),
        IntDistribution(1, 300, log=True),
        IntDistribution(5, 5),
        FloatDistribution(0.1, 1.0, step=0.3),
        FloatDistribution(1e-5, 1e-1, log=True),
    ],
)
def test_numbers_mean_what_they_mean_to_optuna(dist):
    optunas = _SearchSpaceTransform({"x": dist}, transform_0_1=True)
    for unit in np.linspace(0.001, 0.999, 300):
        value = from_unit(dist, unit)
        assert value == pytest.approx(optunas.untransform(np.array([unit]))["x"])
        assert to_unit(dist, value) == pytest.approx(optunas.transform({"x": value})[0])
        assert from_unit(dist, to_unit(dist, value)) == pytest.approx(value, rel=1e-12)


def test_whole_numbers_come_back_exactly():
    for dist in (IntDistribution(1, 1000, log=True), IntDistribution(0, 999), IntDistribution(3, 303, step=25)):
        values = range(dist.low, dist.high + 1, dist.step)
        assert [from_unit(dist, to_unit(dist, value)) for value in values] == list(values)


def test_places_outside_are_the_ends_and_choices_have_equal_shares():
    assert from_unit(FloatDistribution(1.0, 3.0), 1.7) == 3.0
    choices = CategoricalDistribution(["a", "b", "c"])
    assert [from_unit(choices, unit) for unit in (0.0, 0.34, 0.9, 1.0)] == ["a", "b", "c", "c"]
    assert to_unit(IntDistribution(3, 3), 3) == 0.5


def test_what_is_outside_becomes_the_nearest_value():
    assert nearest_value(FloatDistribution(0.01, 10, log=True), 0.0) == 0.01
    assert nearest_value(IntDistribution(0, 300), 754) == 300
    assert nearest_value(CategoricalDistribution([0.0, 0.1, 1.0]), 0.6) == 1.0
    assert nearest_value(CategoricalDistribution(["hinge", "wgan"]), "minimax") == "hinge"


def test_a_distribution_holds_what_is_in_its_range_and_choices_that_are_numbers_may_be_near_one():
    rate, count = FloatDistribution(1e-5, 1e-3, log=True), IntDistribution(1, 5)
    assert [holds(rate, value) for value in (1e-5, 1e-3, 2e-3, 0, None, "1e-4")] == [True, True] + [False] * 4
    assert [holds(count, value) for value in (1, 2.4, 6)] == [True, True, False]
    assert holds(CategoricalDistribution([1e-4, 1e-3]), 5e-4)
    assert [holds(CategoricalDistribution(["a", "b"]), value) for value in ("a", "c", 1.0, None)] == [True] + [
        False
    ] * 3
