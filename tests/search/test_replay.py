"""Replays count all that is trained, and a search in a replay knows nothing of what is to come."""

import json
import math
import random

import pandas as pd
import pytest

pytestmark = pytest.mark.slow
NAMES = ["hand", "hand_after_pretraining", "hyperband", "random", "gansearch", "gansearch_unconfirmed"]


@pytest.fixture(scope="module")
def replay(benchmarks):
    return benchmarks("replay")


@pytest.fixture(scope="module")
def replays(benchmarks):
    """A module of the benchmark by the end of its name."""
    return lambda name: benchmarks(f"replay_{name}")


@pytest.fixture(scope="module")
def runs(benchmarks, replays):
    """Forty recorded runs, the nearer the smaller the rates; every fourth configuration has three seeds."""
    landscape, experiment = replays("landscape"), replays("landscape").experiment_of("ring")
    configuration = benchmarks("search_runs").configuration
    return [
        recorded(landscape, configuration(experiment, index), index, seed)
        for index in range(30)
        for seed in range(3 if index % 4 == 0 else 1)
    ]


def recorded(landscape, chosen, index, seed):
    last = 100 * chosen["lr"] + 0.01 * index + 0.02 * seed + 0.05
    before = chosen["pretrain_steps"]
    end = {
        **{"index": index, "seed": seed, "status": "complete", "updates": 4000, "distance": last, "stability": 0.8},
        **{"verdict": "balanced" if last < 0.5 else "collapsed", "beyond_hope_at": math.nan},
        **{"seconds": 8.0, "end_seconds": 0.5},
    }
    shares = [i / 20 for i in range(20)]
    updates = sorted({400 * i for i in range(10)} | {before + share * (4000 - before) for share in shares})
    progress = [max(0.0, (update - before) / (4000 - before)) for update in updates]
    looks = [
        landscape.Look(update, 0.5 + 0.2 * done * (1 - last), 2 + (last - 2) * done**0.5)
        for update, done in zip(updates, progress, strict=True)
    ]
    return landscape.Run({**chosen, **end}, tuple(looks))


@pytest.fixture(scope="module", params=["trees", "process"])
def land(request, replays, runs):
    return replays("landscape").KINDS[request.param]("ring", runs)


def test_a_run_is_known_until_an_update_and_no_farther(runs):
    (run,) = runs[1:2] or runs
    first = run.looks[0].update
    assert run.until(first - 1) == ()
    assert [look.update for look in run.until(2000)] == [look.update for look in run.looks if look.update <= 2000]


def test_a_report_does_not_wait_for_a_look_that_is_far(replays):
    landscape = replays("landscape")
    run = landscape.Run({"updates": 4000}, (landscape.Look(1000, 0.5, 1.0), landscape.Look(1100, 0.5, 0.9)))
    assert run.asked_at(400) == 400
    assert run.until(run.asked_at(400)) == ()
    assert run.asked_at(1010) == 1100


class Blinded:
    """A landscape whose runs have another future from half of their updates on: `factor` times the distance."""

    def __init__(self, land, landscape, factor):
        self.land, self.landscape, self.factor = land, landscape, factor

    def __getattr__(self, name):
        return getattr(self.land, name)

    def draw(self, chosen, seeds):
        run = self.land.draw(chosen, seeds)
        looks = [
            look
            if look.update <= 2000
            else self.landscape.Look(look.update, look.stability, look.distance * self.factor)
            for look in run.looks
        ]
        return self.landscape.Run({**run.end, "distance": run.end["distance"] * self.factor}, tuple(looks))


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_decides_by_what_a_run_knew(replay, replays, land, name):
    asked = []

    class Spy:
        def __init__(self, rule):
            self.rule = rule

        def stops(self, number, check, looks):
            asked.append((check.update, [look.update for look in looks]))
            return self.rule.stops(number, check, looks)

        def ended(self, trial):
            self.rule.ended(trial)

    search = replay.SEARCHES[name](land, 0)
    search.rule = Spy(search.rule)
    replays("sweep").train(land, search, 12, 0)
    assert all(update <= at for at, known in asked for update in known)
    assert asked or name == "random"


@pytest.mark.parametrize("name", ["hand", "gansearch"])
def test_who_is_stopped_in_the_first_half_does_not_depend_on_the_second(replay, replays, land, name):
    stopped = []
    for factor in (1.0, 0.01):
        world = Blinded(land, replays("landscape"), factor)
        search = replay.SEARCHES[name](world, 1)
        search.tell = lambda trial: None  # the sampler learns nothing: all configurations are the same
        trials = replays("sweep").train(world, search, 16, 1)
        stopped.append({(trial.number, trial.updates) for trial in trials if trial.updates < 2000})
    assert stopped[0] == stopped[1]
    assert stopped[0]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_sweep_costs_is_its_budget(replay, replays, land, name):
    for exported in replays("sweep").sweep(land, replay.SEARCHES[name](land, 2), 2, (25, 35)):
        assert exported.budget - 4 < exported.trainings < exported.budget + 1.5  # a race may end early
        # Two slots at 8.5 s a training; stopped trials of ours are measured, and there is the start of all.
        assert exported.seconds == pytest.approx(exported.budget * 8.5 / 2, rel=0.25)


