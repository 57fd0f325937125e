"""`gansearch.train`: seeds, devices and what cannot be trained."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gansearch import Experiment, ExperimentError, train
from gansearch.experiment import Resources
from gansearch.training.train import TRAIN_SEEDS, _devices


def ring(**fields) -> Experiment:
    training = {"updates": 60, "batch_size": 16}
    return Experiment(name="ring", task="ring", task_options={"samples": 400, "width": 16}, training=training, **fields)


def test_fresh_seeds_are_trained_and_summarised_by_their_medians():
    threads, probes = torch.get_num_threads(), []
    torch.set_num_threads(2)
    result = train(ring(seed=3), seeds=2, watch=lambda seed, probe: probes.append((seed, probe.update)))
    assert torch.get_num_threads() == 2, "the caller's threads are not restored"
    torch.set_num_threads(threads)
    first, second = result.seeds
    assert (first.seed, second.seed) == (3 + TRAIN_SEEDS, 4 + TRAIN_SEEDS)
    assert {seed for seed, _ in probes} == {first.seed, second.seed}
    assert result.distance == pytest.approx((first.distance + second.distance) / 2)
    assert result.healthy == [first.verdict, second.verdict].count("balanced")
    assert result.summary()["stability"] == result.stability


def test_a_searched_parameter_of_a_loop_needs_a_value():
    search = {"g_lr": {"low": 1e-4, "high": 1e-2}}
    with pytest.raises(ExperimentError, match="g_lr: searched, so without a value"):
        train(Experiment(name="loop", task="./my_loop.py:train", search=search))


@pytest.mark.slow
def test_a_table_whose_training_was_begun_earlier_goes_on_in_its_encoding(tmp_path):
    def iris(updates, **options):
        given = {"path": "sklearn:iris", "width": 8, **options}
        return Experiment(name="iris", task="table", task_options=given, training={"updates": updates})

    train(iris(20, encoding="scores"), out=tmp_path)
    (tmp_path / "format.json").write_text('{"format": 2, "gansearch": "0.2.0"}')
    (tmp_path / "experiment.yaml").write_text(iris(20).to_yaml())
    train(iris(40), out=tmp_path, resume=True)
    generator = next(tmp_path.glob("seed-*/generator.safetensors"))
    assert load_file(generator)["2.weight"].shape[0] == 4 + 3, "numbers and categories, and no choice of a width"


@pytest.mark.parametrize(
    ("gpus", "workers", "available", "devices"),
    [(0, 1, 2, ["cpu"]), (1, 1, 0, ["cpu"]), (1, 1, 2, ["cuda"]), (1, 2, 2, ["cuda:0", "cuda:1"])],
)
def test_each_worker_has_a_device(monkeypatch, gpus, workers, available, devices):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: available)
    assert _devices(Resources(gpus=gpus, workers=workers)) == devices


def test_too_few_gpus_are_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ExperimentError, match="2 are needed, one per worker, but this machine has 1"):
        _devices(Resources(gpus=1, workers=2))


def test_training_loads_no_ray():
    code = "import sys, gansearch; gansearch.train; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("out", ["s3://bucket/a", Path("s3://bucket/a"), Path("gs://bucket/a")])
def test_a_url_is_no_folder_to_train_in(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExperimentError, match=r"(gs|s3).*on this machine"):
        train(ring(), out=out)
    assert list(tmp_path.iterdir()) == []
