"""The head-to-head runs no round twice, counts only whole rounds, and its plain loop is the trainer's training."""

import json
import math
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
from scipy.stats import t, ttest_1samp

from gansearch.experiment import Experiment, Training
from gansearch.gan import Trainer, load_task

ROOT = Path(__file__).parents[2]
SIDES = ("hand", "equal", "half")


@pytest.fixture(scope="module")
def modules(benchmarks):
    """A module of the benchmark by the end of its name; the benchmark itself by none."""
    return lambda name="": benchmarks(f"head_to_head{name and '_'}{name}")


def line(task, number, side, distance, *, verdict="balanced", allowed=10.0, **changed):
    seeds = [{"seed": i, "distance": distance * share, "verdict": verdict} for i, share in enumerate((0.5, 1, 2))]
    row = {"task": task, "round": number, "side": side, "allowed": allowed, "seconds": 0.9 * allowed, "seeds": seeds}
    return {**row, "trials": 5, "exported": True, "interval": None, **changed}


def rounds(task, *distances):
    return [
        line(task, number, side, distance)
        for number, of in enumerate(distances)
        for side, distance in zip(SIDES, of, strict=True)
    ]


def test_ratios_are_of_the_medians_of_fresh_seeds_in_the_geometric_mean(modules):
    found = modules("figures").figures(rounds("ring", (2, 1, 2), (8, 1, 8)) + rounds("fair", (1, 1, 4)), ["fair"])
    assert found["tasks"]["ring"]["ratios"]["equal"]["ratio"] == pytest.approx(0.25)
    assert found["tasks"]["ring"]["ratios"]["half"]["ratio"] == pytest.approx(1)
    assert found["over"]["all"]["equal"]["ratio"] == pytest.approx(0.5)
    assert found["over"]["all"]["half"]["ratio"] == pytest.approx(2)
    assert found["over"]["seen"]["equal"]["ratio"] == pytest.approx(0.25)
    assert found["over"]["unseen"]["equal"]["ratio"] == pytest.approx(1)


def test_an_interval_is_students_over_the_rounds_and_one_round_has_none(modules):
    figures, ring = modules("figures").figures, rounds("ring", (1, 0.5, 1), (1, 0.25, 1), (1, 0.8, 1))
    ratio = figures(ring)["tasks"]["ring"]["ratios"]["equal"]
    logs = np.log([0.5, 0.25, 0.8])
    interval = ttest_1samp(logs, 0).confidence_interval(0.9)
    assert (ratio["low"], ratio["high"]) == pytest.approx(np.exp(interval))
    grid = rounds("grid", (1, 1, 1))
    assert figures(grid)["over"]["all"]["equal"]["low"] is None
    both = figures(ring + grid)["over"]["all"]["equal"]  # rounds of the ring alone say how much they differ
    error = logs.std(ddof=1) * math.sqrt(1 / 3 + 1) / 2
    assert math.log(both["high"]) == pytest.approx(logs.mean() / 2 + t.ppf(0.95, 2) * error)


def test_a_round_counts_once_all_its_sides_are_there(modules):
    rows = rounds("ring", (2, 1, 1), (9, 1, 1))[:-1]
    assert modules("figures").figures(rows)["tasks"]["ring"]["rounds"] == 1
    assert modules("figures").figures(rows[:2])["tasks"] == {}


def test_worst_luck_health_and_what_an_interval_holds(modules):
    rows = rounds("digits", (4, 1, 1), (1, 2, 1))
    rows[1] = line("digits", 0, "equal", 1, verdict="collapsed", interval=[0.9, 1.1])
    rows[4] = line("digits", 1, "equal", 2, interval=[0.9, 1.1], coverage=None)
    equal = modules("figures").figures(rows)["tasks"]["digits"]["sides"]["equal"]
    assert equal["worst"] == 2
    assert equal["luck"] == pytest.approx(1.9 / 1.1)
    assert equal["healthy"] == 0.5
    assert equal["interval_holds"] == 0.5
    assert equal["coverage"] is None


def test_a_winner_without_a_distance_is_as_far_as_any_seed(modules):
    found = modules("figures").figures(rounds("ring", (math.inf, 1, 3)))
    assert found["tasks"]["ring"]["sides"]["hand"]["distance"] == pytest.approx(6)


