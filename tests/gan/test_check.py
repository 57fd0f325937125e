import numpy as np
import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, check_task, load_task


class Small(Task):
    latent_dim = 2

    def real(self):
        return torch.randn(100, 1, 4, 4)

    def generator(self):
        return nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)))

    def discriminator(self):
        return nn.Sequential(nn.Flatten(), nn.Linear(16, 1))


def test_the_built_in_tasks_fit():
    for name in ("ring", "grid", "digits"):
        check_task(load_task(name))


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
        ({"generator": lambda: len}, ["generator.. must give an nn.Module, not a builtin_function_or_method"]),
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
def test_networks_and_data_that_do_not_fit_are_named_with_their_shapes(methods, parts):
    for part in parts:
        with pytest.raises(TaskError, match=part):
            check_task(make(**methods))


def test_data_without_end_is_drawn_and_never_the_held_out():
    class Endless(Small):
        def real_batch(self, n, generator):
            return torch.randn(n, 1, 4, 4, generator=generator)

    task = Endless()
    check_task(task)
    trainer = Trainer(task, Training(updates=20))
    for _ in trainer.run():
        pass
    assert trainer.result().status == "complete"
