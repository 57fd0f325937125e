"""Which trials earn another seed, and what a trial makes of the answers."""

import math
import pickle
import random
import statistics
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch.search.sweep import sweep
from gansearch.search.worker import distributed
from gansearch.search.worker.racing import Race
from gansearch.search.worker.trial import TrialRun
from gansearch.stability.result import SeedResult
from gansearch.store.nan_json import to_json
from gansearch.study.analysis.choose import candidates


def seed(distance=1.0, stability=0.8, verdict="balanced", status="complete"):
    return SeedResult(seed=0, status=status, verdict=verdict, stability=stability, distance=distance)


def seeds(*distances, stability=0.8):
    """Of one trial; their stabilities differ a little, so that a spread is known."""
    return [seed(d, stability + 0.01 * (-1) ** i) for i, d in enumerate(distances)]


@pytest.fixture
def race():
    """One trial of distance 10, four seeds with a standard deviation of .1 on the logarithm; one will be confirmed."""
    return Race(1, {0: seeds(*(10 * math.exp(0.1 * math.sqrt(3 / 4) * sign) for sign in (-1, 1, -1, 1)))})


def test_only_what_may_still_be_the_best_earns_a_seed(race):
    assert race.another(1, [seed(10.9)])
    assert not race.another(2, [seed(12.0)])
    assert not race.another(1, seeds(10.9, 10.9))  # the error of two seeds is smaller
    assert race.another(1, seeds(10.5, 10.5))
    assert race.another(3, [seed(5.0)])
    assert not race.another(1, seeds(10.5, 10.5))


def test_a_stabler_trial_earns_a_seed_where_it_would_be_confirmed(race):
    known = race._seeds
    assert not race.another(1, [seed(20.0, stability=0.95)])
    two, three = Race(2, known, candidates), Race(3, known, candidates)  # those of a folder begun before format 4
    assert two.another(1, [seed(20.0, stability=0.95)])
    # Between the two in distance it is on the front if it is stabler than the first.
    assert two.another(2, [seed(15.0, stability=0.79)])
    assert not two.another(2, seeds(15.0, 15.0, stability=0.79))
    assert not two.another(2, [seed(15.0, stability=0.7)])
    assert three.another(2, [seed(15.0, stability=0.7)])
    nearest = Race(2, known)
    assert nearest.another(1, [seed(20.0, stability=0.95)])
    assert nearest.another(2, [seed(15.0, stability=0.1)])
    assert not nearest.another(1, [seed(30.0, stability=0.95)])


def test_what_is_not_balanced_cannot_be_the_best_and_stands_in_nobodys_way(race):
    for bad in (seed(1.0, verdict="oscillating"), seed(1.0, status="pruned"), seed(1.0, status="failed")):
        assert not race.another(1, [bad])
        assert not race.another(1, [seed(1.0), bad])
        assert race.another(2, [seed(10.5)])
    assert race.another(1, [seed(1.0)])
    assert not race.another(2, [seed(10.5)])
    race.another(1, [])
    assert race.another(2, [seed(10.5)])


def test_before_a_spread_is_known_each_trial_gets_its_second_seed():
    race = Race(1)
    assert race.another(0, [seed(1.0)])
    assert race.another(1, [seed(100.0)])
    assert race.another(0, seeds(1.0, 1.1))
    assert not race.another(1, [seed(100.0)])


@pytest.mark.parametrize("distances", [(math.nan, math.nan), (0.0, -1.0)])
def test_distances_that_have_no_logarithm(distances):
    race = Race(1, {0: [seed(distance, 0.8 + 0.01 * i) for i, distance in enumerate(distances)]})
    assert race.another(1, [seed(math.nan if math.isnan(distances[0]) else -0.2, 0.9)])
    assert not race.another(2, [seed(math.nan if math.isnan(distances[0]) else 5.0, 0.4)])


def swept(replicas, draw):
    """(seeds trained, the winner's own distance) of a made-up sweep of 48 trials, half of them hopeless."""
    race, rows, own = Race(3), [], {}
    trained = 0
    for number in range(48):
        own[number], trial, hopeless = draw.gauss(0, 0.7), [], draw.random() < 0.5
        while not trial or (len(trial) < 4 and (race.another(number, trial) if replicas == "race" else replicas > 1)):
            distance = math.exp(own[number] + draw.gauss(0, 0.4))
            trial.append(seed(distance, 0.8 + draw.gauss(0, 0.05), "oscillating" if hopeless else "balanced"))
        medians = {n: statistics.median(getattr(s, n) for s in trial) for n in ("stability", "distance")}
        rows.append({"number": number, "status": "complete", "verdict": trial[0].verdict, **medians})
        trained += len(trial)
    return trained, min(own[number] for number in candidates(pd.DataFrame(rows), 3))


