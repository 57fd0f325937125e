import pytest

from gansearch.experiment import Experiment
from gansearch.gan import Trainer
from gansearch.scripts.run.trainer import ScriptTrainer
from gansearch.scripts.task import Script, seed_trainer, task_of, visible_gpus

SCRIPT = Experiment(
    name="a", task={"command": "python train.py --lr={lr_d}"}, search={"lr_d": {"low": 1e-4, "high": 1e-3}}
)  # type: ignore[arg-type]


def test_a_script_has_a_trainer_of_its_own() -> None:
    task = task_of(SCRIPT)
    assert isinstance(task, Script)
    assert task.name == "train.py"
    assert isinstance(seed_trainer(task, SCRIPT.training), ScriptTrainer)


def test_a_task_of_ours_has_ours() -> None:
    ring = Experiment(name="b", task="ring")
    assert isinstance(seed_trainer(task_of(ring), ring.training), Trainer)


def test_gpus_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-8f")
    assert visible_gpus() == ["2", "GPU-8f"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []
