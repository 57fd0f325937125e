"""What each source of configurations found."""

import math
import time
from dataclasses import replace

import pytest

from gansearch.store.record import Standing
from gansearch.store.sources import first_rung, share_won, sources
from tests.synthetic import a_record


def drawn(number, source, distance, rung=None, status="complete", verdict="balanced"):
    standings = () if rung is None else (Standing(0, 0.5, rung), Standing(1, 0.5, 0.0))
    return replace(a_record(number, status, verdict, 0.5, distance), source=source, standings=standings)


def test_each_source_has_its_trials_and_its_nearest_healthy_one():
    records = [
        drawn(0, "default", 3.0),
        drawn(1, "prior", 1.0, rung=2.0),
        drawn(2, "prior", 0.5, rung=5.0, status="pruned"),
        drawn(3, "tpe", 0.7, rung=4.0, verdict="collapsed"),
        drawn(4, "tpe", math.nan),
    ]
    found = sources(records)
    assert found["default"] == {"trials": 1, "balanced": 1, "distance": 3.0}
    assert found["prior"] == {"trials": 2, "balanced": 1, "distance": 1.0, "won": pytest.approx(0.75)}
    assert found["tpe"] == {"trials": 2, "balanced": 1, "distance": None}
    assert sources([replace(record, source="") for record in records]) == {}


def test_pairs_are_won_by_the_nearer_one_and_equal_ones_are_shared():
    assert share_won([1.0, math.inf], [2.0, math.inf]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert share_won([], [1.0]) == 0.5
    assert first_rung(drawn(0, "tpe", 1.0, rung=2.5)) == 2.5
    cut = drawn(0, "tpe", 1.0, status="pruned")
    assert first_rung(cut) == first_rung(drawn(0, "tpe", 1.0, rung=math.nan, status="pruned")) == math.inf


def test_trials_without_rungs_are_compared_at_their_ends():
    """Without pruning there are no rungs, and a loop may report no distance before its end."""
    assert first_rung(drawn(0, "tpe", 1.0)) == first_rung(drawn(0, "tpe", 1.0, rung=math.nan)) == 1.0
    assert sources([drawn(0, "prior", 2.0), drawn(1, "tpe", 1.0)])["prior"]["won"] == 0


def test_thousands_of_trials_are_compared_in_no_time():
    """The sampler asks at every trial, and 5,000 of each are 25 million pairs."""
    prior, model = [float(n) for n in range(0, 10_000, 2)], [float(n) for n in range(1, 10_000, 2)]
    start = time.process_time()
    assert share_won(prior, model) == pytest.approx(0.5001)
    assert time.process_time() - start < 0.5  # 2 seconds pair by pair
