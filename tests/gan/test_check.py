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


class Needs(nn.Module):
    """A network of two inputs."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 16)

    def forward(self, inputs, labels, *, scale=1.0):
        return scale * self.linear(inputs) + labels


class Loose(nn.Module):
    """Layers in a list that torch does not see."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Flatten(), nn.Linear(16, 1)]

    def forward(self, images):
        return self.layers[1](self.layers[0](images))


class Cut(nn.Module):
    """A generator whose samples have no gradient."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 16)

    def forward(self, latents):
        return self.linear(latents).detach().view(-1, 1, 4, 4)


class Late(nn.Module):
    """A layer that is made when its width is known."""

    def __init__(self):
        super().__init__()
        self.last = None

    def forward(self, images):
        self.last = self.last or nn.Linear(images[0].numel(), 1)
        return self.last(images.flatten(1))


SHARED = nn.Sequential(nn.Linear(2, 16), nn.Unflatten(1, (1, 4, 4)))


@pytest.mark.parametrize(
    ("methods", "parts"),
    [
        (
            {"generator": Needs},
            ["the generator also needs labels, but gansearch calls generator.z. alone.*each sample's.*by labels"],
        ),
        ({"generator": lambda: nn.Sequential(Needs())}, ["the generator also needs labels"]),
        ({"discriminator": lambda: nn.Sequential(nn.Flatten(), Needs())}, ["the discriminator also needs labels"]),
        (
            {"generator": lambda: nn.ConvTranspose2d(2, 1, 4)},
            [r"takes \(B, 2, 1, 1\): put nn.Unflatten\(1, \(2, 1, 1\)\) before its first layer"],
        ),
        (
            {"generator": lambda: nn.ConvTranspose2d(100, 1, 4)},
            [r"set latent_dim = 100 and put nn.Unflatten\(1, \(100, 1, 1\)\)"],
        ),
        ({"generator": lambda: nn.ConvTranspose1d(2, 1, 4)}, [r"put nn.Unflatten\(1, \(2, 1\)\)"]),
        ({"generator": lambda: nn.Linear(2, 16)}, [r"put nn.Unflatten\(1, \(1, 4, 4\)\) behind its last layer"]),
        (
            {"generator": lambda: nn.Sequential(nn.Linear(2, 16), nn.Flatten(0))},
            ["for 4 latents, not 4 samples"],
        ),
        ({"generator": lambda: nn.GRU(2, 16)}, ["gives a tuple, not a tensor of samples alone"]),
        ({"generator": Cut}, ["samples have no gradient; leave torch.no_grad"]),
        ({"generator": lambda: SHARED}, ["must make a network at each call"]),
        ({"discriminator": Late}, ["makes layers at its first call.*nn.LazyLinear"]),
        ({"discriminator": Loose}, ["network without weights to train.*nn.ModuleList"]),
        ({"discriminator": lambda: nn.Conv2d(1, 2, 2)}, [r"outputs.mean\(\(1, 2, 3\)\)"]),
        ({"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 2))}, ["take one of them in score"]),
        ({"discriminator": lambda: nn.Sequential(nn.Conv2d(1, 1, 2), nn.Flatten(0))}, ["keep one score a sample"]),
        (
            {"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Hardsigmoid())},
            ["between 0 and 1"],
        ),
        ({"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Tanh())}, ["between -1 and 1"]),
        (
            {"real": lambda: (torch.randn(60, 1, 4, 4), torch.zeros(60))},
            ["not tuple; return the samples alone, and their labels by labels"],
        ),
        ({"real": lambda: [(torch.randn(1, 4, 4), 0)]}, ["not list; torch.stack"]),
        ({"real": lambda: exit()}, ["SystemExit"]),
        ({"generator": lambda: nn.Linear(2, 9)}, [r"\(9,\)", r"\(1, 4, 4\)"]),
        ({"discriminator": lambda: nn.Linear(9, 1)}, [r"\(1, 4, 4\)", r"\(1, 9\)"]),
        ({"discriminator": lambda: nn.Conv2d(1, 2, 1)}, [r"\(4, 2, 4, 4\)"]),
        ({"discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Sigmoid())}, ["sigmoid"]),
        ({"discriminator": Guarded}, ["ends in a sigmoid"]),
        (
            {"generator": lambda: nn.Linear(5, 16)},
            [r"given \(B, 2\) numbers, but takes \(B, 5\): set latent_dim = 5"],
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


def test_networks_of_dcgan_s_shapes_pass():
    check_task(
        make(
            generator=lambda: nn.Sequential(nn.Unflatten(1, (2, 1, 1)), nn.ConvTranspose2d(2, 1, 4)),
            discriminator=lambda: nn.Conv2d(1, 1, 4),
        )
    )


def test_lazy_layers_pass():
    check_task(make(discriminator=lambda: nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(1))))


def test_a_call_that_fails_has_no_lines_of_ours():
    with pytest.raises(TaskError) as caught:
        check_task(make(discriminator=lambda: nn.Sequential(nn.Flatten(), nn.Linear(9, 1))))
    assert "File" not in str(caught.value)


@pytest.mark.parametrize("latent_dim", ["8", None, (8, 1, 1), 0])
def test_a_latent_dim_that_is_no_number_is_refused(latent_dim):
    task = make()
    task.latent_dim = latent_dim
    with pytest.raises(TaskError, match="latent_dim must be a whole number above 0, not"):
        check_task(task)


def test_a_network_in_place_of_a_method_is_refused():
    task = make()
    task.generator = SHARED
    with pytest.raises(TaskError, match="generator must be a method that makes a network"):
        check_task(task)
