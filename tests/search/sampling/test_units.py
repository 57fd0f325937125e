"""Values of distributions as numbers from 0 to 1."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gansearch.search.sampling.units import from_unit, holds, nearest_value, to_unit


@pytest.mark.parametrize(
    ("dist", "value", "unit"),
    [
        (FloatDistribution(1e-4, 1e-2, log=True), 1e-3, 0.5),
        (FloatDistribution(0.0, 2.0), 0.5, 0.25),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.75, 0.75),
        (IntDistribution(0, 1000), 250, 0.25),
        (IntDistribution(1, 100, log=True), 10, 0.5),
    ],
)
def test_a_value_lies_where_its_scale_has_it_and_comes_back(dist, value, unit):
    assert to_unit(dist, value) == pytest.approx(unit)
    assert from_unit(dist, unit) == pytest.approx(value)
    assert dist._contains(dist.to_internal_repr(from_unit(dist, 1.0)))
    assert type(from_unit(dist, unit)) is type(value)


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
