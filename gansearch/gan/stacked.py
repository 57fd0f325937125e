"""Several seeds of one configuration trained at once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from gansearch.gan.networks import Frozen
from gansearch.gan.result import Probe
from gansearch.gan.seed_trainer import SeedTrainer
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates import Updates
from gansearch.gan.vmapped import Copies

MOST_WEIGHTS_ON_CPU = 50_000
"""Of a network that gains there: larger ones keep a core busy by themselves (benchmarks/stacked.py)."""
_TOLERANCE = 1e-3


class Stacked(Updates):
    """Trainers of one configuration, which differ in their seeds alone and stand at the same update, updated at once.

    Each trainer draws the same random numbers as it would alone, and is probed, judged and saved by itself: its
    networks, optimizers and losses are rows of what is trained here. What comes out differs by rounding alone, which
    long training of a GAN may amplify, at once as in turn, like any change of a last bit.
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
        self._frozen_d, self._frozen_g = Frozen(self.discriminator), Frozen(self.generator)
        self.schedule = copy.copy(first.schedule)
        rate_d, rate_g = self.schedule.rates
        self.optimizer_d = self._optimizer(self.discriminator, rate_d)
        self.optimizer_g = self._optimizer(self.generator, rate_g)
        _stack_state(self.optimizer_d, [trainer.optimizer_d for trainer in trainers])
        _stack_state(self.optimizer_g, [trainer.optimizer_g for trainer in trainers])
        self.average = _Average(trainers) if self.training.ema else None
        self._losses = tuple(  # type: ignore[assignment]
            [torch.stack(row) for row in zip(*(trainer._losses[i] for trainer in trainers), strict=True)]
            for i in range(2)
        )
        self._one_pass = all(trainer._one_pass for trainer in trainers)

    def hand_over(self) -> None:
        """Lets each trainer stand where this training does."""
        losses = [torch.stack(steps).unbind(1) if steps else [()] * len(self.trainers) for steps in self._losses]
        for row, trainer in enumerate(self.trainers):
            trainer.d_updates, trainer.g_updates = self.d_updates, self.g_updates
            trainer.schedule = copy.copy(self.schedule)
            trainer._losses = (list(losses[0][row]), list(losses[1][row]))
            _hand_state(self.optimizer_d, trainer.optimizer_d, row)
            _hand_state(self.optimizer_g, trainer.optimizer_g, row)
            if trainer.average is not None and self.average is not None:
                trainer.average.n_averaged.fill_(self.average.count)
        self._losses = ([], [])

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(n, trainer.draws) for trainer in self.trainers])

    def _batch(self) -> Tensor:
        size = self.training.batch_size
        if self.data.real is not None:
            return self.data.at(self._drawn(size, self.data.picks))
        batches = []
        for trainer in self.trainers:
            with trainer.random_state:  # a task's own code may draw from torch's global state as well
                batches.append(self.data.batch(size, trainer.draws))
        return torch.stack(batches)

    def _update_average(self) -> None:
        if self.average is not None:
            self.average.update(self.generator)


def run(trainers: Sequence[SeedTrainer]) -> Iterator[dict[int, Probe]]:
    """Trains all to their ends at once, yielding at each probe those of the seeds that were trained, by seed.

    Several must be `Trainer`s that `refusal` has nothing against; a single one may be any. A seed that stops early
    leaves the others to go on. Between probes each trainer's `state()` is whole; from all of them together this goes
    on.
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
    """Why these trainers had better take turns, or "" where `run` trains them at once with the same results.

    Found by trying: an update of each network, alone and at once. Then their states are put back; but after a refusal
    what a user's networks keep in attributes of their own may have changed.
    """
    first = trainers[0]
    if first.training.balance != "fixed":
        return f"balance: {first.training.balance} decides for each seed by itself"
    largest = max(sum(p.numel() for p in n.parameters()) for n in (first.discriminator, first.generator))
    if first.device.type == "cpu" and largest > MOST_WEIGHTS_ON_CPU:
        return f"on a CPU networks of more than {MOST_WEIGHTS_ON_CPU:,} weights are faster in turn"
    before = [copy.deepcopy(trainer.state()) for trainer in trainers]
    attributes = _attributes(trainers)
    try:
        alone = [_tried(trainer, [trainer]) for trainer in trainers]
        for trainer, state in zip(trainers, before, strict=True):
            trainer.load_state(state)
        at_once = _tried(Stacked(trainers), trainers)
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


def _tried(updates: Updates, trainers: Sequence[Trainer]) -> list[list[Tensor]]:
    """Updates each network once. Of each trainer the losses, gradients and buffers after it, a vector each."""
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
    """What the modules hold beside tensors and modules, by value where it is plain and else by identity."""
    return [
        value if isinstance(value, bool | int | float | str | None) else id(value)
        for trainer in trainers
        for network in _networks(trainer)
        for module in network.modules()
        for value in vars(module).values()
    ]


class _Average:
    """The averages of the trainers' generators, taken at once as AveragedModel takes each."""

    def __init__(self, trainers: Sequence[Trainer]):
        averages = [trainer.average for trainer in trainers if trainer.average is not None]
        self.count = int(averages[0].n_averaged)
        self._copies = Copies([average.module for average in averages])
        self._mix = get_ema_multi_avg_fn(trainers[0].training.ema)

    def update(self, generator: Copies) -> None:
        averaged, now = (
            {
                kind: [t.detach() for t in (*c.parameters(), *c.buffers()) if t.is_floating_point() == kind]
                for kind in (True, False)
            }
            for c in (self._copies, generator)
        )
        for kind in (True, False):
            if averaged[kind] and self.count:
                self._mix(averaged[kind], now[kind], self.count)
            elif averaged[kind]:
                for average, parameter in zip(averaged[kind], now[kind], strict=True):
                    average.copy_(parameter)
        self.count += 1


def _stack_state(stacked: torch.optim.Optimizer, alone: Sequence[torch.optim.Optimizer]) -> None:
    """Goes on from the optimizers of the rows. Step counts, which all share, stay single."""
    for index, parameter in enumerate(stacked.param_groups[0]["params"]):
        states = [optimizer.state[optimizer.param_groups[0]["params"][index]] for optimizer in alone]
        for name, value in states[0].items():
            stacked.state[parameter][name] = (
                value.clone() if name == "step" else torch.stack([state[name] for state in states])
            )


def _hand_state(stacked: torch.optim.Optimizer, alone: torch.optim.Optimizer, row: int) -> None:
    """The other way: a row's state and gradients become the row's optimizer's."""
    alone.param_groups[0]["lr"] = stacked.param_groups[0]["lr"]
    pairs = zip(stacked.param_groups[0]["params"], alone.param_groups[0]["params"], strict=True)
    for parameter, own in pairs:
        own.grad = None if parameter.grad is None else parameter.grad[row]
        for name, value in stacked.state[parameter].items():
            alone.state[own][name] = value.clone() if name == "step" else value[row]
