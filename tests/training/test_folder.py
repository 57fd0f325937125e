"""`gansearch train --out`: what it leaves, and going on with it."""

import signal

import numpy as np
import pandas as pd
import pytest
import torch

from gansearch import Experiment, ExperimentError, train
from gansearch.gan.trainer import Trainer
from gansearch.interrupts import Interrupted
from gansearch.store.folder import StudyError
from gansearch.training import folder as folder_module
from gansearch.training.folder import TrainedFolder

SEED = 20_000


def ring(**training) -> Experiment:
    fields = {"updates": 120, "batch_size": 16, "pretrain_steps": 5, **training}
    return Experiment(name="ring", task="ring", task_options={"samples": 400, "width": 16}, training=fields)


def interrupting(after: int):
    """Presses Ctrl-C at the first probe after so many updates."""

    def watch(seed, probe):
        if probe.update >= after:
            raise KeyboardInterrupt

    return watch


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "SAVE_SECONDS", 0.0)
    (whole,) = train(ring(), out=tmp_path / "whole").seeds
    with pytest.raises(Interrupted) as interrupted:
        train(ring(), out=tmp_path / "cut", watch=interrupting(60))
    assert interrupted.value.folder == tmp_path / "cut"
    assert not (tmp_path / "cut/seed-20000/result.json").exists()
    seen = []
    (resumed,) = train(
        ring(), out=tmp_path / "cut", watch=lambda _, probe: seen.append(probe.update), resume=True
    ).seeds
    assert min(seen) > 50, "it began anew"
    assert (resumed.distance, resumed.stability, resumed.verdict) == (whole.distance, whole.stability, whole.verdict)
    for file in ("samples", "moments"):
        assert np.array_equal(*(np.load(tmp_path / name / f"seed-20000/{file}.npy") for name in ("whole", "cut")))
    curves = [pd.read_parquet(tmp_path / name / "seed-20000/curves.parquet") for name in ("whole", "cut")]
    pd.testing.assert_frame_equal(*curves)


def test_a_second_training_into_the_folder_is_refused(tmp_path):
    with TrainedFolder(tmp_path / "out").held():
        with pytest.raises(StudyError, match="another training is writing to it"):
            train(ring(), out=tmp_path / "out", resume=True)
        assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1])
def test_a_signal_saves_a_checkpoint_at_the_next_probe(tmp_path, number):
    def interrupt(seed, probe):
        if probe.update >= 60:
            signal.raise_signal(number)

    with pytest.raises(Interrupted):
        train(ring(), out=tmp_path, watch=interrupt)
    seen = []
    train(ring(), out=tmp_path, watch=lambda _, probe: seen.append(probe.update), resume=True)
    assert min(seen) > 60


def test_a_folder_without_checkpoints_takes_another_experiment(tmp_path):
    TrainedFolder(tmp_path).begin(ring(), resume=False)
    train(ring(updates=60), out=tmp_path, resume=True)
    (tmp_path / "seed-20000/checkpoint.pt").unlink()  # they are large; the result is still that of its experiment
    with pytest.raises(ExperimentError, match="training of another experiment"):
        train(ring(updates=60, lr=0.01), out=tmp_path, resume=True)


def test_resume_reads_finished_seeds_and_trains_others(tmp_path):
    (first,) = train(ring(), out=tmp_path).seeds
    seen = set()
    both = train(ring(), seeds=2, out=tmp_path, watch=lambda seed, _: seen.add(seed), resume=True).seeds
    assert seen == {SEED + 1}
    assert (both[0].distance, both[0].sentence) == (first.distance, first.sentence)


def test_more_updates_continue_from_the_end_of_the_run(tmp_path):
    train(ring(), out=tmp_path)
    seen = []
    (longer,) = train(ring(updates=200), out=tmp_path, watch=lambda _, p: seen.append(p.update), resume=True).seeds
    assert longer.updates == 200
    assert min(seen) > 120
    assert len(pd.read_parquet(tmp_path / "seed-20000/curves.parquet")) > len(seen)


def test_a_folder_is_not_overwritten(tmp_path):
    train(ring(), out=tmp_path)
    with pytest.raises(ExperimentError, match="--resume"):
        train(ring(), out=tmp_path)
    with pytest.raises(ExperimentError, match=r"training\.lr: 0\.0002 -> 0\.001"):
        train(ring(lr=1e-3), out=tmp_path, resume=True)
    with pytest.raises(ExperimentError, match="of 120 updates, which does not become one of 60; choose another --out"):
        train(ring(updates=60), out=tmp_path, resume=True)
    with pytest.raises(ExperimentError, match="--out"):
        train(ring(), resume=True)


