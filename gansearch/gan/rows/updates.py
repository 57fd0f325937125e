"""The updates of several trainings at once, whose networks are rows of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from gansearch.gan.networks import Frozen
from gansearch.gan.rows.graphs import Numbers, RowGraphs
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates.capture import refusal
from gansearch.gan.updates.optimizers import optimizer_of
from gansearch.gan.updates.row_optimizer import Column, RowOptimizer
from gansearch.gan.updates.updates import Turn, Updates, Weight
from gansearch.gan.updates.vmapped import Copies, columns

_TURNS: tuple[Turn, ...] = ("d", "g", "both", "alone")


class Stacked(Updates):
    """Trainers of one task, at the same number of updates, whose networks are updated at once.

    Each trainer draws the same random numbers as it would alone, has its own learning rates, penalties, schedule and
    turns, and is probed, judged and saved by itself: its networks and the states of its optimizers are rows of those
    here. In a step all those take part whose D, or whose G, is next; the others wait for theirs. Results differ by
    rounding alone, which long training of a GAN may amplify like any change of a last bit.

    Without CUDA graphs only the rows of those that take part are computed; a graph computes all rows, and those that
    wait are then what they were.
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
        self._due = list(range(len(trainers)))
        self._columns: Mapping[str, Mapping[str, Column]] = {}
        self._chosen, self._now, self._place = self._due, self.trainers, cast(Tensor | None, None)
        self.row_graphs: RowGraphs | None = (
            RowGraphs(self, refusal(self.training, self.device)) if self.training.graph else None
        )
        for trainer in trainers:
            for graphs in (trainer.graphs, trainer.stacked.row_graphs if trainer.stacked else None):
                if graphs is not None:
                    graphs.forget()
            trainer.stacked = self

    @property
    def updates(self) -> int:
        """Updates done so far by the trainer that has done fewest."""
        return min(trainer.updates for trainer in self.trainers)

    def step(self, until: Sequence[float] = ()) -> Tensor:
        """Updates the network whose turn it is in most trainers, there; returns their losses, (due,), detached.

        Of trainers that have done their number of updates in `until` it is nobody's turn; one at least has not.
        """
        for row, trainer in enumerate(self.trainers):
            if self._turns[row] is None and not (until and trainer.updates >= until[row]):
                self._turns[row] = trainer.turn()
        turn: Turn = max(_TURNS, key=self._turns.count)
        self._due = [row for row, own in enumerate(self._turns) if own == turn]
        for row in self._due:
            self._turns[row] = None
        return self._update(turn)

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
        """One update of the due trainers' D, or of both networks; returns D's losses, (due,), detached."""
        return self._update("both" if with_generator else "d")

    def update_generator(self) -> Tensor:
        """One update of the due trainers' G, and of its average; returns G's losses, (due,), detached."""
        return self._update("g")

    def compute(self, turn: Turn, given: Mapping[str, Mapping[str, Column]]) -> list[Tensor]:
        """Makes the chosen trainers' update by these numbers, and returns their losses, G's before D's.

        Nothing is read from the host here, and nobody's updates are counted.
        """
        self._columns, self._alone, losses = given, turn == "alone", list[Tensor]()
        if turn in ("d", "both"):
            loss_d = self._gradient(self._rows_d, None, self._discriminator_loss, self._size_d)
        if turn != "d":
            with self._frozen_d:
                losses.append(self._gradient(self._rows_g, None, self._generator_loss, self._size_g))
            self._rows_g.step(self._place, given["g"])
            if self._average is not None:
                self._average.follow(self.generator, given["g"]["follow"])
        if turn in ("d", "both"):
            self._rows_d.step(self._place, given["d"])
            losses.append(loss_d)
        self._answers.clear()
        return losses

    def numbers(self, turn: Turn, rows: Sequence[int]) -> Numbers:
        """What an update of these trainers reads from the host, (rows,) each, by the network and a name.

        What none of them has is left out.
        """
        now = [self.trainers[row] for row in rows]
        of_d, of_g, shared = dict[str, Sequence[float]](), dict[str, Sequence[float]](), dict[str, Sequence[float]]()
        if turn in ("d", "both"):
            of_d |= self._rows_d.numbers(rows, [trainer.d_updates + 1 for trainer in now])
            penalties = zip(*(trainer._penalties() for trainer in now), strict=True)
            of_d |= {
                name: [cast(float, one or 0.0) for one in own]
                for name, own in zip(("r1", "r2", "gp"), penalties, strict=True)
                if any(own)
            }
            if any(trainer.training.weight_clip for trainer in now):
                of_d["bound"] = [trainer.training.weight_clip or math.inf for trainer in now]
        if turn != "d":
            of_g |= self._rows_g.numbers(rows, [trainer.g_updates + 1 for trainer in now])
            if self._average is not None:
                begun = [(t.schedule.ema, t.average) for t in now if t.average is not None]
                of_g["follow"] = [1 - ema if average.n_averaged else 1.0 for ema, average in begun]
        if self._clips:
            shared["longest"] = [trainer.training.clip_grad or math.inf for trainer in now]
        if self.training.instance_noise:
            shared["noise"] = [cast(float, trainer._noise_std(0)) for trainer in now]
        return {"d": of_d, "g": of_g, "both": shared}

    def changed(self, turn: Turn) -> list[Tensor]:
        """The tensors that an update changes, (trainers, ...) each."""
        networks: list[tuple[Copies, RowOptimizer]] = []
        networks += [(self.discriminator, self._rows_d)] if turn in ("d", "both") else []
        networks += [(self.generator, self._rows_g)] if turn != "d" else []
        copies = [one for one, _ in networks]
        copies += [self._average] if turn != "d" and self._average is not None else []
        return [
            *(tensor for one in copies for tensor in (one.weights.data, *one.buffers())),
            *(tensor for _, rows in networks for tensor in rows.tensors()),
        ]

    def gradients(self, turn: Turn) -> list[Tensor]:
        """The gradients of an update that has been made, (trainers, P) each."""
        rows = {"d": [self._rows_d], "both": [self._rows_g, self._rows_d]}.get(turn, [self._rows_g])
        return [own.gradients for own in rows]

    def choose(self, rows: Sequence[int]) -> None:
        """Has these trainers computed alone, by number; what is computed of some is of them as they are now."""
        if list(rows) == self._chosen and self._place is None:
            return
        self._chosen, self._now = list(rows), [self.trainers[row] for row in rows]
        self._place = None if len(rows) == len(self.trainers) else self._on_device(self._chosen)
        for copies in (self.discriminator, self.generator):
            copies.choose(self._place)

    def _update(self, turn: Turn) -> Tensor:
        """Makes the due trainers' update, and counts it; returns the losses of the last network, (due,)."""
        losses = self.row_graphs.update(turn, self._due) if self.row_graphs is not None else None
        if losses is None:
            self.choose(self._due)
            numbers = self.numbers(turn, self._due)
            given = {part: {name: self._column(own) for name, own in of.items()} for part, of in numbers.items()}
            losses = self.compute(turn, given)
        for network, loss in zip({"d": "d", "both": "gd"}.get(turn, "g"), losses, strict=True):
            (self._rows_d if network == "d" else self._rows_g).stepped.update(self._due)
            for row, own in zip(self._due, loss.unbind(), strict=True):
                self.trainers[row].count(network, own)
        return losses[-1]

    def _optimizers(self, copies: Copies, network: str, optimizer: str) -> RowOptimizer:
        """What makes the steps of all trainers' optimizers, by the names of these and of their networks."""
        networks, optimizers = ([getattr(trainer, name) for trainer in self.trainers] for name in (network, optimizer))
        whole = optimizer_of(self.training, copies.parameters(), 0.0, self.device)
        return RowOptimizer(copies, networks, optimizers, whole, captured=self.training.graph)

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
        given = self._columns["d"]
        r1, r2, gp = (columns(given[name], 1) if name in given else None for name in ("r1", "r2", "gp"))
        return r1, r2, gp

    def _noise_std(self, dims: int) -> float | Tensor:
        return columns(self._columns["both"]["noise"], dims)

    def _kept(self, n: int) -> int:
        return self._now[0]._kept(n)

    def _clip(self, parameters: Sequence[Tensor]) -> None:
        rows = self._rows_d if parameters[0] is self.discriminator.chosen else self._rows_g
        rows.clip(self._columns["both"]["longest"])

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(n, trainer.draws) for trainer in self._now])

    def _made(self, n: int) -> tuple[Tensor, ...]:
        batches = []
        for trainer in self._now:
            with trainer.random_state:  # a task's own code may also draw from torch's global random numbers
                batches.append(self.data.reals(n, trainer.draws))
        return tuple(torch.stack(rows) for rows in zip(*batches, strict=True))
