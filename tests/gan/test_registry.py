import sys

import numpy as np
import pytest
import torch
from torch import nn

from gansearch.gan import Task, TaskError, available_tasks, check_task, load_task, register_task
from gansearch.gan.registry import name_elsewhere
from gansearch.gan.tasks import BUILT_IN

MINE = """
import torch
from torch import nn
import gansearch.gan
from helper import WIDTH
class Mine(gansearch.gan.Task):
    latent_dim = 2
    def __init__(self, width: int = WIDTH):
        self.width = width
    def real(self):
        return torch.randn(100, 3)
    def generator(self):
        return nn.Linear(2, 3)
    def discriminator(self):
        return nn.Linear(3, 1)
"""


class Small(Task):
    latent_dim = 2

    def real(self):
        return torch.randn(100, 1, 4, 4)

    def generator(self):
        return nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)))

    def discriminator(self):
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 1))


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "helper.py").write_text("WIDTH = 7")
    path = tmp_path / "my_gan.py"
    path.write_text(MINE)
    return path


def test_the_built_in_tasks_work():
    assert set(available_tasks()) >= {"ring", "grid", "digits"}
    for name in ("ring", "grid", "digits"):
        check_task(load_task(name))


def test_a_class_in_a_file_with_a_module_beside_it(mine):
    task = load_task(f"{mine}:Mine")
    assert task.width == 7
    assert load_task(f"{mine}:Mine", {"width": 3}).width == 3
    check_task(task)


def test_a_class_in_a_package_of_the_working_directory(mine, tmp_path, monkeypatch):
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "nets.py").write_text(MINE.replace("from helper import WIDTH", "WIDTH = 9"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [path for path in sys.path if path])
    assert load_task("my_package.nets:Mine").width == 9


@pytest.mark.parametrize(
    ("spec", "options", "part"),
    [
        ("digit", {}, 'did you mean "digits"'),
        ("ring", {"radus": 2}, 'did you mean "radius"'),
        ("ring", {"std": -1}, "std: must be above 0"),
        ("ring", {"width": 0.5}, r"task_options.width: must be a whole number, not 0\.5"),
        ("ring", {"std": "wide"}, "task_options.std: must be a number, not 'wide'"),
        ("ring", {"std": True}, "task_options.std: must be a number, not True"),
        ("images", {"path": 3}, "task_options.path: must be text, not 3"),
        ("points", {"shape": "ring", "standardise": "maybe"}, "standardise: must be true or false, not 'maybe'"),
        ("no_such_module:Task", {}, "no module no_such_module"),
        ("gansearch.gan:Trainer", {}, "not a class derived"),
        ("./nothing.py:Task", {}, "there is no file"),
    ],
)
def test_what_is_wrong_is_named(spec, options, part):
    with pytest.raises(TaskError, match=part):
        load_task(spec, options)


def test_a_near_miss_of_a_class_is_suggested(mine):
    with pytest.raises(TaskError, match='did you mean "Mine"'):
        load_task(f"{mine}:Mina")


def test_a_file_that_raises_shows_its_own_line(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("import math\n\nx = math.sqrt(-1)\n")
    with pytest.raises(TaskError) as caught:
        load_task(f"{path}:Task")
    assert 'bad.py", line 3' in str(caught.value)
    assert "ValueError" in str(caught.value)
    assert "registry.py" not in str(caught.value)


def make(**methods):
    return type("Made", (Small,), {name: lambda self, value=value: value() for name, value in methods.items()})()


class Guarded(nn.Module):
    """A sigmoid in the code, not a module."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 1)

    def forward(self, images):
        return torch.sigmoid(self.linear(images.flatten(1))).squeeze(1)


@pytest.mark.parametrize(
    ("methods", "parts"),
    [
        ({"generator": lambda: nn.Linear(2, 9)}, [r"\(9,\)", r"\(1, 4, 4\)"]),
        ({"discriminator": lambda: nn.Linear(9, 1)}, [r"\(1, 4, 4\)", r"\(1, 9\)"]),
        ({"discriminator": lambda: nn.Conv2d(1, 1, 1)}, [r"\(4, 1, 4, 4\)"]),
        ({"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Sigmoid())}, ["sigmoid"]),
        ({"discriminator": Guarded}, ["ends in a sigmoid"]),
        (
            {"generator": lambda: nn.Linear(5, 16)},
            ["cannot take .B, 2. numbers, as latent_dim = 2 says:", "2x5|4x2 and 5"],
        ),
        ({"generator": lambda: print}, ["generator.. must give an nn.Module, not a builtin_function_or_method"]),
        ({"real": lambda: np.zeros((60, 1, 4, 4))}, ["not ndarray; torch.from_numpy"]),
        ({"real": lambda: torch.randn(49, 1, 4, 4)}, ["49 samples, a fifth of which is held out; at least 50"]),
        (
            {"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.LSTM(16, 1))},
            [r"gives a tuple, not scores; define score\(self, outputs\)"],
        ),
        ({"real": lambda: torch.full((50, 1, 4, 4), float("nan"))}, ["NaN"]),
        ({"real": lambda: torch.empty(0, 1, 4, 4)}, ["at least 10"]),
        ({"real": lambda: 1 / 0}, ["ZeroDivisionError"]),
    ],
)
def test_networks_and_data_that_do_not_fit_are_told_with_their_shapes(methods, parts):
    for part in parts:
        with pytest.raises(TaskError, match=part):
            check_task(make(**methods))


def test_a_registered_task_is_found_by_name(monkeypatch):
    monkeypatch.setattr("gansearch.gan.registry._TASKS", dict(BUILT_IN))  # later tests see those of the package alone
    register_task("small-for-test")(Small)
    assert isinstance(load_task("small-for-test"), Small)
    assert name_elsewhere("small-for-test") == f"{__file__}:Small"
    assert name_elsewhere("ring") == name_elsewhere("no-such-task") == ""
    with pytest.raises(TaskError, match="already"):
        register_task("ring")(Small)


def test_data_without_end_is_drawn_and_never_the_held_out():
    from gansearch.experiment import Training
    from gansearch.gan import Trainer

    class Endless(Small):
        def real_batch(self, n, generator):
            return torch.randn(n, 1, 4, 4, generator=generator)

    task = Endless()
    check_task(task)
    trainer = Trainer(task, Training(updates=20))
    for _ in trainer.run():
        pass
    assert trainer.result().status == "complete"
