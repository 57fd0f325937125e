"""Several seeds of one configuration trained at once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from gansearch.gan.average import mix
from gansearch.gan.networks import Frozen
from gansearch.gan.optimizers import optimizer_of
from gansearch.gan.result import Probe
from gansearch.gan.seed_trainer import SeedTrainer
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates import Updates
from gansearch.gan.vmapped import Copies

MOST_WEIGHTS_ON_CPU = 50_000
"""Most weights of a network that is faster stacked on a CPU: larger ones keep a core busy (benchmarks/stacked.py)."""
_TOLERANCE = 1e-3  # of losses, gradients and buffers after an update, relative, in the 2-norm


class Stacked(Updates):
    """Trainers of one configuration with different seeds, at the same update, which are updated at once.

    Each trainer draws the same random numbers as it would alone, and is probed, judged and saved by itself: its
    networks, optimizers and losses are rows of those here. Results differ by rounding alone, which long training of a
    GAN may amplify like any change of a last bit.
    """

    generator: Copies
    discriminator: Copies
    _batch_axis = 1

    def __init__(self, trainers: Sequence[Trainer]):
        first = trainers[0]
        self.trainers = list(trainers)
        self.task, self.training, self.data, self.loss = first.task, first.training, first.data, first.loss
        self.device = first.device
        self.d_updates, self.g_updates = first.d_updates, first.g_updates
        self.discriminator = Copies([trainer.discriminator for trainer in trainers])
        self.generator = Copies([trainer.generator for trainer in trainers])
        self._frozen_d, self._frozen_g = Frozen(self.discriminator), Frozen(self.generator, gradients=False)
        self._resolve()
        self.schedule = copy.copy(first.schedule)
        rate_d, rate_g = self.schedule.rates
        self.optimizer_d = optimizer_of(self.training, self.discriminator.parameters(), rate_d, self.device)
        self.optimizer_g = optimizer_of(self.training, self.generator.parameters(), rate_g, self.device)
        _stack_state(self.optimizer_d, [trainer.optimizer_d for trainer in trainers])
        _stack_state(self.optimizer_g, [trainer.optimizer_g for trainer in trainers])
        averages = [trainer.average for trainer in trainers if trainer.average is not None]
        self._average = Copies([average.module for average in averages]) if averages else None
        self._averaged = int(averages[0].n_averaged) if averages else 0
        self.augmentation = first.augmentation  # has no state: `refusal`
        self.scaler_d, self.scaler_g = first.scaler_d, first.scaler_g  # of none: `refusal`
        self._forward_d, self._forward_g = self.discriminator, self.generator
        self._losses = tuple(  # type: ignore[assignment]
            [torch.stack(row) for row in zip(*(trainer._losses[i] for trainer in trainers), strict=True)]
            for i in range(2)
        )
        self._answers = []
        self._one_pass = all(trainer._one_pass for trainer in trainers)

    def hand_over(self) -> None:
        """Gives each trainer the state that it has reached."""
        losses = [torch.stack(steps).unbind(1) if steps else [()] * len(self.trainers) for steps in self._losses]
        for row, trainer in enumerate(self.trainers):
            trainer.d_updates, trainer.g_updates = self.d_updates, self.g_updates
            trainer.schedule = copy.copy(self.schedule)
            trainer._losses = (list(losses[0][row]), list(losses[1][row]))
            _hand_state(self.optimizer_d, trainer.optimizer_d, row)
            _hand_state(self.optimizer_g, trainer.optimizer_g, row)
            if trainer.average is not None:
                trainer.average.n_averaged.fill_(self._averaged)
        self._losses = ([], [])

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(n, trainer.draws) for trainer in self.trainers])

    def _made(self, n: int) -> tuple[Tensor, ...]:
        batches = []
        for trainer in self.trainers:
            with trainer.random_state:  # a task's own code may also draw from torch's global random numbers
                batches.append(self.data.reals(n, trainer.draws))
        return tuple(torch.stack(rows) for rows in zip(*batches, strict=True))

    def _update_average(self) -> None:
        if self._average is not None:
            mix(self._average, self.generator, self.schedule.ema if self._averaged else 0.0)
            self._averaged += 1


def run(trainers: Sequence[SeedTrainer]) -> Iterator[dict[int, Probe]]:
    """Trains all to their ends at once; yields the probes of the trained seeds, by seed.

    Several must be `Trainer`s that `refusal` has nothing against; a single one may be any. A seed that stops early
    leaves the others training. Between probes each trainer's `state()` is complete, and `run` continues from all of
    them together.
    """
    while going := [trainer for trainer in trainers if trainer.share < 1 and not trainer.stopped]:
        if len(going) == 1:
            yield from ({going[0].seed: probe} for probe in going[0].run())
            return
        together = cast(list[Trainer], going)
        stacked = Stacked(together)
        while not any(trainer.stopped for trainer in together) and stacked.updates < stacked.training.updates:
            start = time.perf_counter()
            until = together[0].next_probe()
            while stacked.updates < until:
                stacked.step()
            stacked.hand_over()
            share = (time.perf_counter() - start) / len(going)
            for trainer in together:
                trainer.seconds += share
            yield {trainer.seed: trainer.probe() for trainer in together}


def refusal(trainers: Sequence[Trainer]) -> str:
    """Why these trainers should train in turn, or "" where `run` trains them at once with the same results.

    It tries an update of each network, alone and at once, and then restores the trainers' states. After a refusal
    attributes of a user's networks that are no parameters or buffers may have changed.
    """
    first = trainers[0]
    if first.training.balance != "fixed":
        return f"balance: {first.training.balance} decides for each seed by itself"
    if first.training.augment == "ada":
        return "augment: ada follows each seed's own r_t"
    if first.training.precision != "fp32":
        return f"precision: {first.training.precision} is of one network at a time"
    if first.training.compile:
        return "compile: true is of one network at a time"
    largest = max(sum(p.numel() for p in n.parameters()) for n in (first.discriminator, first.generator))
    if first.device.type == "cpu" and largest > MOST_WEIGHTS_ON_CPU:
        return f"on a CPU networks of more than {MOST_WEIGHTS_ON_CPU:,} weights are faster in turn"
    before = [copy.deepcopy(trainer.state()) for trainer in trainers]
    attributes = _attributes(trainers)
    try:
        alone = [_try(trainer, [trainer]) for trainer in trainers]
        for trainer, state in zip(trainers, before, strict=True):
            trainer.load_state(state)
        at_once = _try(Stacked(trainers), trainers)
    except Exception as error:  # noqa: BLE001 (torch.func and the user's networks may raise anything)
        return f"{type(error).__name__}: {str(error).strip().partition('. ')[0]}"
    finally:
        for trainer, state in zip(trainers, before, strict=True):
            trainer.load_state(state)
    if _attributes(trainers) != attributes:
        return "a network keeps attributes of its own that are no buffers"
    pairs = zip((vector for (own,) in alone for vector in own), (v for own in at_once for v in own), strict=True)
    if not all((a - b).norm() <= _TOLERANCE * a.norm() for a, b in pairs):
        return "at once the networks do not compute what they compute alone"
    return ""


def _try(updates: Updates, trainers: Sequence[Trainer]) -> list[list[Tensor]]:
    """Updates each network once; returns each trainer's losses, gradients and buffers after it, a vector each."""
    with trainers[0].random_state:
        updates.update_discriminator()
        updates.update_generator()
    if isinstance(updates, Stacked):
        updates.hand_over()
    return [
        [
            torch.stack([losses[-1] for losses in trainer._losses]),
            *(_vector(p.grad for p in n.parameters() if p.grad is not None) for n in _networks(trainer)),
            *(_vector(n.buffers()) for n in _networks(trainer)),
        ]
        for trainer in trainers
    ]


