"""The dry run: what it counts, what it tries, what it says, and that it does no more than that."""

import json
from dataclasses import replace

import pytest
import torch

from gansearch.experiment import Experiment, Resources, Training
from gansearch.gan import TaskError, Trainer, load_task
from gansearch.search.cluster.cluster import Cluster, this_machine
from gansearch.search.dry_run import cost
from gansearch.search.dry_run import dry_run as module
from gansearch.search.dry_run.cost import Cost, EvaluationCost, counts
from gansearch.search.dry_run.dry_run import configurations, dry_run
from gansearch.search.dry_run.estimate import (
    Data,
    Estimate,
    Measured,
    Weights,
    brief,
    fitting,
    share,
    size,
    wall_seconds,
)
from gansearch.search.errors import SweepError

GB = 10**9
COST = Cost(update_d=0.001, update_g=0.002, trial=10.0, seed=10.0, confirmation=20.0, evaluation=1.0)
MEASURED = Measured(
    costs=(COST,),
    device="CPU, 1 thread",
    evaluation=EvaluationCost(0.01, 0.1, 0.5),
    data=Data(800, 200, (2,)),
    weights=Weights(10, 20),
    memory=GB,
)
ON_GPU = replace(MEASURED, device="a GPU", gpu_memory=10 * GB, gpu_total=80 * GB)
CPUS = Cluster(({"CPU": 4.0, "memory": 8.0 * GB},))
GPUS = Cluster(({"CPU": 16.0, "GPU": 2.0, "memory": 64.0 * GB},))


@pytest.fixture(autouse=True)
def _briefly(monkeypatch):
    monkeypatch.setattr(cost, "_SECONDS", 0.002)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def estimate(measured=MEASURED, cluster=CPUS, **fields):
    return Estimate(Experiment(name="x", task="ring", **{"trials": 10, "confirm": None, **fields}), cluster, measured)


@pytest.mark.parametrize(
    "fields",
    [
        {"updates": 120},
        {"updates": 120, "pretrain_steps": 40, "update_ratio": 2.5},
        {"updates": 120, "pretrain_steps": 30, "update_ratio": 0.2},
        {"updates": 120, "simultaneous": True},
    ],
)
def test_the_mix_of_updates_is_that_of_a_run(fields):
    training = Training(batch_size=4, **fields)
    trainer = Trainer(load_task("ring", {"samples": 100, "width": 4}), training)
    while trainer.updates < training.updates:
        trainer.step()
    assert counts(training) == pytest.approx((trainer.d_updates, trainer.g_updates), abs=1)


def test_the_evaluations_of_a_run_are_counted():
    evaluation = EvaluationCost(probe=1.0, quality=100.0, referee=10_000.0)
    assert evaluation.seconds(4000) == 50 * 1 + 4 * 100 + 10_000
    assert evaluation.seconds(4000, more=2) == 50 * 1 + 6 * 100 + 10_000
    assert evaluation.seconds(2) == 2 * 1 + 2 * 100 + 10_000


@pytest.mark.parametrize(("runs", "slots", "expected"), [(0, 4, 0), (1, 4, 3), (4, 4, 3), (5, 4, 6), (5, 1, 15)])
def test_runs_come_in_waves(runs, slots, expected):
    assert wall_seconds(runs, 3.0, slots) == expected


@pytest.mark.parametrize("trials", range(1, 17))
def test_so_many_trials_fit_a_gpu_by_the_share_that_is_advised(trials):
    assert Cluster(({"CPU": 99.0, "GPU": 1.0},)).slots(Resources(gpus=share(trials))) == trials


def test_a_gpu_keeps_a_margin():
    assert fitting(10 * GB, 80 * GB) == 7
    assert fitting(73 * GB, 80 * GB) == 0
    assert fitting(0, 0) == 0


def test_times_and_sizes_in_words():
    assert [brief(seconds) for seconds in (0.00045, 0.012, 9.5, 210)] == ["0.45 ms", "12 ms", "10 s", "3 min 30 s"]
    assert (size(4.5e8), size(1.2e9)) == ("450 MB", "1.2 GB")


