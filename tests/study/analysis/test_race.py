"""Which runs a race on fresh seeds does, in which order, and who wins it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gansearch.store.confirmation import FreshSeed
from gansearch.store.record import trial_columns
from gansearch.study.analysis.choose import choose_closest
from gansearch.study.analysis.race import (
    FIRST_SEED,
    FreshRun,
    Rules,
    choose_raced,
    next_runs,
    rules_for,
    rules_of,
    standings,
)
from tests.synthetic import SEARCH, experiment

RULES = Rules(top=3, replicas=5, runs=15.0)
NEAR = (1.0, 1.1, 1.2, 1.3)


def table(*distances: float, verdict: str = "balanced") -> pd.DataFrame:
    """Complete trials of these distances, numbered in order."""
    usual = {"status": "complete", "verdict": verdict, "stability": 0.8, "lr": 1e-3, "lr_ratio": 1.0}
    usual |= {"lr_d": 1e-3, "lr_g": 1e-3, "pretrain_steps": 0, "update_ratio": 1.0}
    rows = [{"number": number, "distance": distance, **usual} for number, distance in enumerate(distances)]
    return pd.DataFrame(rows, columns=trial_columns(()))


def fresh(number: int | None, *distances: float, unhealthy: Sequence[int] = ()) -> list[FreshSeed]:
    """A configuration on its first fresh seeds, of which those at some places are unhealthy."""
    return [
        FreshSeed(
            number=number,
            seed=FIRST_SEED + place,
            verdict="oscillating" if place in unhealthy else "balanced",
            stability=0.8,
            distance=distance,
        )
        for place, distance in enumerate(distances)
    ]


def run_race(
    trials: pd.DataFrame,
    rules: Rules,
    result: Callable[[FreshRun], FreshSeed],
    slots: int = 2,
    results: Sequence[FreshSeed] = (),
    stop: float = math.inf,
) -> list[FreshSeed]:
    """All results of a race on some slots, whose runs end in the order in which they begin; at most `stop` new ones."""
    ended, running = list(results), []
    while len(ended) - len(results) < stop:
        running += next_runs(trials, ended, running, rules)[: slots - len(running)]
        if not running:
            break
        ended.append(result(running.pop(0)))
    return ended


def drawn(levels: Sequence[float], noise: float, healthy: float, seed: int) -> Callable[[FreshRun], FreshSeed]:
    """What a configuration gives on a seed: log-normal around its level, the same whenever it is asked for."""

    def result(run: FreshRun) -> FreshSeed:
        rng = np.random.default_rng(
            [seed, run.seed, -1 if run.number is None else run.number][: 2 + (run.number is not None)]
        )
        distance = levels[run.number or 0] * math.exp(rng.normal(0, noise))
        unhealthy = (0,) if rng.random() > healthy else ()
        return replace(fresh(run.number, distance, unhealthy=unhealthy)[0], seed=run.seed)

    return result


def test_the_nearest_healthy_trials_race_on_the_same_seeds_those_with_the_fewest_first() -> None:
    trials = pd.concat([table(1.3, 1.1, 1.2, 1.0), table(0.1, verdict="uninformative").assign(number=4)])
    runs = next_runs(trials, [], [], replace(RULES, runs=4))
    assert runs[:4] == [(3, 10_000), (1, 10_000), (2, 10_000), (3, 10_001)]
    assert runs[4:] == [(3, 10_002), (3, 10_003), (3, 10_004)], "free slots begin with what the leader lacks"
    under_way = [FreshRun(3, 10_000), FreshRun(1, 10_000)]
    assert next_runs(trials, [], under_way, replace(RULES, runs=4))[:2] == [(2, 10_000), (3, 10_001)]
    assert next_runs(table(1.0, verdict="collapsed"), [], [], RULES) == []


def test_a_score_counts_the_trial_once_without_the_luck_by_which_it_was_chosen() -> None:
    results = [*fresh(0, 2.0, 4.0), *fresh(1, 3.0)]
    first, second, third = standings(table(1.0, 1.2, 1.5), results, RULES)
    logs = np.log
    moved = np.mean([logs([2.0, 4.0]).mean() - logs(1.0), logs(3.0) - logs(1.2)])  # of those that have raced
    assert (first.number, second.number, third.number) == (0, 1, 2)
    assert first.score == pytest.approx((logs(2.0) + logs(4.0) + logs(1.0) + moved) / 3)
    assert second.score == pytest.approx((logs(3.0) + logs(1.2) + moved) / 2)
    assert third.score == pytest.approx(logs(1.5) + moved)


def test_an_untested_candidate_is_before_no_nearer_one_by_the_distances_of_those_that_wait() -> None:
    trials = table(1.0, 1.01, 3.0)
    for distance in (0.5, 1.0, 2.0):
        first, second, third = standings(trials, fresh(0, distance), RULES)
        assert [(one.number, one.out) for one in (first, second, third)] == [(0, False), (1, False), (2, True)]
    for slots in (1, 2, 8):
        rules = replace(RULES, runs=0.9)
        results = run_race(trials, rules, drawn([1.0, 1.0, 1.0], 0.26, 1.0, seed=slots), slots)
        assert [(run.number, run.seed) for run in results] == [(0, 10_000 + place) for place in range(5)]
        assert len(results) == rules.most
    five = table(1.0, 1.0, 1.01, 20.0, 20.0)
    results = [*fresh(0, 1.0), *fresh(1, 1.0)]
    assert standings(five, results, replace(RULES, top=5))[0].number == 0


def test_the_second_unhealthy_seed_puts_a_candidate_out_and_of_few_seeds_the_first() -> None:
    trials = table(1.0, 1.1)
    once = [*fresh(0, 1.0, 1.0, 1.0, unhealthy=[1]), *fresh(1, 1.1, 1.1, 1.1)]
    leader, other = standings(trials, once, RULES)
    assert (leader.number, other.number, other.out) == (1, 0, False), "the leader is one without trouble"
    twice = [*fresh(0, 1.0, 1.0, 1.0, unhealthy=[0, 1]), *fresh(1, 1.1, 1.1, 1.1)]
    assert [one.out for one in standings(trials, twice, RULES)] == [False, True]
    assert {run.number for run in next_runs(trials, twice, [], RULES)} == {1}
    assert [one.out for one in standings(trials, once, replace(RULES, replicas=4))] == [False, True]
    alone = fresh(0, *[1.0] * 5, unhealthy=[0, 1])
    assert next_runs(table(1.0), alone, [], RULES) == []


def test_a_candidate_far_behind_is_out_until_the_best_proves_worse() -> None:
    trials = table(1.0, 1.0)
    margin = math.exp(0.25 * math.sqrt(2 / 3) * 3 / 2)  # of two fresh seeds and the trial's own
    for times, out in ((0.99, False), (1.01, True)):
        results = [*fresh(0, 1.0, 1.0), *fresh(1, margin * times, margin * times)]
        assert standings(trials, results, RULES)[1].out == out
        assert {run.number for run in next_runs(trials, results, [], RULES)} == ({0} if out else {0, 1})
    results = [*fresh(0, 1.0, 1.0, 1.5), *fresh(1, margin * 1.01, margin * 1.01)]
    assert next_runs(trials, results, [], RULES)[0] == (1, 10_002)


def test_one_that_is_left_gets_its_other_seeds_and_then_the_race_is_over() -> None:
    trials = table(1.0, 5.0)
    results = [*fresh(0, 1.0, 1.0, 1.0), *fresh(1, 5.0)]
    rules = replace(RULES, default=3)
    last = [(0, 10_003), (0, 10_004), (None, 10_000), (None, 10_001), (None, 10_002)]
    assert next_runs(trials, results, [], rules) == last
    results = [*fresh(0, *[1.0] * 5), *fresh(1, 5.0)]
    assert next_runs(trials, results, [FreshRun(None, 10_001)], rules) == [last[2], last[4]]
    assert next_runs(trials, [*results, *fresh(None, 9.0, 9.0, 9.0)], [], rules) == []


def test_the_race_ends_with_its_share_of_the_updates() -> None:
    trials = table(*NEAR)
    result = drawn([1.0, 1.0, 1.0], 0.01, 1.0, seed=0)
    for runs, seeds in ((0.1, [5]), (2.4, [5, 1, 1]), (6.0, [5, 2, 2]), (9.0, [5, 3, 3]), (99, [5, 5, 5])):
        results = run_race(trials, replace(RULES, runs=runs), result, slots=1)
        assert sorted(Counter(one.number for one in results).values(), reverse=True) == seeds
        assert len(results) <= replace(RULES, runs=runs).most


def test_the_seeds_that_the_winner_still_lacks_decide_no_more_unless_they_are_unhealthy() -> None:
    trials, rules = table(1.0, 1.0), replace(RULES, runs=4.0)
    race = [*fresh(0, 1.0, 1.0), *fresh(1, 1.1, 1.1)]
    more = fresh(0, 1.0, 1.0, 9.0, 9.0, 9.0)[2:]
    best = choose_raced(trials, [*race, *more], rules)
    assert best is not None
    assert (best.number, best.distance) == (0, 9.0)
    assert next_runs(trials, [*race, *more[:1]], [], rules) == [(0, 10_003), (0, 10_004)]
    sick = [replace(run, verdict="collapsed") for run in more]
    assert next_runs(trials, [*race, *sick[:1]], [], rules) == [(0, 10_003), (0, 10_004)]
    assert next_runs(trials, [*race, *sick[:2]], [], rules) == [(1, 10_002), (1, 10_003), (1, 10_004)]


@pytest.mark.parametrize("seed", range(5))
def test_a_race_that_is_resumed_anywhere_goes_on_as_an_unbroken_one(seed: int) -> None:
    trials, rules = table(*NEAR), replace(RULES, default=3)
    result = drawn([1.0, 1.1, 1.2], 0.26, 0.8, seed)
    whole = run_race(trials, rules, result, slots=1)
    assert [one.number for one in whole[-3:]] == [None] * 3
    rng = np.random.default_rng(seed)
    for stop in range(len(whole)):
        known = run_race(trials, rules, result, slots=1, stop=stop)
        shuffled = [known[place] for place in rng.permutation(len(known))]
        assert next_runs(trials, shuffled, [], rules) == next_runs(trials, known, [], rules)
        assert run_race(trials, rules, result, slots=1, results=known) == whole
    two = run_race(trials, rules, result)
    winner = choose_raced(trials, two, rules)
    for stop in range(len(two)):
        known = run_race(trials, rules, result, stop=stop)  # what was under way is lost
        chosen = choose_raced(trials, run_race(trials, rules, result, results=known), rules)
        assert (chosen and chosen.number) == (winner and winner.number)


def test_one_unhealthy_seed_of_five_may_win_and_of_fewer_none() -> None:
    trials, others = table(1.0, 1.1), fresh(1, 1.1, 1.1, unhealthy=[0, 1])
    assert choose_raced(trials, [*fresh(0, *[1.0] * 4, unhealthy=[2]), *others], RULES) is None
    five = [*fresh(0, *[1.0] * 5, unhealthy=[2]), *others]
    best = choose_raced(trials, five, RULES)
    assert best is not None
    assert (best.number, best.healthy, len(best.seeds)) == (0, 4, 5)
    neither = [*fresh(0, *[1.0] * 5, unhealthy=[0, 2]), *others]
    assert choose_raced(trials, neither, RULES) is None
    closest = choose_closest(trials, neither)
    assert closest is not None
    assert closest.number == 0, "three of five are more than none of two"
    assert choose_raced(trials, [], RULES) is None


def test_the_smallest_score_wins_and_candidates_may_have_fewer_seeds() -> None:
    results = [*fresh(0, 1.0, 1.1, 0.9, 1.0, 1.0), *fresh(1, 2.0, 2.1), *fresh(2, 3.0)]
    best = choose_raced(table(*NEAR), results, RULES)
    assert best is not None
    assert (best.number, best.distance, best.healthy) == (0, 1.0, 5)
    assert best.interval is not None


def test_distances_that_are_not_positive_or_missing_put_nobody_out() -> None:
    signed = standings(table(-3.0, -2.0, -1.0), [*fresh(0, 9.0, 9.0), *fresh(1, -9.0, -9.0), *fresh(2, 0.0)], RULES)
    assert [(one.number, one.out) for one in signed] == [(1, False), (2, False), (0, False)]
    unknown = standings(table(*[math.nan] * 2), [*fresh(0, math.nan, unhealthy=[0]), *fresh(1, math.nan)], RULES)
    assert [(one.number, one.out) for one in unknown] == [(1, False), (0, False)]
    results = [*fresh(0, math.nan, 1.0, unhealthy=[0]), *fresh(1, 1.1, 1.2)]
    assert all(math.isfinite(one.score) for one in standings(table(1.0, 1.1), results, RULES))


def test_an_earlier_candidate_stays_in_the_race_of_more_trials() -> None:
    results = [*fresh(4, 0.5, 0.5, 0.5), *fresh(9, 1.0)]  # of a trial that is gone
    found = standings(table(1.0, 1.1, 1.2, 1.3, 1.4), results, RULES)
    assert {one.number for one in found} == {0, 1, 2, 4}


def test_the_size_of_a_race_is_a_share_of_the_trials_updates() -> None:
    raced = {"updates": 500, "top": 3, "replicas": 5}
    spec = experiment(training={"updates": 100}, replicas=2, confirm=raced, search={"lr": SEARCH["lr"]}, seed=7)
    rules = rules_for(spec, 40)
    assert rules == Rules(3, 5, pytest.approx(0.15 * 40 * 2 / 5), 3, 10_007)
    assert rules.most == 3 + 4 + 3
    assert list(rules.seeds) == [10_007 + i for i in range(5)]
    assert rules_for(experiment(confirm={"top": 3, "replicas": 2, "default": False}), 2).default == 0
    assert (rules_for(spec, 1).top, rules_for(spec, 1).most) == (1, 5 + 3)
    assert rules_of(spec, table(1.0, 1.1).assign(updates=[200, 20])).runs == pytest.approx(0.15 * 220 / 500)


def test_default_settings_that_are_a_candidate_or_have_none_to_compare_with_are_not_trained_again() -> None:
    spec, trials = experiment(confirm={"top": 2}), table(1.0, 1.1, 1.2)
    for name in spec.search:
        trials[name] = [7.0, 7.0, spec.training.used(name)]
    assert rules_of(spec, trials).default == 3
    assert rules_of(spec, trials.assign(distance=[1.0, 1.1, 0.9])).default == 0
    assert rules_of(spec, trials.assign(verdict="collapsed")).default == 0


def coverage(sweeps: int, noise: float = 0.26) -> float:
    """The share of simulated sweeps whose winner's interval holds the median of twenty later seeds."""
    rng, inside = np.random.default_rng(0), 0
    for sweep in range(sweeps):
        levels = np.exp(rng.normal(0, noise, 15))
        own = levels * np.exp(rng.normal(0, noise, 15))
        nearest = np.argsort(own)[:3]
        rules = replace(RULES, runs=0.15 * float(rng.choice([12, 25, 50, 100])))
        trials = table(*own[nearest])
        results = run_race(trials, rules, drawn(levels[nearest].tolist(), noise, 0.95, sweep))
        best = choose_raced(trials, results, rules)
        if best is None:
            sweeps -= 1
            continue
        assert best.interval is not None
        later = levels[nearest[best.number]] * np.exp(rng.normal(0, noise, 20))
        inside += best.interval[0] <= np.median(later) <= best.interval[1]
    return inside / sweeps


def test_the_interval_of_a_winner_holds_the_median_of_twenty_later_seeds_in_nine_of_ten_sweeps() -> None:
    assert coverage(150) >= 0.92
