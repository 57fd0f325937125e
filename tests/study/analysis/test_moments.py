"""When a run was nearest, and whether it should go on."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gansearch.study.analysis.moments import moment_of


def curves(*distances: float, seed: int = 0) -> pd.DataFrame:
    """A run that was measured at every second probe."""
    rows = [{"seed": seed, "update": 100 * (place + 1), "distance": one} for place, one in enumerate(distances)]
    gaps = [{"seed": seed, "update": 100 * (place + 1) - 50, "distance": math.nan} for place in range(len(distances))]
    return pd.DataFrame(rows + gaps).sort_values("update")


@pytest.mark.parametrize(
    ("distances", "advice", "update"),
    [
        ((10, 5, 3, 2.0), "go on", 400),
        ((10, 5, 2, 2.05), "stop", 300),
        ((10, 2, 4, 6), "roll back", 200),
        ((10, 2.01, 2.1, 2.05, 2.1, 2.0), "stop", 600),
        ((-5, -8, -10), "go on", 300),  # a distance of the user's own
        ((2, 1, 0.2, -0.1), "go on", 400),
        ((2, -4.2, -1, -3), "roll back", 200),
        ((1, -4.2, -4.1, -4), "stop", 200),
        ((2, 1, 0), "go on", 300),
    ],
)
def test_the_advice_follows_from_where_the_smallest_distance_is(distances, advice, update):
    moment = moment_of(curves(*distances))
    assert (moment.advice, moment.update) == (advice, update)
    assert (moment.distance, moment.last_distance) == (min(distances), distances[-1])


def test_a_run_that_may_stop_says_since_when():
    assert moment_of(curves(10, 2, 2.1, 2.05, 2.1, 2.0)).since == 200


def test_seeds_count_by_their_median_and_few_measurements_say_nothing():
    three = pd.concat([curves(9, 3, 5, seed=0), curves(9, 1, 7, seed=1), curves(9, 2, 6, seed=2)])
    moment = moment_of(three)
    assert (moment.distance, moment.last_distance) == (2, 6)
    assert moment_of(curves(2, 1)) is None
    assert moment_of(curves(math.nan, math.nan, math.nan)) is None
