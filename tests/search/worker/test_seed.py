"""The task of a worker is kept; its trainer has the seed, the parameters and the threads of its job."""

import torch

from gansearch.search.worker import seed as module
from gansearch.search.worker.seed import SeedJob, task_of, trainer_of


def test_the_task_is_kept_until_another_is_wanted(make_tiny, monkeypatch):
    loaded, load_task = [], module.load_task
    monkeypatch.setattr(module, "load_task", lambda *given: (loaded.append(given), load_task(*given))[1])
    module._TASKS.clear()
    first = task_of(make_tiny())
    assert task_of(make_tiny(training={"updates": 40})) is first
    assert task_of(make_tiny(seconds=0.5)) is not first
    assert len(loaded) == 2


def test_a_trainer_has_what_its_job_says(make_tiny):
    threads = torch.get_num_threads()
    try:
        trainer = trainer_of(SeedJob(make_tiny(), {"lr": 2e-3, "betas": [0, 0.9]}, 7, cpus=0.5, gpus=0, prune=True))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert (trainer.seed, trainer.device.type, trainer.prune) == (7, "cpu", True)
    assert trainer.training.rates == (2e-3, 2e-3)
