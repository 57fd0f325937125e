"""Which configuration is chosen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import trial_columns
from gansearch.study.analysis.choose import (
    candidates,
    choose_best,
    choose_closest,
    closest,
    params_of,
    prediction_interval,
)
from gansearch.study.analysis.neighbourhood import neighbourhoods


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    """Trials that are complete and balanced unless a row says otherwise, numbered in order."""
    usual = {
        "status": "complete",
        "verdict": "balanced",
        "lr": 1e-3,
        "lr_ratio": 1.0,
        "lr_d": 1e-3,
        "lr_g": 1e-3,
    }
    usual |= {"pretrain_steps": 0, "update_ratio": 1.0}
    frame = pd.DataFrame([{"number": i, **usual, **row} for i, row in enumerate(rows)], columns=trial_columns(()))
    return frame


def seeds(number: int, distances: list[float], verdict: str = "balanced", stability: float = 0.8) -> list[FreshSeed]:
    return [
        FreshSeed(number=number, seed=10_000 + i, verdict=verdict, stability=stability, distance=distance)
        for i, distance in enumerate(distances)
    ]


def test_candidates_are_the_front_by_distance_and_then_the_next_front() -> None:
    trials = table(
        {"stability": 0.9, "distance": 3.0},  # front
        {"stability": 0.6, "distance": 1.0},  # front
        {"stability": 0.5, "distance": 1.1},  # second front, nearer than trial 0
        {"stability": 0.8, "distance": 3.5},  # second front
        {"stability": 0.99, "distance": 0.1, "verdict": "uninformative"},
        {"stability": 0.99, "distance": 0.1, "status": "pruned"},
    )
    assert candidates(trials, 2) == [1, 0]
    assert candidates(trials, 3) == [1, 0, 2]
    assert candidates(trials, 9) == [1, 0, 2, 3]


def test_trials_without_a_distance_are_ordered_by_stability() -> None:
    trials = table({"stability": 0.6, "distance": math.nan}, {"stability": 0.7, "distance": math.nan})
    assert candidates(trials, 2) == [1, 0]
    best = choose_best(trials)
    assert best is not None
    assert best.number == 1
    assert math.isnan(best.distance)


def test_closest_prefers_complete_then_stable_then_near() -> None:
    bad = {"verdict": "oscillating"}
    trials = table(
        {**bad, "status": "pruned", "stability": 0.9, "distance": 1},
        {**bad, "stability": 0.4, "distance": 2},
        {**bad, "stability": 0.4, "distance": 1},
        {"status": "failed", "verdict": "diverged", "stability": math.nan, "distance": math.nan},
    )
    assert closest(trials) == 2
    assert closest(trials[trials["status"] != "complete"]) == 0
    assert closest(trials[trials["status"] == "failed"]) == 3
    assert closest(table()) is None


def test_a_candidate_that_fails_on_one_seed_loses() -> None:
    trials = table({"stability": 0.9, "distance": 1}, {"stability": 0.8, "distance": 5})
    near = seeds(0, [1, 1, 1, 1]) + seeds(0, [1], verdict="oscillating")
    best = choose_best(trials, near + seeds(1, [5, 5, 5, 5, 5.1]))
    assert best is not None
    assert (best.number, best.healthy, best.verdicts) == (1, 5, {"balanced": 5})


def test_nothing_healthy_on_every_seed_chooses_nothing_but_tells_what_came_closest() -> None:
    trials = table({"stability": 0.9, "distance": 1}, {"stability": 0.8, "distance": 5})
    first = seeds(0, [1, 1]) + seeds(0, [1] * 3, verdict="oscillating")
    second = seeds(1, [5, 5, 5]) + seeds(1, [5, 5], verdict="diverged")
    assert choose_best(trials, first + second) is None
    near = choose_closest(trials, first + second)
    assert near is not None
    assert (near.number, near.healthy) == (1, 3)


def test_a_candidate_whose_confirmation_was_cut_short_cannot_win() -> None:
    trials = table({"stability": 0.9, "distance": 1}, {"stability": 0.8, "distance": 5})
    best = choose_best(trials, seeds(0, [1, 1]) + seeds(1, [5, 5, 5.1]))
    assert best is not None
    assert best.number == 1


def test_equal_intervals_are_decided_by_stability_where_all_is_flat() -> None:
    trials = table({"stability": 0.7, "distance": 1}, {"stability": 0.9, "distance": 1.1})
    spread = [0.8, 0.9, 1, 1.1, 1.2]
    confirmation = seeds(0, spread, stability=0.7) + seeds(1, [1.05 * d for d in spread], stability=0.9)
    best = choose_best(trials, confirmation)
    assert best is not None
    assert best.number == 1
    apart = choose_best(trials, seeds(0, [1, 1.01, 0.99], stability=0.7) + seeds(1, [2, 2.01, 1.99], stability=0.9))
    assert apart is not None
    assert apart.number == 0


def test_equal_intervals_are_decided_by_the_flatter_neighbourhood() -> None:
    # Below lr 1e-3 the distance is flat at 1; from there on it rises steeply, and trial 50 sits at the edge.
    rates = np.geomspace(1e-5, 1e-1, 101)
    rows = [{"lr": lr, "stability": 0.8, "distance": 1 + 30 * max(0.0, math.log10(lr) + 3)} for lr in rates]
    trials = table(*rows)
    flat, edge = neighbourhoods(trials, [20, 50]).values()
    assert flat is not None
    assert edge is not None
    assert flat.distance < 1.2
    assert edge.distance > 2
    spread = [0.8, 0.9, 1, 1.1, 1.2]
    best = choose_best(trials, seeds(20, [1.05 * d for d in spread], stability=0.7) + seeds(50, spread, stability=0.9))
    assert best is not None
    assert best.number == 20
    assert best.neighbourhood == flat


def test_the_interval_holds_the_median_of_ten_new_seeds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    draws = np.exp(rng.normal(0, 0.5, (2000, 15)))
    inside = 0
    for draw in draws:
        low, high = prediction_interval(draw[:5].tolist()) or (0, 0)
        inside += low <= np.median(draw[5:]) <= high
    assert 0.93 <= inside / len(draws) <= 0.97


def test_other_candidates_lend_an_interval_their_spread_and_their_certainty() -> None:
    def width(*others: list[float]) -> float:
        low, high = prediction_interval([0.9, 1.0, 1.1], others) or (0, 0)
        return high / low

    assert width([2.0, 4.0, 8.0]) > 2 * width()  # a bad seed elsewhere is possible here
    assert width([1.8, 2.0, 2.2]) < width()  # twice as many seeds say the same
    assert width([2.0], [math.nan, 2.0], [0.0, 1.0]) == width()


@pytest.mark.parametrize("distances", [[], [1.0], [1.0, math.nan], [1.0, 0.0], [1.0, -2.0], [1e-3, 1e60]])
def test_no_interval_where_none_can_be_had(distances: list[float]) -> None:
    assert prediction_interval(distances) is None


def test_params_are_plain_values_with_what_else_was_searched() -> None:
    trials = table({"pretrain_steps": 7}, {}).assign(
        betas=[np.array([0.5, 0.9]), np.array([0, 0.99])], gp=[math.nan, 1.0]
    )
    params = params_of(trials, 0)
    assert params["pretrain_steps"] == 7
    assert type(params["lr"]) is float
    assert params["betas"] == [0.5, 0.9]
    assert params["gp"] is None
