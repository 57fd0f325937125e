"""How many trials a process trains at once is measured by training them."""

import pytest
import torch

from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run import stacking as module
from gansearch.search.dry_run.dry_run import dry_run
from gansearch.search.dry_run.stack import Stack
from gansearch.search.dry_run.stacking import given_stack, measured_stack

CPUS = Cluster(({"CPU": 2.0},))


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 0.02)


def test_the_throughput_of_configurations_at_once_is_measured_up_to_the_trials_of_a_slot(make_tiny):
    torch.set_num_threads(2)
    auto = make_tiny(resources={"stack": "auto"}, trials=6)
    stack = measured_stack(auto, CPUS, False)
    assert {1, 2} == set(stack.rates)  # three trials in each of two slots
    assert all(rate > 0 for rate in stack.rates.values())
    assert stack.device == "CPU, 1 thread"
    assert 0 < stack.evaluated < 1
    assert torch.get_num_threads() == 2
    given = measured_stack(make_tiny(resources={"stack": 3}), CPUS, False)
    assert (given.at_once, set(given.rates)) == (3, {1, 3})


def test_why_none_are_at_once_is_said(make_tiny):
    held = make_tiny(resources={"stack": "auto"}, trials=6, training={"balance": "held", "updates": 20})
    stack = measured_stack(held, CPUS, False)
    assert (stack.at_once, set(stack.rates)) == (1, {1, 2})
    assert str(stack) == "each trial has a process of its own: balance: held decides for each run by itself"


def test_memory_that_several_have_not_is_no_error(make_tiny, monkeypatch):
    def together(trainers):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "together", together)
    stack = measured_stack(make_tiny(resources={"stack": "auto"}), CPUS, False)
    assert (stack.at_once, set(stack.rates)) == (1, {1})


def test_what_never_trains_at_once_is_not_measured(make_tiny, monkeypatch):
    monkeypatch.setattr(module, "measure", None)
    population = make_tiny(sampler="pbt", resources={"stack": 4}, search={"lr": {"low": 1e-4, "high": 1e-2}})
    for stack in (measured_stack(population, CPUS, False), given_stack(population, 4)):
        assert stack == Stack(1, why="members of a population change their settings as they train")
    assert given_stack(make_tiny(resources={"stack": 4}), 4) == Stack(4)


def test_check_foretells_a_sweep_of_trials_at_once(make_tiny):
    estimate = dry_run(make_tiny(resources={"stack": 4, "gpus": 0}, trials=8))
    assert estimate.slots == 4 * int(estimate.cluster.total("CPU"))
    assert f"stack: {estimate.stack}" in estimate.lines()
    assert estimate.summary()["stack"]["at_once"] == 4