def test_confirmation_and_default_settings_are_counted(replay, replays, land):
    (confirmed,) = replays("sweep").sweep(land, replay.SEARCHES["version_02"](land, 3), 3, (25,))
    (raced,) = replays("sweep").sweep(land, replay.SEARCHES["gansearch"](land, 3), 3, (25,))
    (other,) = replays("sweep").sweep(land, replay.SEARCHES["gansearch_unconfirmed"](land, 3), 3, (25,))
    assert confirmed.trials <= 8  # 20 of the 25 trainings confirm
    assert other.trials >= 20
    assert raced.trials < 0.8 * other.trials  # and so does the race
    (nothing,) = replays("sweep").sweep(land, replay.SEARCHES["version_02"](land, 3), 3, (12,))
    assert (nothing.trainings, nothing.trials) == (0, 0)
    assert nothing.median == land.median(replays("sweep").defaults(land))


def test_seeds_of_a_landscape_are_the_same_for_each_search(land, runs):
    chosen = runs[5].end
    assert land.draw(chosen, random.Random("1 4")) == land.draw(chosen, random.Random("1 4"))
    assert land.draw(chosen, random.Random("1 4")) != land.draw(chosen, random.Random("1 5"))


def test_true_medians_and_shares_are_those_of_many_draws(land, runs):
    draw = random.Random(0)
    drawn = [land.draw(runs[8].end, draw).end for _ in range(2000)]
    median = land.median(runs[8].end)
    assert sum(end["distance"] < median * 0.999 for end in drawn) / len(drawn) < 0.54
    assert sum(end["distance"] > median * 1.001 for end in drawn) / len(drawn) < 0.54
    healthy = sum(end["verdict"] == "balanced" for end in drawn) / len(drawn)
    assert healthy == pytest.approx(land.share_healthy(runs[8].end), abs=0.04)


def test_a_history_during_pretraining_says_nothing_of_the_end(land, runs):
    chosen = next(run.end for run in runs if run.end["pretrain_steps"] > 500)
    draws = [land.draw(chosen, random.Random(seed)) for seed in range(50)]
    early = {look.distance for run in draws for look in run.looks if look.update < run.end["pretrain_steps"]}
    assert early == {2.0}
    assert len({run.end["distance"] for run in draws}) > 5


def test_who_never_arrives_is_not_counted_as_arrived(replays):
    figures, exported = replays("figures"), replays("sweep").Exported
    arrives, never = (
        [exported(budget, median, 1, budget, 0, 0, 0) for budget, median in zip((25, 50, 100), medians, strict=True)]
        for medians in ((2.0, 1.0, 1.0), (3.0, 2.0, 1.1))
    )
    assert figures.first_passage(arrives, 1.0) == (50, True)
    assert figures.first_passage(never, 1.0) == (100, False)
    passages = [figures.first_passage(sweep, 1.0) for sweep in (arrives, never, never)]
    assert figures.kaplan_meier_median(passages) == math.inf
    assert figures.kaplan_meier_median(passages[:2]) == 50
    assert figures.restricted_mean(passages) == pytest.approx(250 / 3)


def test_ratios_are_of_the_same_sweeps_and_their_interval_narrows_with_their_number(replays):
    figures, exported = replays("figures"), replays("sweep").Exported
    values = random.Random(0)
    ours = {i: [exported(25, math.exp(values.gauss(-0.1, 0.3)), 1, 25, 0, 0, 0)] for i in range(200)}
    other = {i: [exported(25, 1.0, 1, 25, 0, 0, 0)] for i in range(150)}
    ratios = figures.log_ratios(ours, 25, other, 25)
    assert len(ratios) == 150
    mean, low, high = figures.interval([ratios])
    few = figures.interval([ratios[:20]])
    assert low < -0.1 < high
    assert mean == pytest.approx(ratios.mean())
    assert few[2] - few[1] > 2 * (high - low)


def test_sweeps_that_are_done_are_kept_for_the_same_runs_alone(replay, replays, runs, tmp_path):
    land = replays("landscape").Trees("ring", runs)
    results = replay.Results(tmp_path)
    exported = replays("sweep").sweep(land, replay.SEARCHES["random"](land, 0), 0, (12,))
    results.add(land, "trees", "random", 0, exported)
    assert results.read(land, "trees", "random", (12,)) == {0: exported}
    assert results.read(land, "trees", "random", (12, 25)) == {}
    assert results.read(replays("landscape").Trees("ring", runs[:-1]), "trees", "random", (12,)) == {}


def test_tables_of_runs_are_added_to_and_what_they_have_is_known(benchmarks, tmp_path, monkeypatch):
    search_runs = benchmarks("search_runs")
    folder, files = tmp_path / "tables", tmp_path / "runs"
    files.mkdir()

    def write(index, distance):
        look = {"update": 10, "stability": 0.5, "distance": distance}
        record = {"index": index, "seed": 0, "distance": distance, "looks": [look]}
        (files / f"ring-{index:03d}-0.json").write_text(json.dumps(record))

    write(0, 1.0)
    search_runs.tables(files, folder)
    (files / "ring-000-0.json").unlink()
    write(1, 2.0)
    for _ in range(2):
        search_runs.tables(files, folder)
    assert pd.read_parquet(folder / "ring-looks.parquet")["distance"].tolist() == [1.0, 2.0]
    monkeypatch.setattr(search_runs, "RECORDED", folder)
    assert search_runs.recorded("ring") == {(0, 0), (1, 0)}
    assert search_runs.recorded("grid") == set()
