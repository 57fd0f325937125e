"""The dry run: what it tries, what it measures, and that it does no more than that."""

import json

import pytest
import torch

from gansearch.experiment import Choices, Experiment, Range
from gansearch.gan import TaskError
from gansearch.search.cluster.cluster import Cluster, this_machine
from gansearch.search.dry_run import cost, measuring
from gansearch.search.dry_run import dry_run as module
from gansearch.search.dry_run.dry_run import dry_run
from gansearch.search.dry_run.fill import Card, Fill
from gansearch.search.errors import SweepError

GB = 10**9


@pytest.fixture(autouse=True)
def _briefly(monkeypatch):
    monkeypatch.setattr(cost, "_SECONDS", 0.002)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_dry_run_leaves_no_file_and_no_setting_behind(make_tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(2)
    search = {"lr": {"low": 1e-3, "high": 1e-2}, "batch_size": {"low": 4, "high": 8}}
    estimate = dry_run(make_tiny(search=search, replicas={"least": 2, "most": 3}, resources={"cpus": 1, "gpus": 0}))
    summary = json.loads(json.dumps(estimate.summary()))
    assert summary["data"] == {"train": 160, "held_out": 40, "shape": [2]}
    assert summary["weights"] == {"generator": 6, "discriminator": 33}
    assert summary["device"] == "CPU, 1 thread"
    assert summary["slots"] == this_machine().nodes[0]["CPU"]
    assert all(value > 0 for value in summary["seconds"].values())
    assert 0 < summary["trial_seconds"]["least"] < summary["trial_seconds"]["most"]
    assert summary["at_once"] == 1
    assert summary["memory"] > 50e6
    assert "of 2 to 3 seeds, at once" in "\n".join(estimate.lines())
    assert torch.get_num_threads() == 2
    assert list(tmp_path.iterdir()) == []


def test_a_gpu_is_filled_by_what_is_measured_before(make_tiny, monkeypatch):
    fields = {"resources": {"cpus": 1, "gpus": "fill"}, "trials": 8}
    said = "GPU: there is none, so gpus: fill trains on the CPU, as auto does"
    assert said in dry_run(make_tiny(**fields)).lines()
    nodes = Cluster(({"CPU": 8.0, "GPU": 1.0},))
    monkeypatch.setattr(module, "this_machine", lambda: nodes)
    fill = Fill(4, (Card("H100", 2 * GB, 80 * GB, {1: 600.0, 4: 1200.0}),))
    monkeypatch.setattr(module, "measure_fill", lambda experiment, on, in_cluster: fill)
    estimate = dry_run(make_tiny(**fields))
    assert (estimate.slots, estimate.fill) == (4, fill)
    assert estimate.gpu_hours == pytest.approx(8 * 0.25 * estimate.measured.mean("trial") / 3600)
    assert f"GPU: {fill}" in estimate.lines()
    monkeypatch.setattr(module, "measure_fill", lambda experiment, on, in_cluster: Fill(1))
    assert dry_run(make_tiny(**fields)).slots == 1


def test_what_the_columns_of_a_table_are_taken_for_is_said(make_tiny):
    options = {"path": "sklearn:iris", "width": 4}
    estimate = dry_run(make_tiny(task="table", task_options=options, search={}))
    assert estimate.lines()[5] == "  target: a choice of 3"
    assert estimate.summary()["data"]["described"][4] == "target: a choice of 3"


def test_seeds_that_take_turns_say_why(make_tiny):
    estimate = dry_run(make_tiny(search={}, replicas=2, training={"updates": 80, "balance": "held"}))
    assert estimate.at_once == 0
    assert "2 seeds, in turn (balance: held decides" in "\n".join(estimate.lines())


@pytest.mark.parametrize(("most", "timed"), [(-1.0, 1), (60.0, 16)])
def test_configurations_for_which_there_is_no_time_are_not_timed(make_tiny, monkeypatch, most, timed):
    monkeypatch.setattr(measuring, "_MOST_SECONDS", most)
    estimate = dry_run(make_tiny(search={"batch_size": {"choices": [4, 8]}}))
    assert len(estimate.measured.costs) == timed


def test_the_quality_is_measured_twice(make_tiny, tmp_path):
    """The first measurement may train a judge; what is timed is the second."""
    (tmp_path / "turns").mkdir()
    experiment = make_tiny(tmp_path / "turns", search={})
    dry_run(experiment.model_copy(update={"task": experiment.task.replace(":Tiny", ":Saved")}))
    assert len((tmp_path / "turns" / "looks").read_text().splitlines()) == 2


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


@pytest.mark.parametrize("entry", [Range(low=1, high=8), Choices(choices=[8, 1])])
def test_a_batch_of_one_that_batch_norm_refuses_is_found(tmp_path, entry):
    experiment = _mine(tmp_path, "return {'distance': 1.0}", "nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))")
    assert dry_run(experiment).trials > 0
    with pytest.raises(TaskError, match=r"(?s)more than 1 value per channel.*hint: batch norm needs two samples"):
        dry_run(experiment.model_copy(update={"search": {"batch_size": entry}}))


def test_a_trial_that_fits_on_no_node_is_refused_before_any_training(make_tiny, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda *_: pytest.fail("it was trained"))
    with pytest.raises(SweepError, match="resources"):
        dry_run(make_tiny(resources={"cpus": 4096}))


def test_a_dry_run_on_a_cluster_trains_in_a_worker(make_tiny, tmp_path, ray_session):
    estimate = dry_run(make_tiny(limits={"concurrent": 5}), "auto")
    assert estimate.slots == 2
    assert estimate.measured.mean("trial") > 0
    with pytest.raises(TaskError) as raised:
        dry_run(_mine(tmp_path, "raise KeyError('fid')"), "auto")
    assert 'mine.py", line' in str(raised.value)
    assert "ray" not in str(raised.value)


def _mine(folder, body, generator="nn.Linear(2, 2)"):
    """An experiment of a task whose quality measure does `body`."""
    lines = [
        "import torch, gansearch",
        "from torch import nn",
        "class Mine(gansearch.Task):",
        "    latent_dim = 2",
        "    def real(self): return torch.randn(100, 2)",
        f"    def generator(self): return {generator}",
        "    def discriminator(self): return nn.Linear(2, 1)",
        f"    def quality(self, real, fake): {body}",
    ]
    (folder / "mine.py").write_text("\n".join(lines))
    return Experiment(name="mine", task=f"{folder / 'mine.py'}:Mine", training={"updates": 80})
