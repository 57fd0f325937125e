"""What more trials are expected to bring."""

import math
import random

import pandas as pd
import pytest

from gansearch.study.analysis.outlook import candidate_distances, expected_gain
from tests.synthetic import START, a_record


def test_the_gain_of_another_half_is_what_a_random_half_lacks():
    distances = [math.nan] * 8 + [math.exp(y) for y in (0.0, 0.4, 0.8, 1.6, 1.6, 1.6, 1.6, 1.6)]
    doubling = 0.4 / 2 + 0.4 / 4 + 0.8 / 8
    assert expected_gain(distances, 8) == pytest.approx(1 - math.exp(-doubling))
    assert expected_gain(distances, 0) == 0


def test_the_gain_that_is_expected_of_independent_trials_comes():
    rng = random.Random(0)
    expected = came = 0.0
    for _ in range(400):
        distances = [math.exp(-rng.expovariate(2)) for _ in range(60)]
        expected += expected_gain(distances[:40], 20)
        came += 1 - min(distances[20:60]) / min(distances[20:40])
    assert expected == pytest.approx(came, rel=0.1)


def test_only_healthy_trials_of_the_second_half_count():
    late = [3.0, 2.0, math.nan, 2.5, 4.0, 2.2, 2.4, 2.6, 2.8]
    early = [9.0, 0.1, *[1.0] * 7]
    assert expected_gain([*early, *late], 5) == expected_gain([math.nan] * 9 + late, 5) > 0
    assert math.isnan(expected_gain([*early, *late[:8], math.nan], 5)), "seven are not enough"
    assert math.isnan(expected_gain([], 5))
    assert expected_gain([1.0] * 16, 5) == 0


def test_candidates_are_complete_and_balanced_in_the_order_in_which_they_ended():
    ends = [(2, "complete", "balanced", 5.0), (1, "complete", "balanced", 7.0), (3, "pruned", "", 1.0)]
    ends += [(4, "complete", "collapsed", 1.0)]
    records = [
        a_record(i, status, verdict, distance=distance, ended=START.replace(second=second))
        for i, (second, status, verdict, distance) in enumerate(ends)
    ]
    table = pd.DataFrame([record.row for record in records])
    assert candidate_distances(table) == pytest.approx([7.0, 5.0, math.nan, math.nan], nan_ok=True)


def test_nothing_is_expected_of_distances_without_a_logarithm():
    assert math.isnan(expected_gain([1.0] * 8 + [-1.0] + [2.0] * 20 + [-0.5], 5))
