"""Whether trials and runs on fresh seeds end within the hours of the whole sweep."""

import math
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import optuna
import pytest

from gansearch.experiment import Experiment
from gansearch.search.sampling import total_time
from gansearch.search.sampling.stopping import Budget
from gansearch.search.sampling.total_time import TotalTime, race_seconds, run_seconds, trial_seconds
from gansearch.study.analysis.race import SHARE
from tests.search.studies import searcher_of
from tests.synthetic import a_record

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""When trials of earlier runs of a sweep began."""


def experiment(hours=1.0, **fields):
    limits = {"total_hours": hours} if hours else {}
    return Experiment(name="x", task="ring", training={"updates": 1000}, limits=limits, **fields)


def trial(number, seconds, status="complete", updates=1000, **fields):
    ended = BEFORE + timedelta(seconds=seconds)
    return a_record(number, status, updates=updates, started=BEFORE, ended=ended, **fields)


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(total_time, "time", clock)
    return clock


def test_a_trial_is_expected_to_take_as_long_as_the_slow_ones_but_not_as_the_slowest_of_many():
    assert trial_seconds([]) == 0
    assert trial_seconds([trial(0, 3, "pruned"), trial(1, 4, "failed")]) == 4
    assert trial_seconds([trial(0, 3, "pruned"), trial(1, 2)]) == 2
    assert trial_seconds([trial(n, 10 + n) for n in range(10)]) == 18
    assert trial_seconds([trial(0, 10), trial(1, 500)]) == 500


def test_a_race_takes_its_share_of_what_was_trained_in_waves():
    whole = [trial(n, 60) for n in range(19)]
    assert race_seconds(experiment(), whole, 1000, slots=1) == 3 * 60 == SHARE * 20 * 60
    assert race_seconds(experiment(), whole, 1000, slots=2) == 2 * 60
    assert race_seconds(experiment(), whole, 1000, slots=math.inf) == 60
    assert race_seconds(experiment(), whole[:1], 0, slots=4) == 60, "the winner has one fresh seed"
    stopped = [trial(n, 6, "pruned", updates=100) for n in range(190)]
    assert race_seconds(experiment(), [*stopped, trial(190, 60)], 0, slots=1) == 3 * 60
    assert race_seconds(experiment(confirm={"top": 1, "replicas": 2}), whole, 1000, slots=1) == 120
    assert race_seconds(experiment(confirm=None), whole, 1000, slots=1) == 0
    assert run_seconds(experiment(confirm={"updates": 5000}), whole) == 300


def test_while_nothing_is_healthy_all_of_the_time_is_for_trials():
    blind = [trial(n, 60, verdict="uninformative") for n in range(39)]
    assert race_seconds(experiment(), blind, 1000, slots=1) == 0
    stopped = [*blind, trial(39, 6, "pruned", updates=100)]
    assert race_seconds(experiment(), stopped, 1000, slots=1) == 0, "a stopped one has no verdict to race on"
    assert race_seconds(experiment(), [*blind, trial(39, 60)], 0, slots=1) == SHARE * 40 * 60


def test_a_sweep_in_which_nothing_is_healthy_ends_with_the_last_trial_that_fits(clock):
    blind = [trial(n, 60, verdict="uninformative") for n in range(19)]
    assert TotalTime(experiment(), used=3539).has_trial(blind, 0, 1)
    assert not TotalTime(experiment(), used=3541).has_trial(blind, 0, 1)


def test_no_trial_begins_that_would_leave_too_little_to_the_race(clock):
    total, whole = TotalTime(experiment()), [trial(n, 60) for n in range(19)]
    for left, starts in ((241, True), (239, False)):
        clock.now = 3600 - left
        assert total.has_trial(whole, 0, 1) == starts
    assert TotalTime(experiment()).has_trial([], 0, 1)
    assert TotalTime(experiment(hours=None)).has_trial(whole, 0, 1)


def test_time_that_was_used_before_counts(clock):
    whole = [trial(n, 60) for n in range(19)]
    assert not TotalTime(experiment(), used=3400).has_trial(whole, 0, 1)
    assert TotalTime(experiment(), used=3400).has_run(whole)
    assert not TotalTime(experiment(), used=3550).has_run(whole)
    assert TotalTime(experiment(hours=None), used=1e9).has_run(whole)


def test_the_workers_of_a_race_are_expected_to_start_as_long_as_those_of_the_trials(clock):
    total, alone = TotalTime(experiment()), TotalTime(experiment(confirm=None))
    clock.now = 3600 - 241
    whole = [trial(n, 60) for n in range(19)]
    assert total.has_trial(whole, 0, 1)
    now = datetime.now(UTC)
    whole += [a_record(19, "pruned", updates=0, started=now + timedelta(seconds=12), ended=now + timedelta(seconds=13))]
    assert not total.has_trial(whole, 0, 1)
    clock.now -= 13
    assert total.has_trial(whole, 0, 1)
    clock.now = 3600 - 61
    assert alone.has_trial(whole, 0, 1)


def test_what_comes_before_the_first_trial_is_not_expected_again(clock, monkeypatch):
    """Ray starts once, and the race finds it running."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(total_time, "datetime", SimpleNamespace(now=lambda zone: now))
    total = TotalTime(experiment())
    now += timedelta(seconds=30)
    assert total.has_trial([], 0, 1)
    began = now + timedelta(seconds=2)
    whole = [trial(n, 60) for n in range(19)]
    whole += [a_record(19, "pruned", updates=0, started=began, ended=began)]
    for left, starts in ((243, True), (241, False)):
        clock.now = 3600 - left
        assert total.has_trial(whole, 0, 1) == starts


def test_a_budget_says_for_what_the_rest_of_the_time_is(clock):
    budget = Budget(experiment(), [trial(n, 60) for n in range(19)])
    assert budget.over() == ""
    clock.now = 3400
    assert budget.over() == "the rest of its 1 hours in all is for the race"
    blind = Budget(experiment(), [trial(n, 60, verdict="uninformative") for n in range(19)])
    assert blind.over() == ""
    clock.now += 3541
    assert blind.over() == "the rest of its 1 hours in all is too short for a trial"


@pytest.mark.parametrize("slots", [1, 2, 5])
@pytest.mark.parametrize("seed", range(8))
def test_a_sweep_of_uneven_trials_ends_in_time_and_uses_it(clock, slots, seed):
    rng, spec = random.Random(seed), experiment()
    total, records, running = TotalTime(spec), [], []
    while True:
        while len(running) < slots and total.has_trial(records, 1000 * len(running), slots):
            seconds = rng.uniform(80, 120)
            short = rng.random() < 0.6
            running.append((clock.now + (0.1 if short else 1) * seconds, short, seconds))
        if not running:
            break
        end, short, seconds = running.pop(running.index(min(running)))
        clock.now = end
        records.append(trial(len(records), seconds * (0.1 if short else 1), *(("pruned", 100) if short else ())))
    assert clock.now < 3600
    runs = min(15, math.ceil(SHARE * sum(record.updates for record in records) / 1000))
    for _ in range(math.ceil(runs / slots)):
        assert total.has_run(records)
        clock.now += 105
    assert 3200 < clock.now < 3600


def test_no_trial_waits_for_its_turn_where_it_might_begin_too_late():
    for hours, ahead in ((None, True), (1.0, False)):
        spec = experiment(hours, search={"lr": {"low": 1e-4, "high": 1e-2}})
        assert searcher_of(optuna.create_study(), spec).ahead == ahead
