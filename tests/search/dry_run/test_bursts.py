"""Bursts of trials: how many are tried on which GPUs, and what their processes do."""

from dataclasses import replace

import pytest

from gansearch.experiment import Resources
from gansearch.gan import TaskError
from gansearch.search.cluster.cluster import Cluster
from gansearch.search.dry_run import bursts
from gansearch.search.dry_run.estimate import Measured
from gansearch.search.dry_run.fill import Card, Fill
from gansearch.search.worker.process import Origin

GB = 10**9
MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
H100 = Card("H100", 2 * GB, 80 * GB, {1: 600.0, 2: 1000.0})
ALONE = Measured((), device="H100", gpu_memory=30 * GB, gpu_total=80 * GB)


@pytest.fixture
def measured(monkeypatch):
    """Pretends what is measured on a card; gives the numbers up to which trials were to be tried."""
    asked = []
    monkeypatch.setattr(bursts, "measure_card", lambda experiment, most: asked.append(most) or H100)
    return asked


def test_a_number_is_tried_that_cpus_and_trials_allow(make_tiny, measured):
    def most(nodes, **fields):
        measured.clear()
        fill = bursts.measure_fill(make_tiny(**fields), Cluster(nodes), in_cluster=False)
        return fill and (fill.at_once, *measured)

    two = ({"CPU": 32.0, "GPU": 2.0},)
    assert most(two, trials=100) == (2, 16)
    assert most(two, trials=100, resources={"cpus": 4}) == (2, 4)
    assert most(two, trials=5) == (2, 3)
    assert most(two, trials=100, limits={"concurrent": 2}) == (2, 1)
    assert most(({"CPU": 32.0},)) is None
    both = ({"CPU": 8.0, "GPU": 1.0, "accelerator_type:T4": 1.0}, {"CPU": 8.0, "GPU": 1.0, "accelerator_type:H100": 1})
    assert most(both, trials=100) == (2, 8, 8)
    assert most(both, trials=100, resources={"accelerator_type": "T4"}) == (2, 8)


def test_gpus_that_torch_does_not_see_get_one_trial_each(make_tiny, monkeypatch):
    monkeypatch.setattr(bursts, "measure_card", lambda experiment, most: None)
    assert bursts.measure_fill(make_tiny(), Cluster(({"CPU": 4.0, "GPU": 1.0},)), False) == Fill(1)


def test_a_card_is_tried_up_to_its_memory(make_tiny, monkeypatch):
    asked = []
    monkeypatch.setattr(bursts, "_together", lambda *given: [ALONE])
    monkeypatch.setattr(bursts, "burst", lambda experiment, origin, number: asked.append(number) or 10.0 * number)
    found = bursts.measure_card(make_tiny(), 16)
    assert (found.name, found.memory, found.total, found.rates) == ("H100", 30 * GB, 80 * GB, {1: 10.0, 2: 20.0})
    monkeypatch.setattr(bursts, "_together", lambda *given: [replace(ALONE, gpu_total=0)])
    assert bursts.measure_card(make_tiny(), 16) is None
    monkeypatch.setattr(bursts, "_together", lambda *given: ["own.py: quality() must return numbers"])
    with pytest.raises(TaskError, match="quality"):
        bursts.measure_card(make_tiny(), 16)


@pytest.mark.parametrize(
    ("results", "found"),
    [
        ([10.0, 20.0], 30.0),
        ([10.0, MEMORY, ""], None),  # the third was there to meet the others
        (["", ""], None),
        ([MEMORY, "ValueError: of the task"], "raised when it was trained:\nValueError: of the task"),
        ([MEMORY], "batch_size or the networks smaller: torch.OutOfMemoryError"),
        ([""], "its process was killed"),
    ],
)
def test_a_burst_that_does_not_fit_is_no_error(make_tiny, monkeypatch, results, found):
    monkeypatch.setattr(bursts, "_together", lambda *given: results)
    experiment = make_tiny(task="./own.py:Own", task_options={})
    if isinstance(found, str):
        with pytest.raises(TaskError, match=found):
            bursts.burst(experiment, None, len(results))
    else:
        assert bursts.burst(experiment, None, len(results)) == found


@pytest.mark.slow
def test_processes_train_at_the_same_time_and_break_off_together(make_tiny, tmp_path):
    (tmp_path / "turns").mkdir()
    experiment = make_tiny(tmp_path / "turns", {"1": "raise"})
    origin = Origin.of(experiment)
    results = bursts._together(origin, "train_together", experiment, 2)
    assert sum("no such luck" in result for result in results if isinstance(result, str)) == 1
    assert "" in results, "the other one does not wait for it"
    assert bursts.burst(experiment, origin, 2) > 10


def test_kinds_of_gpus_are_those_that_trials_may_use():
    nodes = Cluster(({"CPU": 8.0, "GPU": 2.0, "accelerator_type:T4": 1.0}, {"CPU": 4.0}, {"CPU": 3.0, "GPU": 1.0}))
    assert nodes.gpu_kinds(Resources()) == [({"accelerator_type:T4": 0.001}, 2, 4.0), ({}, 1, 3.0)]
