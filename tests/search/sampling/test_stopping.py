"""When no more trials are started."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from gansearch.search.sampling.stopping import Budget
from tests.synthetic import a_record

START = datetime(2026, 1, 1, tzinfo=UTC)


def budget(tiny, *endings, **fields):
    """A budget after trials of (stability, distance[, verdict]), each of 80 updates."""
    records = [record(i, *ending) for i, ending in enumerate(endings)]
    return Budget(tiny(**fields), records)


def record(number, stability, distance, verdict="balanced", status="complete"):
    ended = START + timedelta(seconds=number)
    return a_record(number, status, verdict, stability, distance, updates=80, ended=ended)


def test_updates_are_those_of_all_trials(tiny):
    limited = budget(tiny, (0.5, 1), (0.5, 1), limits={"updates": 200})
    assert limited.over() == ""
    assert limited.remaining(0) == 40
    assert limited.remaining(80) == -40
    limited.ended(record(2, 0.5, 1))
    assert "200 updates are used up" in limited.over()


@pytest.mark.parametrize(
    ("objective", "last", "flat"),
    [
        ("both", (0.5, 1.0), True),  # the same again
        ("both", (0.9, 2.0), False),  # more stable
        ("both", (0.1, 0.9), False),  # closer
        ("both", (0.5, 0.995), True),  # closer by less than 1%
        ("stability", (0.5, 0.1), True),
        ("stability", (0.6, 9.0), False),
        ("distance", (0.9, 1.0), True),
        ("distance", (0.1, 0.9), False),
        ("balanced", (0.1, 0.9), False),
        ("balanced", (0.9, 0.1, "collapsed"), True),
        ("both", (0.9, 0.1, "diverged", "failed"), True),
        ("both", (0.9, 0.1, "balanced", "pruned"), True),
    ],
)
def test_flat_is_no_progress_under_the_objective(tiny, objective, last, flat):
    found = budget(tiny, (0.5, 1.0), (0.4, 1.2), last, objective=objective, stop_when_flat=2).over()
    assert found == ("the last 2 trials brought nothing better" if flat else "")


def test_small_steps_add_up_to_progress(tiny):
    steps = [(0.5, 0.995**i) for i in range(40)]
    assert budget(tiny, *steps, objective="distance", stop_when_flat=4).over() == ""
    assert budget(tiny, *[(0.5, 1 - i * 1e-4) for i in range(40)], objective="distance", stop_when_flat=4).over()


def test_a_study_without_anything_feasible_is_not_flat(tiny):
    endings = [(0.2, math.nan, "collapsed")] * 9
    assert budget(tiny, *endings, objective="balanced", stop_when_flat=3).over() == ""
    assert (
        budget(tiny, *endings, objective="both", stop_when_flat=3).over() == "the last 3 trials brought nothing better"
    )


def test_an_automatic_number_of_trials_ends_where_a_tenth_more_brings_nothing(tiny):
    flat = [(0.5, 1.0)] * 19
    assert budget(tiny, *flat, trials="auto").over() == ""
    assert budget(tiny, *flat, (0.5, 1.0), trials="auto").over() == "2 more trials would bring less than 1%"
    assert budget(tiny, *flat, (0.5, 1.0), trials=1000).over() == ""
    steps = [(0.5, math.exp(-i / 10)) for i in range(100)]
    assert budget(tiny, *steps, trials="auto").over() == ""
    assert budget(tiny, *[(0.5, 1.0, "collapsed")] * 99, trials="auto").over() == "", "nothing is known"
    lower = [(0.5, 1.0), *[(0.5, 1.001)] * 30]
    assert budget(tiny, *lower, (0.9, 0.1, "balanced", "pruned"), (0.9, 0.1, "collapsed"), trials="auto").over()