def _vector(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([torch.zeros(1), *(tensor.detach().cpu().float().flatten() for tensor in tensors)])


def _networks(trainer: Trainer) -> tuple[nn.Module, nn.Module]:
    return trainer.discriminator, trainer.generator


def _attributes(trainers: Sequence[Trainer]) -> list[object]:
    """All attributes of the modules, by value where they are plain and else by identity."""
    return [
        value if isinstance(value, bool | int | float | str | None) else id(value)
        for trainer in trainers
        for network in _networks(trainer)
        for module in network.modules()
        for value in vars(module).values()
    ]


def _stack_state(stacked: torch.optim.Optimizer, alone: Sequence[torch.optim.Optimizer]) -> None:
    """Stacks the states of the rows' optimizers. Step counts and options, which all share, stay single."""
    stacked.param_groups[0] |= _options(alone[0])
    for index, parameter in enumerate(stacked.param_groups[0]["params"]):
        states = [optimizer.state[optimizer.param_groups[0]["params"][index]] for optimizer in alone]
        for name, value in states[0].items():
            stacked.state[parameter][name] = (
                value.clone() if name == "step" else torch.stack([state[name] for state in states])
            )


def _options(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The options of an optimizer's only group of parameters, such as a rate and Adam's betas."""
    return {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}


def _hand_state(stacked: torch.optim.Optimizer, alone: torch.optim.Optimizer, row: int) -> None:
    """Gives a row's optimizer its state, and its parameters their gradients."""
    alone.param_groups[0] |= _options(stacked)
    pairs = zip(stacked.param_groups[0]["params"], alone.param_groups[0]["params"], strict=True)
    for parameter, own in pairs:
        own.grad = None if parameter.grad is None else parameter.grad[row]
        for name, value in stacked.state[parameter].items():
            alone.state[own][name] = value.clone() if name == "step" else value[row]