@pytest.mark.slow
def test_a_race_finds_as_good_a_winner_for_less_than_half_of_the_seeds():
    found = {replicas: [swept(replicas, random.Random(i)) for i in range(12)] for replicas in (1, 4, "race")}
    trained = {name: statistics.mean(n for n, _ in runs) for name, runs in found.items()}
    winner = {name: statistics.mean(distance for _, distance in runs) for name, runs in found.items()}
    assert trained[1] < trained["race"] < 0.5 * trained[4]
    assert winner["race"] < winner[4] + 0.1 < winner[1] + 0.2


class Answers:
    """In the place of a link to a worker that asks a race."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, name, number, packed):
        assert name == "another"
        seeds = pickle.loads(packed)  # noqa: S301
        self.asked.append((number, len(seeds)))
        return self.answers.pop(0) if seeds else None


@pytest.fixture
def run(make_tiny):
    """Trains a trial, number 7, of one to four seeds with such answers, from a state or anew, to its end or up to
    so many probes."""

    def train(*answers, state=None, probes=None, least=1, **fields):
        made = make_tiny(replicas={"least": least, "most": 4}, prune=False, **fields)
        one = TrialRun(made, {"number": 7, "params": {"lr": 1e-3, "betas": [0.5, 0.9]}}, 1, 0)
        one.link = Answers(*answers)
        if state:
            one.load_state(state)
        for done, _ in enumerate(one.train(), start=1):
            if done == probes:
                break
        return one

    return train


def test_a_trial_trains_the_seeds_that_it_earns(run):
    assert [s.seed for s in run(False).seeds] == [0]
    assert [s.seed for s in run(True, True, False).seeds] == [0, 1, 2]
    most = run(True, True, True, True)
    assert [s.seed for s in most.seeds] == [0, 1, 2, 3]
    assert most.link.asked == [(7, 1), (7, 2), (7, 3), (7, 4)]


def test_the_least_are_trained_at_once_and_need_no_answer(run):
    one = run(True, False, least=2)
    assert [s.seed for s in one.seeds] == [0, 1, 2]
    assert one.link.asked == [(7, 2), (7, 3)]
    assert [row["seed"] for row in one.rows[:4]] == [0, 1, 0, 1]
    assert one.in_turn == ""


def test_a_trial_that_raises_leaves_the_race(run, make_tiny, monkeypatch):
    made = distributed.trainer_of

    def second_raises(job):
        if job.seed == 1:
            raise RuntimeError("no such luck")
        return made(job)

    monkeypatch.setattr(distributed, "trainer_of", second_raises)
    one = run(True)
    assert "no such luck" in one.error
    assert one.link.asked == [(7, 1), (7, 0)]


def test_a_trial_goes_on_in_the_middle_of_a_seed_that_it_earned(run, tmp_path):
    unbroken = run(True, True, False)
    probes = len(unbroken.rows) // 3
    cut = run(True, True, False, probes=probes + probes // 2)
    torch.save(cut.state(), tmp_path / "state.pt")
    resumed = run(True, False, state=torch.load(tmp_path / "state.pt", weights_only=True))
    assert resumed.link.asked == [(7, 2), (7, 3)]
    assert to_json(resumed.rows) == to_json(unbroken.rows)
    assert without_times(resumed.seeds) == without_times(unbroken.seeds)
    assert np.array_equal(resumed.samples, unbroken.samples)


def without_times(seeds):
    return to_json([asdict(replace(seed, train_seconds=0.0)) for seed in seeds])


def test_a_sweep_gives_the_seeds_that_the_rule_says_and_goes_on_so(ray_session, tiny, tmp_path):
    fields = {"replicas": {"least": 1, "most": 2}, "search": {"lr": {"choices": [1e-9, 1e-8, 0.3]}}}
    fields["task"] = tiny().task.replace(":Tiny", ":Converged")
    sweep(tiny(**fields, trials=1), tmp_path / "out")
    records = sweep(tiny(**fields, trials=3), tmp_path / "out", resume=True).records
    race = Race(1)
    for record in records:
        trained = record.seeds
        assert record.updates == 80 * len(trained)
        for count in range(1, len(trained) + 1):
            earned = race.another(record.number, trained[:count]) and count < 2
            assert earned == (count < len(trained)), (record.number, count)
    assert {record.updates for record in records} == {80, 160}, "some have more seeds than others"
