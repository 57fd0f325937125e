"""Cells as numbers."""

import numpy as np
import pytest

from gansearch.diagnosis.lines.cells import column, number


def test_numbers():
    cells = (
        "0.5",
        " -1e3 ",
        "12,000",
        "71.88%",
        "tensor(10.5290, grad_fn=<AddBackward0>)",
        "0.9(avg 0.8)",
        "[0.5]",
        "nan",
    )
    np.testing.assert_array_equal(
        [number(cell) for cell in cells], [0.5, -1000, 12000, 71.88, 10.529, 0.9, 0.5, np.nan]
    )
    assert [number(cell) for cell in ("", "N/A", "None", "-")] == [None] * 4


@pytest.mark.parametrize("cell", ["abc", "1.2.3", "2024-01-02", "network-000800.pkl"])
def test_what_is_no_number(cell):
    with pytest.raises(ValueError):
        number(cell)


def test_a_column_with_blanks():
    values, printed = column(["1", "", "nan", "what"])
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(printed, [True, False, True, False])
