"""A short training of a task."""

from collections.abc import Callable

import pytest

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer
from gansearch.gan.result import Result


@pytest.fixture
def train(monkeypatch) -> Callable[..., Result]:
    """A function that trains a task for a few updates; the referee, tested beside the trainer, is left out."""
    monkeypatch.setattr("gansearch.gan.ruling.referee", lambda *given, **options: 0.5)

    def run(task: Task, **fields) -> Result:
        trainer = Trainer(task, Training(**{"updates": 4, "batch_size": 8, **fields}))
        for _ in trainer.run():
            pass
        result = trainer.result()
        assert result.status == "complete"
        return result

    return run
