import inspect

import pytest
import torch

from gansearch.experiment import LoopTraining, Training
from gansearch.gan import Loop, LoopTrainer, SeedTrainer, Trainer, load_task, trainer_for


def loop(trial):
    for step in (1, 2):
        trial.monitor.update(torch.randn(30) + 0.4, torch.randn(30))
        trial.report(step=step, distance=1.0)


MADE = {
    Trainer: lambda: trainer_for(load_task("ring", {"width": 2}), Training(updates=2, batch_size=2), seed=3),
    LoopTrainer: lambda: trainer_for(Loop("loop.py:loop", loop, {}), LoopTraining(updates=2), seed=3),
}


@pytest.mark.parametrize("kind", MADE)
def test_each_kind_of_trainer_has_all_of_the_protocol(kind):
    trainer = MADE[kind]()
    assert type(trainer) is kind
    for name, method in inspect.getmembers(SeedTrainer, inspect.isfunction):
        if not name.startswith("_"):
            own = inspect.signature(getattr(kind, name)).parameters
            assert list(inspect.signature(method).parameters) == list(own)[: len(inspect.signature(method).parameters)]
    probes = list(trainer.run())
    assert (probes[-1].update, trainer.updates, trainer.share, trainer.stopped) == (2, 2, 1, "")
    assert (trainer.seed, trainer.remark(), trainer.task.warnings(), trainer.task.undo()) == (3, "", [], None)
    assert len(trainer.standing()) == 2
    assert trainer.seconds > 0
    assert (trainer.final_generator() is None) == (kind is LoopTrainer)
    assert trainer.samples(1).dtype == torch.float32
    again = MADE[kind]()
    again.load_state(trainer.state())
    assert (again.updates, again.standing()) == (trainer.updates, trainer.standing())
