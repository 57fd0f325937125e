"""Several trainings at once: seeds of one configuration, or configurations that differ in numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch
from torch import Tensor

from gansearch.gan.networks import Frozen
from gansearch.gan.optimizers import optimizer_of
from gansearch.gan.result import Probe
from gansearch.gan.row_optimizer import Column, RowOptimizer
from gansearch.gan.seed_trainer import SeedTrainer
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates import Turn, Updates, Weight
from gansearch.gan.vmapped import Copies, columns

_TURNS: tuple[Turn, ...] = ("d", "g", "both", "alone")


class Stacked(Updates):
    """Trainers of one task, at the same number of updates, whose networks are updated at once.

    Each trainer draws the same random numbers as it would alone, has its own learning rates, penalties, schedule and
    turns, and is probed, judged and saved by itself: its networks and the states of its optimizers are rows of those
    here. In a step all those take part whose D, or whose G, is next; the others wait for theirs. Results differ by
    rounding alone, which long training of a GAN may amplify like any change of a last bit.
    """

    generator: Copies
    discriminator: Copies
    _batch_axis = 1

    def __init__(self, trainers: Sequence[Trainer]):
        first = trainers[0]
        self.trainers = list(trainers)
        self.task, self.training, self.data, self.loss = first.task, first.training, first.data, first.loss
        self.device = first.device
        self.discriminator = Copies([trainer.discriminator for trainer in trainers])
        self.generator = Copies([trainer.generator for trainer in trainers])
        self._frozen_d, self._frozen_g = Frozen(self.discriminator), Frozen(self.generator)
        self._rows_d = self._optimizers(self.discriminator, "discriminator", "optimizer_d")
        self._rows_g = self._optimizers(self.generator, "generator", "optimizer_g")
        averages = [trainer.average.module for trainer in trainers if trainer.average is not None]
        self._average = Copies(averages) if averages else None
        self.augmentation = first.augmentation  # has no state: `refusal`
        self._forward_d, self._forward_g = self.discriminator, self.generator
        self._answers = []
        self._one_pass = all(trainer._one_pass for trainer in trainers)
        self._resolve()
        self._clips = any(trainer.training.clip_grad for trainer in trainers)
        self._turns: list[Turn | None] = [None for _ in trainers]
        self._choose(range(len(trainers)))
        for trainer in trainers:
            trainer.stacked = self

    @property
    def updates(self) -> int:
        """Updates done so far by the trainer that has done fewest."""
        return min(trainer.updates for trainer in self.trainers)

    def step(self, until: Sequence[float] = ()) -> Tensor:
        """Updates the network whose turn it is in most trainers, there; returns their losses, (chosen,), detached.

        Of trainers that have done their number of updates in `until` it is nobody's turn; one at least has not.
        """
        for row, trainer in enumerate(self.trainers):
            if self._turns[row] is None and not (until and trainer.updates >= until[row]):
                self._turns[row] = trainer.turn()
        turn: Turn = max(_TURNS, key=self._turns.count)
        rows = [row for row, own in enumerate(self._turns) if own == turn]
        if rows != self._chosen or self._place is not None:
            self._choose(rows)
        for row in rows:
            self._turns[row] = None
        self._alone = turn == "alone"
        return self.update_generator() if turn in ("g", "alone") else self.update_discriminator(turn == "both")

    def advance(self, until: int) -> None:
        """Steps till every trainer has done so many updates, and gives each the state that it has reached."""
        every = [until for _ in self.trainers]
        while self.updates < until:
            self.step(every)
        self.hand_over()

    def hand_over(self) -> None:
        """Gives each trainer what of its state is kept here."""
        for row, trainer in enumerate(self.trainers):
            self._rows_d.hand_over(row, trainer.d_updates)
            self._rows_g.hand_over(row, trainer.g_updates)

    def update_discriminator(self, with_generator: bool = False) -> Tensor:
        """One update of the chosen trainers' D, or of both networks; returns D's losses, (chosen,), detached."""
        loss = self._gradient(self._rows_d, None, self._discriminator_loss, self._size_d)
        if with_generator:
            self.update_generator()
        bounds = [trainer.training.weight_clip or math.inf for trainer in self._now]
        steps = [trainer.d_updates + 1 for trainer in self._now]
        self._rows_d.step(self._chosen, self._place, steps, bounds)
        for trainer, own in zip(self._now, loss.unbind(), strict=True):
            trainer._losses[0].append(own)
            trainer.d_updates += 1
        return loss

    def update_generator(self) -> Tensor:
        """One update of the chosen trainers' G, and of its average; returns G's losses, (chosen,), detached."""
        with self._frozen_d:
            loss = self._gradient(self._rows_g, None, self._generator_loss, self._size_g)
        steps = [trainer.g_updates + 1 for trainer in self._now]
        self._rows_g.step(self._chosen, self._place, steps, [math.inf for _ in steps])
        for trainer, own in zip(self._now, loss.unbind(), strict=True):
            trainer._losses[1].append(own)
            trainer.g_updates += 1
        self._update_average()
        return loss

    def _optimizers(self, copies: Copies, network: str, optimizer: str) -> RowOptimizer:
        """What makes the steps of all trainers' optimizers, by the names of these and of their networks."""
        networks, optimizers = ([getattr(trainer, name) for trainer in self.trainers] for name in (network, optimizer))
        whole = optimizer_of(self.training, copies.parameters(), 0.0, self.device)
        return RowOptimizer(copies, networks, optimizers, whole, self._column)

    def _choose(self, rows: Sequence[int]) -> None:
        """Has updates be those of these trainers, by number."""
        self._chosen, self._now = list(rows), [self.trainers[row] for row in rows]
        self._place = None if len(rows) == len(self.trainers) else self._on_device(self._chosen)
        for copies in (self.discriminator, self.generator):
            copies.choose(self._place)

    def _column(self, values: Sequence[float]) -> Column:
        """The values of the chosen rows, (chosen, 1) on the device, or the one that all of them have."""
        if values.count(values[0]) == len(values):
            return values[0]
        return self._on_device(values).to(self.discriminator.weights.dtype).unsqueeze(1)

    def _on_device(self, values: Sequence[float]) -> Tensor:
        """Numbers of the host on the device, which it does not wait for."""
        made = torch.tensor(values, dtype=None if isinstance(values[0], int) else torch.float64)
        return made if self.device.type == "cpu" else made.pin_memory().to(self.device, non_blocking=True)

    def _penalties(self) -> tuple[Weight, Weight, Weight]:
        """The weights of the penalties of those that have any now, (chosen,), 0 for the others; None for no one's."""
        all_own = zip(*(trainer._penalties() for trainer in self._now), strict=True)
        r1, r2, gp = (columns(self._column([one or 0.0 for one in own]), 1) if any(own) else None for own in all_own)
        return r1, r2, gp

    def _noise_std(self, dims: int) -> float | Tensor:
        return columns(self._column([cast(float, trainer._noise_std(dims)) for trainer in self._now]), dims)

    def _kept(self, n: int) -> int:
        return self._now[0]._kept(n)

    def _clip(self, parameters: Sequence[Tensor]) -> None:
        rows = self._rows_d if parameters[0] is self.discriminator.chosen else self._rows_g
        rows.clip([trainer.training.clip_grad for trainer in self._now])

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(n, trainer.draws) for trainer in self._now])

    def _made(self, n: int) -> tuple[Tensor, ...]:
        batches = []
        for trainer in self._now:
            with trainer.random_state:  # a task's own code may also draw from torch's global random numbers
                batches.append(self.data.reals(n, trainer.draws))
        return tuple(torch.stack(rows) for rows in zip(*batches, strict=True))

    def _update_average(self) -> None:
        if self._average is None:
            return
        averages = [trainer.average for trainer in self._now if trainer.average is not None]
        decays = [t.schedule.ema if one.n_averaged else 0.0 for t, one in zip(self._now, averages, strict=True)]
        self._average.follow(self.generator, self._column([1 - decay for decay in decays]))
        for average in averages:
            average.n_averaged += 1