def test_a_sweep_takes_its_trials_and_its_confirmation_on_its_slots():
    assert estimate().sweep_seconds == (30, 30)
    confirmed = estimate(confirm={"top": 3, "replicas": 5})
    assert confirmed.confirmation_runs == 15
    assert confirmed.sweep_seconds == (30 + 4 * 20, 30 + 4 * 20)
    searched = {"lr": {"low": 1e-4, "high": 1e-2}}
    assert estimate(search=searched, confirm={"top": 3, "replicas": 5}).confirmation_runs == 20  # and the defaults
    assert estimate(search=searched, confirm={"default": False}).confirmation_runs == 15
    assert estimate(limits={"concurrent": 1}).sweep_seconds == (100, 100)
    assert estimate(resources={"cpus": 2}).sweep_seconds == (50, 50)
    earned = estimate(replicas={"least": 1, "most": 3})
    assert earned.trial_seconds == (10, 30)
    assert earned.sweep_seconds == (30, 90)


def test_limits_leave_fewer_trials():
    assert estimate(trials=100, limits={"hours": 20 / 3600}).trials == 8
    assert estimate(trials=100, training={"updates": 1000}, limits={"updates": 4500}).trials == 5
    assert estimate(trials=100, training={"updates": 1000}, replicas=2, limits={"updates": 4500}).trials == 3
    assert "8 of 100 trials (the limits)" in estimate(trials=100, limits={"hours": 20 / 3600}).lines()[-1]


def test_memory_that_is_not_there_is_warned_of():
    assert estimate().warnings == []
    assert estimate(replace(MEASURED, remarks=("a file was left out",))).warnings == ["a file was left out"]
    (warning,) = estimate(replace(MEASURED, memory=3 * GB)).warnings
    assert "4 trials of 3 GB need more than the 8 GB" in warning
    assert "limits: {concurrent: 2}" in warning
    assert estimate(replace(MEASURED, memory=3 * GB), limits={"concurrent": 2}).warnings == []


def test_what_slows_a_check_or_a_trial_is_warned_of():
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


def test_a_gpu_is_measured_with_its_context_but_not_with_what_others_hold(monkeypatch):
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2 * GB)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda device: 3 * GB)
    device = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(77.5 * GB), 80 * GB))
    assert module._gpu_memory(device) == (int(3.5 * GB), 80 * GB)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (20 * GB, 80 * GB))
    assert module._gpu_memory(device)[0] == 3 * GB + 2**30
    assert module._gpu_memory(torch.device("cpu")) == (0, 0)


def test_configurations_are_of_the_space_and_the_same_each_time(make_tiny):
    experiment = make_tiny(search={"lr": {"low": 1e-3, "high": 1e-2}, "r1_gamma": {"choices": [0.0, 1.0]}})
    drawn = configurations(experiment)
    assert len(drawn) == module.CONFIGURATIONS
    assert {training.r1_gamma for training in drawn} == {0.0, 1.0}
    assert all(1e-3 <= training.lr <= 1e-2 for training in drawn)
    assert drawn == configurations(experiment)
    assert len(configurations(make_tiny(search={}))) == 1


