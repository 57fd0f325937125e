"""The generator of the moment at which a run was nearest."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gansearch import Experiment, train
from gansearch.gan import load_task, trainer_for
from gansearch.training.best import BestMoment


def ring(**fields) -> Experiment:
    return Experiment.model_validate(
        {"name": "x", "task": "ring", "training": {"updates": 300, "lr": 2e-3, "batch_size": 32}, **fields}
    )


def test_the_weights_of_the_smallest_distance_are_kept(tmp_path):
    trainer = trainer_for(load_task("ring"), ring().training)
    best, kept = BestMoment(), {}
    for probe in trainer.run():
        if probe.distance < best.distance:
            kept = {name: value.clone() for name, value in trainer.final_generator().state_dict().items()}
        best.note(trainer, probe.distance)
    best.note(trainer, float("nan"))
    assert best.weights.keys() == kept.keys()
    assert all(torch.equal(best.weights[name], kept[name]) for name in kept)


def test_a_moment_takes_the_generator_s_place_and_leaves_it_again():
    trainer = trainer_for(load_task("ring"), ring().training)
    best = BestMoment()
    best.note(trainer, 5.0)
    before = trainer.training_distance()
    for _ in trainer.run():
        pass
    last = {name: value.clone() for name, value in trainer.final_generator().state_dict().items()}
    with best.in_place(trainer):
        assert all(torch.equal(best.weights[n], v) for n, v in trainer.final_generator().state_dict().items())
    assert all(torch.equal(last[n], v) for n, v in trainer.final_generator().state_dict().items())
    compared = best.compared(trainer)
    assert compared.distance == pytest.approx(before, rel=0.2)
    assert compared.last_distance == trainer.training_distance(), "the same reals and latents for both"
    assert abs(compared.distance - compared.last_distance) > 0.3
    assert compared.update == 0


def test_a_run_that_was_nearest_at_its_end_was_not_nearer_before_it():
    trainer = trainer_for(load_task("ring"), ring().training)
    for _ in trainer.run():
        pass
    best = BestMoment()
    best.note(trainer, 5.0)
    compared = best.compared(trainer)
    assert (compared.update, compared.distance) == (300, compared.last_distance)


def test_both_generators_are_written_and_keep_says_whose_samples(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(BestMoment, "note", _first_only)
    with caplog.at_level(logging.WARNING):
        last = train(ring(), out=tmp_path / "last")
        best = train(ring(keep="best"), out=tmp_path / "best")
    folders = [tmp_path / name / "seed-20000" for name in ("last", "best")]
    weights = [[load_file(f / f"generator{end}.safetensors") for end in ("", "-best")] for f in folders]
    assert _same(weights[0][0], weights[1][0])
    assert _same(weights[0][1], weights[1][1])
    assert not _same(weights[0][0], weights[0][1])
    assert last.distance == best.distance  # always that of the end
    samples = [np.load(folder / "samples.npy") for folder in folders]
    assert len(samples[0]) == len(samples[1])
    assert abs(samples[1].mean(0) - samples[0].mean(0)).max() > 0.1
    said = json.loads((folders[0] / "result.json").read_text())["best"]
    assert said["update"] < 100
    assert said["distance"] != said["last_distance"]


def test_a_run_that_was_nearer_before_is_told(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("gansearch.training.train.CLEAR", -100)
    with caplog.at_level(logging.WARNING):
        train(ring(), out=tmp_path / "t")
    assert "generator-best.safetensors has that moment, a training with keep: best takes" in caplog.text


def test_an_interrupted_run_goes_on_with_its_best_moment(tmp_path, monkeypatch):
    whole = train(ring(), out=tmp_path / "whole")
    monkeypatch.setattr("gansearch.training.folder.SAVE_SECONDS", 0.0)

    def stop(seed, probe):
        if probe.update > 200:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        train(ring(), out=tmp_path / "cut", watch=stop)
    resumed = train(ring(), out=tmp_path / "cut", resume=True)
    assert resumed.distance == whole.distance
    kept = [load_file(tmp_path / f"{name}/seed-20000/generator-best.safetensors") for name in ("whole", "cut")]
    assert _same(*kept)


def _first_only(self, trainer, distance):
    """In place of `note`: the first measurement is the best."""
    if not self.weights and trainer.updates:
        generator = trainer.final_generator()
        self.update, self.distance = trainer.updates, 1.0
        self.weights = {name: value.clone() for name, value in generator.state_dict().items()}


def _same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)
