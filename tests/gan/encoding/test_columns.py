import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr, ndtri

from gansearch.gan.encoding.columns import Column, Ranks, order_of
from gansearch.gan.encoding.forms import Ordered, form_of

DRAWS = np.random.default_rng(0)


def column_of(values, is_choice=False) -> Column:
    series = pd.Series(values).convert_dtypes()
    return Column("x", form_of(series), series, is_choice)


def made_up(column: Column, count=1_000) -> list:
    """What the column decodes of outputs that are all over the place."""
    return column.decode(np.random.default_rng(0).normal(0, 2, (count, column.choices + 1)))


def test_values_that_repeat_are_the_only_ones_decoded():
    values = DRAWS.choice([0.3, 1.7, 22, 27.5], 400)
    ranks = Ranks(values)
    assert set(ranks.decode(DRAWS.uniform(0, 1, 1_000))) == {0.3, 1.7, 22, 27.5}
    shares = np.mean(ranks.decode(np.linspace(0, 1, 4_001)) == 22)
    assert shares == pytest.approx(np.mean(values == 22), abs=1e-3)


@pytest.mark.parametrize(("step", "decimals"), [(5, 0), (0.5, 1), (0.25, 2), (0.0001, 4)])
def test_other_numbers_are_decoded_to_their_grid_within_the_range(step, decimals):
    numbers = ((DRAWS.integers(0, 3_000, 500) + 3) * step).round(decimals)
    ranks = Ranks(numbers)
    assert ranks.step == pytest.approx(step)
    decoded = ranks.decode(DRAWS.uniform(0, 1, 2_000))
    assert np.array_equal(decoded, decoded.round(decimals))
    assert decoded.min() >= numbers.min()
    assert decoded.max() <= numbers.max()
    assert len(set(decoded) - set(numbers)) > 100, "they need not have been seen"


@pytest.mark.parametrize("numbers", [DRAWS.integers(0, 9, 300) * 1.0, DRAWS.lognormal(0, 3, 300), np.arange(60) / 8])
def test_any_rank_of_a_number_is_decoded_to_it(numbers):
    ranks = Ranks(numbers)
    low, high = ranks.encode(numbers).T
    assert (low <= high).all()
    for share in (0, 0.37, 1):
        scores = ndtri(low + share * (high - low)).astype(np.float32)
        np.testing.assert_allclose(ranks.decode(ndtr(scores.astype(float))), numbers, atol=1e-9)


def test_heavy_values_and_gaps_are_choices_beside_a_number():
    numbers = DRAWS.gamma(1, 40, 500).round(1)
    numbers[:200], numbers[200:260], numbers[260:280] = 0, 999, np.nan
    column = column_of(numbers)
    assert column.choices == 4
    assert str(column).startswith("a number in steps of 0.1, or 0.0 (40.2%), or 999.0 (12.0%), or a gap (4.0%)")
    stored = column.encode(pd.Series(numbers))
    assert np.bincount(stored[:, 0].astype(int)).tolist() == [219, 201, 60, 20]
    decoded = pd.Series(made_up(column), dtype=object)
    assert {0, 999} < set(decoded)
    assert decoded.isna().any()
    assert decoded.dropna().max() <= 999


def test_a_cap_that_is_no_heavier_than_its_neighbours_is_none():
    assert column_of(DRAWS.integers(0, 40, 400)).choices == 0


def test_choices_are_written_as_they_were():
    for values in ([3, 7, 12], [True, False], ["a", "b", None], [1.5, 17.0, None]):
        column = column_of(list(values) * 20, is_choice=True)
        stored = column.encode(pd.Series(list(values) * 20, dtype=object))
        one_hot = np.eye(len(values))[stored[:, 0].astype(int)]
        decoded = column.decode(one_hot)
        assert decoded == list(values) * 20
        assert {type(value) for value in decoded} == {type(value) for value in values}
    assert str(column) == "a choice of 2 and a gap"


def test_infinite_numbers_are_choices_too():
    column = column_of([*DRAWS.normal(size=98), np.inf, -np.inf])
    assert column.choices == 3
    assert np.isfinite(column.ranks.values).all()


def test_texts_are_ordered_by_what_goes_with_them():
    places = DRAWS.permutation(200)
    rows = DRAWS.integers(0, 200, 4_000)
    texts = pd.Series([f"town {n}" for n in rows])
    feature = places[rows][:, None] + DRAWS.normal(0, 5, (4_000, 1))
    ordered = order_of(texts, [feature, DRAWS.normal(size=(4_000, 1))])
    assert isinstance(ordered, Ordered)
    found = [places[int(text.split()[1])] for text in ordered.texts]
    assert abs(np.corrcoef(found, np.arange(len(found)))[0, 1]) > 0.95
    column = Column("town", ordered, texts, is_choice=False)
    assert set(made_up(column)) <= set(texts)


def test_tiny_numbers_are_on_no_grid():
    numbers = DRAWS.normal(size=200) * 1e-13
    ranks = Ranks(numbers)
    assert ranks.step is None
    np.testing.assert_allclose(ranks.decode(ranks.encode(numbers).mean(1)), numbers)
