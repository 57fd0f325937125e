"""The number of trials that one process trains at once is a function of what was measured."""

import json

import pytest

from gansearch.search.dry_run.stack import Stack, chosen, parse_stack, row_of
from gansearch.store.nan_json import from_json, to_json

RATES = {1: 500.0, 2: 600.0, 4: 1000.0, 8: 1020.0}


@pytest.mark.parametrize(
    ("rates", "number"),
    [
        (RATES, 4),  # eight are hardly more
        ({1: 500.0, 2: 590.0}, 1),  # no real gain
        ({1: 500.0, 2: 610.0}, 2),
        ({1: 500.0, 2: 300.0, 4: 400.0}, 1),
        ({1: 500.0, 2: 620.0, 4: 2000.0}, 4),
        ({1: 500.0}, 1),
    ],
)
def test_several_are_at_once_where_that_is_worth_it(rates, number):
    assert chosen(rates) == number


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        (
            Stack(4, RATES, device="CPU, 1 thread"),
            "4 trials at once in each process: 4 x 250 against 1 x 500 updates/s (CPU, 1 thread)",
        ),
        (
            Stack(1, {1: 500.0, 2: 510.0}, device="H100"),
            "each trial has a process of its own: 1 x 500 against 2 x 255 updates/s (H100)",
        ),
        (
            Stack(1, {1: 500.0, 2: 510.0}, device="H100", evaluated=0.8),
            "each trial has a process of its own: 1 x 500 against 2 x 255 updates/s (H100); "
            "80% of the time is each trial's own, for its probes",
        ),
        (Stack(1, {1: 500.0}), "each trial has a process of its own"),
        (Stack(3), "3 trials at once in each process"),
        (Stack(1, why="mine.py trains by itself"), "each trial has a process of its own: mine.py trains by itself"),
    ],
)
def test_one_line_says_the_number_and_what_it_was_chosen_by(stack, said):
    assert str(stack) == said


def test_a_trial_takes_longer_than_alone_by_what_was_measured():
    assert Stack(4, RATES).slowdown == 2
    assert Stack(4).slowdown == Stack(1, {1: 500.0}).slowdown == 1


def test_a_trial_reserves_its_part_of_the_cpus_and_the_gpu_of_its_process():
    assert row_of({"CPU": 1.0, "GPU": 1.0, "memory": 8.0}, 3) == {"CPU": 0.3333, "GPU": 0.3333, "memory": 8.0}
    assert row_of({"CPU": 2.0}, 1) == {"CPU": 2.0}


@pytest.mark.parametrize("stack", [Stack(4, RATES, device="H100"), Stack(1, why="a script")])
def test_a_measurement_is_kept_in_run_json_and_what_is_none_is_not_taken(stack):
    assert parse_stack(from_json(json.loads(json.dumps(to_json(stack.as_dict()))))) == stack
    for broken in (None, {}, {"at_once": 0, "rates": {"1": 5.0}}, {"at_once": 4}, {"at_once": "4", "rates": {}}, []):
        assert parse_stack(broken) is None