def run(trainers: Sequence[SeedTrainer]) -> Iterator[dict[int, Probe]]:
    """Trains all to their ends at once; yields the probes of those that were trained, by their places in `trainers`.

    Several must be `Trainer`s that `refusal` has nothing against; a single one may be any. One that stops early leaves
    the others training. Between probes each trainer's `state()` is complete, and `run` continues from all of them
    together.
    """
    if len(trainers) == 1:
        yield from ({0: probe} for probe in trainers[0].run())
        return
    every = cast(Sequence[Trainer], trainers)
    while going := [place for place, one in enumerate(every) if one.continues()]:
        if len(going) == 1:
            yield from ({going[0]: probe} for probe in every[going[0]].run())
            return
        these = [every[place] for place in going]
        while all(trainer.continues() for trainer in these):
            until = these[0].next_probe()
            if any(trainer.updates < until for trainer in these):
                start = time.perf_counter()
                together(these).advance(until)
                share = (time.perf_counter() - start) / len(going)
                for trainer in these:
                    trainer.seconds += share
            yield {place: trainer.probe() for place, trainer in zip(going, these, strict=True)}


def together(trainers: Sequence[Trainer]) -> Stacked:
    """The trainers at once: as they are already, or anew where one has been trained with others since."""
    known = trainers[0].stacked
    if isinstance(known, Stacked) and known.trainers == list(trainers) and all(t.stacked is known for t in trainers):
        known._turns = [None for _ in trainers]  # one may have trained by itself meanwhile
        return known
    return Stacked(trainers)