def test_targets_are_open_while_rounds_are_few_and_missed_out_of_time(modules):
    of = modules("figures")
    open_ones = of.verdict(of.figures(rounds("digits", (1, 0.5, 1))))
    assert list(open_ones.values()) == [None, None, None, True]
    ten = of.figures(rounds("digits", *[(1, 0.5, 1.5)] * 10))
    assert list(of.verdict(ten).values()) == [False, True, True, True]
    late = rounds("digits", (1, 1, 1))
    late[2]["seconds"] = 11.0
    assert of.verdict(of.figures(late))["in time"] is False
    assert "| digits | half |" in of.table(of.figures(late))


@pytest.fixture
def played(modules, tmp_path):
    return modules().Rounds(tmp_path / "out" / "rounds.jsonl", ["ring", "grid"], rounds=2, seconds=10, seeds=3)


def test_rounds_go_on_where_they_were(played):
    everything = list(played.missing())
    assert [(task, number) for task, number, _ in everything] == [("ring", 0), ("grid", 0), ("ring", 1), ("grid", 1)]
    assert all(sorted(sides) == sorted(SIDES) for *_, sides in everything)
    task, number, (first, *others) = everything[0]
    played.append(line(task, number, first, 1.0, allowed=played.allowed(first)))
    assert list(played.missing()) == [(task, number, others), *everything[1:]]


def test_the_order_of_sides_differs_by_round(played, modules):
    many = modules().Rounds(played.out, ["ring"], rounds=12, seconds=10, seeds=3)
    assert {sides[0] for *_, sides in many.missing()} == set(SIDES)


def test_a_cut_line_and_results_of_other_times_do_not_count(played):
    played.append(line("ring", 0, "half", 1.0, allowed=5.0))
    with played.out.open("a") as file:
        file.write(json.dumps(line("ring", 0, "hand", 1.0))[:-20])
    played.append(line("ring", 0, "equal", 1.0, allowed=10.0))
    played.append(line("ring", 1, "equal", 1.0, allowed=240.0))
    assert [(row["round"], row["side"]) for row in played.read()] == [(0, "half"), (0, "equal")]


@pytest.mark.parametrize(
    "changes", [{"update_ratio": 2.5, "pretrain_steps": 7}, {"r1_gamma": 1.0, "lr_ratio": 4}, {"loss": "wgan"}]
)
def test_the_plain_loop_trains_as_the_trainer_does(modules, changes):
    task, training = load_task("ring"), Training(updates=60, lr=1e-3, **changes)
    loop, trainer = modules("loop").PlainLoop(task, training, seed=3), Trainer(task, training, seed=3)
    loop.train(60)
    for _ in trainer.run():
        pass
    assert (loop.d_updates, loop.g_updates) == (trainer.d_updates, trainer.g_updates)
    for one, other in zip(loop.generator.parameters(), trainer.generator.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)


def test_the_judge_says_the_distance_and_verdict_of_each_seed(modules):
    experiment = Experiment(name="ring", task="ring", training=Training(updates=60))
    first = modules("judge").trained(experiment, experiment.training, 5)
    assert first["verdict"]
    assert math.isfinite(first["distance"])
    loop = modules("loop").PlainLoop(load_task("ring"), experiment.training, 5)
    loop.train(60)  # that the judge looks changes nothing
    assert loop.quality()["distance"] == pytest.approx(first["distance"])


def test_the_search_by_hand_asks_for_the_same_space(modules):
    hand = modules("hand")
    experiment = Experiment.load(ROOT / "experiments/music.yaml")
    for seed in range(8):
        trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed)).ask()
        constants = hand.space(experiment, trial)
        assert ("r1_gamma" in trial.params) == (trial.params["loss"] == "non_saturating")
        assert {*constants, *trial.params, "r1_gamma"} == {*experiment.search}


def test_what_a_sweep_takes_beside_its_limit_is_that_of_earlier_ones(played, modules):
    assert played.uncounted() == modules().UNCOUNTED
    for number, seconds in enumerate((None, 4.0, 6.0, 20.0)):
        played.append(line("ring", number, "equal", 1.0, uncounted=seconds))
    assert played.uncounted() == 6.0
