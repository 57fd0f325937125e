"""What each source of configurations found."""

import math
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
    assert first_rung(drawn(0, "tpe", 1.0)) == first_rung(drawn(0, "tpe", 1.0, rung=math.nan)) == math.inf
    assert first_rung(drawn(0, "tpe", 1.0, rung=2.5)) == 2.5