def test_a_truncated_checkpoint_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "SAVE_SECONDS", 0.0)
    with pytest.raises(Interrupted):
        train(ring(), out=tmp_path, watch=interrupting(60))
    checkpoint = tmp_path / "seed-20000/checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(ExperimentError, match=r"checkpoint\.pt.*delete it"):
        train(ring(), out=tmp_path, resume=True)


def test_the_generator_runs_with_torch_alone(tmp_path):
    train(ring(ema=0.9), out=tmp_path)
    generator = torch.export.load(tmp_path / "seed-20000/generator.pt2").module()
    samples = generator(torch.randn(2000, 16))
    spread = np.load(tmp_path / "seed-20000/samples.npy").std(0)
    assert samples.shape == (2000, 2)
    assert np.allclose(samples.detach().std(0), spread, rtol=0.1)


def test_samples_and_generator_have_the_units_of_the_data(tmp_path):
    points = np.random.default_rng(0).normal([5, -40], [0.1, 300], (500, 2))
    np.save(tmp_path / "points.npy", points)
    options = {"path": str(tmp_path / "points.npy"), "standardise": True}
    train(ring().model_copy(update={"task": "points", "task_options": options}), out=tmp_path / "out")
    samples = np.load(tmp_path / "out/seed-20000/samples.npy")
    generator = torch.export.load(tmp_path / "out/seed-20000/generator.pt2").module()
    for found in (samples, generator(torch.randn(2000, 16)).detach().numpy()):
        assert found[:, 0].mean() == pytest.approx(5, abs=0.5)
        assert found[:, 1].std() > 30


def test_the_conditions_of_the_samples_are_written_and_the_program_takes_others(tmp_path):
    fields = {"task": "digits", "task_options": {"condition": True, "width": 4}}
    train(ring(ema=0.5).model_copy(update=fields), out=tmp_path / "out")
    folder = tmp_path / "out/seed-20000"
    samples, labels = (np.load(folder / name) for name in ("samples.npy", "conditions.npy"))
    assert (len(samples), labels.shape, labels.dtype) == (2000, (2000,), np.int64)
    assert (np.diff(labels[:64]) >= 0).all()
    assert set(labels) == set(range(10))
    generator = torch.export.load(folder / "generator.pt2").module()
    latents = torch.randn(5, 32)
    eights, ones = (generator(latents, torch.full((5,), label)) for label in (8, 1))
    assert eights.shape == (5, 1, 8, 8)
    assert not torch.allclose(eights, ones)


def test_a_generator_that_torch_cannot_export_has_no_program(tmp_path):
    class Odd(torch.nn.Module):
        def forward(self, latent):
            return latent[: int(latent.sum().item() * 0) + len(latent)]

    assert folder_module.exported_program(Odd(), torch.randn(2, 2)) is None


def test_the_samples_begin_with_those_that_were_judged(tmp_path, monkeypatch):
    judged = []
    whole = Trainer.result

    def result(self):
        judged.append(whole(self))
        return judged[-1]

    monkeypatch.setattr(Trainer, "result", result)
    train(ring(), out=tmp_path)
    samples = np.load(tmp_path / "seed-20000/samples.npy")
    assert len(judged[0].samples) == 100
    assert len(np.unique(samples, axis=0)) == len(samples) == 2_000
    assert np.array_equal(samples[:100], judged[0].samples)


@pytest.mark.slow
def test_a_program_that_reads_a_table_reads_its_samples(tmp_path):
    draws = np.random.default_rng(0)
    table = pd.DataFrame({"Preis": draws.lognormal(3, 1, 80).round(2), "Stück": draws.integers(0, 90, 80)})
    options = {"sep": ";", "decimal": ",", "encoding": "cp1252"}
    table.to_csv(tmp_path / "a.csv", index=False, **options)
    table.astype({"Stück": "int8"}).to_parquet(tmp_path / "a.parquet")
    for name, read in (("csv", lambda file: pd.read_csv(file, **options)), ("parquet", pd.read_parquet)):
        task_options = {"path": str(tmp_path / f"a.{name}"), "width": 8}
        experiment = Experiment(name=name, task="table", task_options=task_options, training={"updates": 4})
        train(experiment, out=tmp_path / name)
        real, made = read(tmp_path / f"a.{name}"), read(tmp_path / name / f"seed-{SEED}/samples.{name}")
        assert made.dtypes.equals(real.dtypes)
        assert len(made) == 2_000
        assert made["Preis"].between(real["Preis"].min(), real["Preis"].max()).all()
