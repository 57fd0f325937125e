"""Quantities that were logged apart."""

import numpy as np

from gansearch.diagnosis.numbers.series import in_order, joined


def test_quantities_with_their_own_steps_are_joined():
    table = joined({"d": (np.array([0, 10, 20]), np.array([1.0, 2, 3])), "g": (np.array([10, 30]), np.array([5.0, 6]))})
    np.testing.assert_array_equal(table.column("step")[0], [0, 10, 20, 30])
    np.testing.assert_array_equal(table.column("g")[0], [np.nan, 5, np.nan, 6])


def test_runs_that_were_appended_stay_in_order():
    steps = np.array([0, 1, 0, 1])
    table = joined({"d": (steps, np.arange(4.0)), "g": (steps, np.arange(4.0))})
    np.testing.assert_array_equal(table.column("d")[0], [0, 1, 2, 3])


def test_events_of_a_step_are_a_record():
    table = in_order([(0, "d", 1), (0, "g", 2), (1, "d", 3), (1, "d", 4), (1, "g", 5)])
    np.testing.assert_array_equal(table.column("step")[0], [0, 1, 1])
    np.testing.assert_array_equal(table.column("g")[0], [2, np.nan, 5])
