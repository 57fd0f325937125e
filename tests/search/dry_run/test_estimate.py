"""What an experiment takes, computed from given measurements, and how that is said."""

from dataclasses import replace

import pytest

from gansearch.experiment import Experiment
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run.cost import Cost, EvaluationCost
from gansearch.search.dry_run.estimate import (
    Estimate,
    Measured,
    brief,
)
from gansearch.search.dry_run.fill import Card, Fill, share

GB = 10**9


COST = Cost(update_d=0.001, update_g=0.002, trial=10.0, seed=10.0, confirmation=20.0, evaluation=1.0)


MEASURED = Measured(
    costs=(COST,),
    device="CPU, 1 thread",
    evaluation=EvaluationCost(0.01, 0.1, 0.5),
    data={"train": 800, "held_out": 200, "shape": [2]},
    weights={"generator": 10, "discriminator": 20},
    memory=GB,
)


ON_GPU = replace(MEASURED, device="a GPU", gpu_memory=10 * GB, gpu_total=80 * GB)


CPUS = Cluster(({"CPU": 4.0, "memory": 8.0 * GB},))


GPUS = Cluster(({"CPU": 16.0, "GPU": 2.0, "memory": 64.0 * GB},))


def estimate(measured=MEASURED, cluster=CPUS, **fields):
    return Estimate(Experiment(name="x", task="ring", **{"trials": 10, "confirm": None, **fields}), cluster, measured)


@pytest.mark.parametrize(("trials", "slots", "waves"), [(1, 4, 1), (4, 4, 1), (5, 4, 2), (5, 1, 5)])
def test_trials_come_in_waves(trials, slots, waves):
    assert estimate(trials=trials, limits={"concurrent": slots}).sweep_seconds == (10 * waves, 10 * waves)


def test_times_and_sizes_in_words():
    assert [brief(seconds) for seconds in (0.00045, 0.012, 9.5, 210)] == ["0.45 ms", "12 ms", "10 s", "3 min 30 s"]


def test_a_sweep_takes_its_trials_and_its_confirmation_on_its_slots():
    assert estimate().sweep_seconds == (30, 30)
    confirmed = estimate(confirm={"top": 3, "replicas": 5})
    assert confirmed.confirmation_runs == 2 + 4  # 15% of 10 trials, and what the winner then lacks
    assert confirmed.sweep_seconds == (30 + 2 * 20, 30 + 2 * 20)
    searched = {"lr": {"low": 1e-4, "high": 1e-2}}
    assert estimate(search=searched, confirm={"top": 3, "replicas": 5}).confirmation_runs == 6 + 3  # the defaults
    assert estimate(search=searched, confirm={"default": False}).confirmation_runs == 6
    assert estimate(limits={"concurrent": 1}).sweep_seconds == (100, 100)
    assert estimate(resources={"cpus": 2}).sweep_seconds == (50, 50)
    earned = estimate(replicas={"least": 1, "most": 3})
    assert earned.trial_seconds == (10, 30)
    assert earned.sweep_seconds == (30, 90)


def test_an_automatic_number_of_trials_is_estimated_by_a_usual_one():
    assert estimate(trials="auto").trials == 100
    assert "as many trials as are worth it, with 100 of them, about" in estimate(trials="auto").lines()[-1]


def test_limits_leave_fewer_trials():
    assert estimate(trials=100, limits={"hours": 20 / 3600}).trials == 8
    assert estimate(trials=100, training={"updates": 1000}, limits={"updates": 4500}).trials == 5
    assert estimate(trials=100, training={"updates": 1000}, replicas=2, limits={"updates": 4500}).trials == 3
    assert "8 of 100 trials (the limits)" in estimate(trials=100, limits={"hours": 20 / 3600}).lines()[-1]


def test_total_hours_leave_time_to_the_race():
    raced = {"trials": 100, "confirm": {"top": 3, "replicas": 5}}
    found = estimate(limits={"total_hours": 200 / 3600}, **raced)
    # 14 waves of four trials of 10 s, and nine runs of 20 s in three; then a winner's other seeds as far as they can be
    assert (found.trials, found.confirmation_runs, found.sweep_seconds) == (56, 9 + 4, (200, 200))
    assert "56 of 100 trials (the limits)" in found.lines()[-1]
    assert estimate(limits={"total_hours": 1 / 3600}, **raced).trials == 1
    assert estimate(trials=100, limits={"total_hours": 200 / 3600}).trials == 80
    assert estimate(limits={"total_hours": 9}, **raced).trials == 100


def test_missing_memory_is_a_warning():
    assert estimate().warnings == []
    assert estimate(replace(MEASURED, remarks=("a file was left out",))).warnings == ["a file was left out"]
    (warning,) = estimate(replace(MEASURED, memory=3 * GB)).warnings
    assert "4 trials of 3 GB need more than the 8 GB" in warning
    assert "limits: {concurrent: 2}" in warning
    assert estimate(replace(MEASURED, memory=3 * GB), limits={"concurrent": 2}).warnings == []


def test_a_busy_machine_and_a_slow_evaluation_are_warnings():
    (busy,) = estimate(replace(MEASURED, idle=0.6)).warnings
    assert "60% of the time went by without a CPU" in busy
    (evaluation,) = estimate(replace(MEASURED, costs=(replace(COST, evaluation=7.0),))).warnings
    assert "70% of a trial's time" in evaluation


def test_trials_that_share_a_gpu():
    auto = estimate(ON_GPU, GPUS)
    assert (auto.slots, auto.trials_on_a_gpu, auto.warnings) == (2, 7, [])
    assert "resources: {gpus: 0.142}" in "\n".join(auto.lines())
    assert auto.summary()["gpu"] == {"memory": 10 * GB, "total": 80 * GB, "trials": 7, "share": 0.142}
    assert estimate(ON_GPU, GPUS, resources={"cpus": 4}).trials_on_a_gpu == 2  # eight CPUs beside each
    (warning,) = estimate(ON_GPU, GPUS, resources={"gpus": 0.1}).warnings
    assert "puts 10 trials on a GPU whose memory holds 7; write gpus: 0.142" in warning
    (warning,) = estimate(replace(ON_GPU, gpu_memory=79 * GB), GPUS).warnings
    assert "batch_size" in warning
    assert estimate().summary()["gpu"] is None


def test_the_cost_of_a_sweep_in_gpu_hours_is_foretold():
    assert estimate().gpu_hours is None
    alone = estimate(ON_GPU, GPUS, trials=180, confirm={"top": 3, "replicas": 5})
    assert alone.gpu_hours == pytest.approx((180 * 10 + alone.confirmation_runs * 20) / 3600)
    assert "GPU-hours without pruning" in alone.lines()[-1]
    assert estimate(ON_GPU, GPUS, trials=180, resources={"gpus": 0.25}).gpu_hours == pytest.approx(0.125)
    assert estimate(ON_GPU, GPUS, trials=180, resources={"gpus": 0}).gpu_hours is None


def test_trials_that_fill_a_gpu_are_slower_each():
    fill = Fill(4, (Card("H100", 2 * GB, 80 * GB, {1: 600.0, 4: 1200.0}),))
    assert fill.slowdown == 2
    found = replace(estimate(ON_GPU.slower(2), GPUS, trials=180, resources={"gpus": share(4)}), fill=fill)
    assert (found.slots, found.trial_seconds) == (8, (20, 20))
    assert found.gpu_hours == pytest.approx(180 * 20 / 4 / 3600)
    assert f"GPU: {fill}" in found.lines()
    assert "write resources" not in "\n".join(found.lines())
    assert found.summary()["fill"] == fill.as_dict()
