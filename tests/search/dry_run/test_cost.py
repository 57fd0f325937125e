"""How many updates and evaluations a run has."""

import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.search.dry_run import cost as module
from gansearch.search.dry_run.cost import Cost, EvaluationCost, counts, first_seconds, graph_gain
from tests.gan import captures


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


def test_what_compiling_takes_is_measured_once_at_the_first_updates(monkeypatch):
    trainer = Trainer(load_task("ring", {"samples": 100, "width": 4}), Training(batch_size=4))
    clock, updates = iter((10.0, 17.5)), (trainer.d_updates, trainer.g_updates)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    assert first_seconds(trainer) == 7.5
    assert (trainer.d_updates, trainer.g_updates) == (updates[0] + 1, updates[1] + 1)


@pytest.mark.parametrize(
    ("seconds", "fields", "said"),
    [
        (0.01, {}, "training.graph: true makes updates 10.0 times as fast on this GPU"),
        (0.09, {}, ""),
        (0.01, {"graph": True}, ""),
        (0.01, {"augment": "ada"}, ""),
    ],
)
def test_graphs_are_advised_where_they_are_measured_to_be_fast(make_tiny, monkeypatch, seconds, fields, said):
    captures.pretend(monkeypatch)
    known = module.refusal_of_graphs
    monkeypatch.setattr(module, "refusal_of_graphs", lambda training, _: known(training, torch.device("cuda")))
    monkeypatch.setattr(module, "update_seconds", lambda trainer: (seconds, seconds))
    experiment, task = make_tiny(training={}), load_task("ring", {"samples": 100, "width": 4})
    training = Training(batch_size=4, **fields)
    cost = Cost(update_d=0.1, update_g=0.1, trial=1.0, seed=1.0, confirmation=1.0)
    assert graph_gain(experiment, task, training, torch.device("cpu"), cost) == said


def test_no_graphs_are_advised_where_they_go_without(make_tiny, monkeypatch):
    monkeypatch.setattr(module, "refusal_of_graphs", lambda training, device: "")
    monkeypatch.setattr(module, "update_seconds", lambda trainer: (0.01, 0.01))
    cost = Cost(update_d=0.1, update_g=0.1, trial=1.0, seed=1.0, confirmation=1.0)
    task = load_task("ring", {"samples": 100, "width": 4})
    assert graph_gain(make_tiny(training={}), task, Training(batch_size=4), torch.device("cpu"), cost) == ""