def test_a_dry_run_measures_and_leaves_nothing(make_tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(2)
    search = {"lr": {"low": 1e-3, "high": 1e-2}, "batch_size": {"low": 4, "high": 8}}
    found = dry_run(make_tiny(search=search, replicas={"least": 2, "most": 3}, resources={"cpus": 1, "gpus": 0}))
    summary = json.loads(json.dumps(found.summary()))
    assert summary["data"] == {"train": 160, "held_out": 40, "shape": [2]}
    assert summary["weights"] == {"generator": 6, "discriminator": 33}
    assert summary["device"] == "CPU, 1 thread"
    assert summary["slots"] == this_machine().nodes[0]["CPU"]
    assert all(value > 0 for value in summary["seconds"].values())
    assert 0 < summary["trial_seconds"]["least"] < summary["trial_seconds"]["most"]
    assert summary["at_once"] == 1
    assert summary["memory"] > 50e6
    assert "of 2 to 3 seeds, at once" in "\n".join(found.lines())
    assert torch.get_num_threads() == 2
    assert list(tmp_path.iterdir()) == []


def test_seeds_that_take_turns_say_why(make_tiny):
    found = dry_run(make_tiny(search={}, replicas=2, training={"updates": 80, "balance": "held"}))
    assert found.at_once == 0
    assert "2 seeds, in turn (balance: held decides" in "\n".join(found.lines())


@pytest.mark.parametrize(("most", "timed"), [(-1.0, 1), (60.0, 16)])
def test_configurations_for_which_there_is_no_time_are_not_timed(make_tiny, monkeypatch, most, timed):
    monkeypatch.setattr(module, "_MOST_SECONDS", most)
    found = dry_run(make_tiny(search={"batch_size": {"choices": [4, 8]}}))
    assert len(found.measured.costs) == timed


@pytest.mark.parametrize(("slow", "looks"), [(1e9, 3), (0.0, 2)])
def test_a_slow_quality_measure_is_asked_less_often(make_tiny, tmp_path, monkeypatch, slow, looks):
    monkeypatch.setattr(cost, "_SLOW_SECONDS", slow)
    (tmp_path / "turns").mkdir()
    experiment = make_tiny(tmp_path / "turns", search={})
    dry_run(experiment.model_copy(update={"task": experiment.task.replace(":Tiny", ":Saved")}))
    assert len((tmp_path / "turns" / "looks").read_text().splitlines()) == looks


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("raise KeyError('fid')", ['mine.py", line', "KeyError: 'fid'"]),
        ("raise SystemExit(0)", ['mine.py", line', "SystemExit"]),
        ("return {'fid': 1.0}", ["distance", "not {'fid': 1.0}"]),
        ("return 1.0", ["distance", "not 1.0"]),
        ("return {'distance': 'far'}", ["numbers", "distance is 'far'"]),
        ("raise MemoryError('too large')", ["needs more memory", "batch_size"]),
        ("import torch; torch.empty(10**15)", ["needs more memory", "batch_size"]),
    ],
)
def test_an_error_of_a_users_quality_is_explained(tmp_path, body, parts):
    with pytest.raises(TaskError) as raised:
        dry_run(_mine(tmp_path, body))
    for part in parts:
        assert part in str(raised.value)
    assert "gansearch/gan" not in str(raised.value)


def test_a_trial_that_fits_nowhere_is_refused_before_anything_is_trained(make_tiny, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(SweepError, match="resources"):
        dry_run(make_tiny(resources={"cpus": 4096}))


def test_a_cluster_is_asked_and_measured_in_a_worker_of_it(make_tiny, tmp_path, ray_session):
    found = dry_run(make_tiny(limits={"concurrent": 5}), "auto")
    assert found.slots == 2
    assert found.measured.mean("trial") > 0
    with pytest.raises(TaskError) as raised:
        dry_run(_mine(tmp_path, "raise KeyError('fid')"), "auto")
    assert 'mine.py", line' in str(raised.value)
    assert "ray" not in str(raised.value)


def _mine(folder, body):
    """An experiment of a task whose quality measure does `body`."""
    lines = [
        "import torch, gansearch",
        "from torch import nn",
        "class Mine(gansearch.Task):",
        "    latent_dim = 2",
        "    def real(self): return torch.randn(100, 2)",
        "    def generator(self): return nn.Linear(2, 2)",
        "    def discriminator(self): return nn.Linear(2, 1)",
        f"    def quality(self, real, fake): {body}",
    ]
    (folder / "mine.py").write_text("\n".join(lines))
    return Experiment(name="mine", task=f"{folder / 'mine.py'}:Mine", training={"updates": 80})
