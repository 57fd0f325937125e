import numpy as np
import pandas as pd
import pytest

from gansearch.gan.readers.columns import Categorical, Numeric


def test_numbers_become_normal_scores_without_outliers():
    values = pd.Series([1.5, 2.5, 2.5, 1e9])
    column = Numeric("x", values)
    scores = column.encode(values)[:, 0]
    assert scores == pytest.approx([-1.150, 0, 0, 1.150], abs=1e-3)
    assert column.decode(np.array([[-9.0], [0.0], [9.0]])) == [1.5, 2.5, 1e9]


def test_a_missing_value_is_a_category_of_its_own():
    values = pd.Series(["b", None, "a"])
    column = Categorical("x", values)
    assert column.categories == ["a", "b", None]
    assert column.encode(values).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert column.decode(column.encode(values)) == ["b", None, "a"]


@pytest.mark.parametrize("values", [[True, False, True], [1.5, 2.0, None], [1, "1", "b"], [3, 1, 2]])
def test_categories_of_every_type_come_back(values):
    column = Categorical("x", pd.Series(values))
    back = column.decode(column.encode(pd.Series(column.decode(column.encode(pd.Series(values))), dtype=object)))
    assert back == values
    assert list(map(type, back)) == list(map(type, values))
