"""Updates of several trainings at once as CUDA graphs: one launch for all kernels of all of them."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gansearch.gan.data import Data
from gansearch.gan.trainer import Trainer
from gansearch.gan.updates.capture import NoGraph, alike, aside, no_waits, reason, renew
from gansearch.gan.updates.row_optimizer import Column
from gansearch.gan.updates.updates import Turn

Numbers = Mapping[str, Mapping[str, Sequence[float]]]
"""What an update reads from the host, (rows,) each, by the network, "d", "g" or "both", and a name."""


class Rows(Protocol):
    """What is captured: a `Stacked`."""

    trainers: list[Trainer]
    data: Data
    device: torch.device

    def choose(self, rows: Sequence[int]) -> None:
        """Has these trainers computed alone, by number."""

    def numbers(self, turn: Turn, rows: Sequence[int]) -> Numbers:
        """What an update of these trainers reads from the host."""

    def compute(self, turn: Turn, given: Mapping[str, Mapping[str, Column]]) -> list[Tensor]:
        """Makes an update by these numbers, and returns the losses, (trainers,) each."""

    def changed(self, turn: Turn) -> list[Tensor]:
        """The tensors that an update changes, (trainers, ...) each."""

    def gradients(self, turn: Turn) -> list[Tensor]:
        """The gradients of an update that has been made, (trainers, P) each."""


@dataclass(frozen=True)
class _Captured:
    """One kind of update as a graph, with what it reads and leaves."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    """(numbers, trainers)."""
    losses: list[Tensor]


class RowGraphs:
    """The updates of a `Stacked`, of which each kind is captured as a CUDA graph once and then replayed.

    A graph computes all rows. Of those that do not take part in an update, as the other network's turn is theirs,
    weights, buffers, states and random numbers are afterwards what they were. Updates of one kind have the turn in
    common, whether all take part, and which penalties and the like there are; all numbers are read on the device.

    Before a kind is replayed, two updates are made both ways from the same state. If anything raises, waits for the GPU
    or gives other numbers, all becomes again what it was, `why` says what it was, and all later updates are made
    without graphs.
    """

    def __init__(self, rows: Rows, why: str):
        """Takes what is captured; with a `why` nothing is."""
        first = rows.trainers[0].training
        if rows.data.on_host or rows.data.real is None:
            why = why or "batches come from the host, or real_batch() makes them"
        if first.top_k < 1 and first.top_k_anneal:
            why = why or "top_k_anneal: batches become smaller"
        self.why = why
        """Why updates are made without graphs; empty where they are not, or while it is not known."""
        self._rows = weakref.proxy(rows)  # a circle would keep its memory on the GPU
        self._captured: dict[Hashable, _Captured] = {}
        if not why:
            self._stream = torch.cuda.Stream(rows.device)

    def remark(self) -> str:
        """What the user should know; empty where updates are replayed."""
        return f"training.graph: updates are made without CUDA graphs: {self.why}" if self.why else ""

    def forget(self) -> None:
        """Gives the memory of all graphs back; what is updated later is captured anew."""
        self._captured.clear()

    def update(self, turn: Turn, due: Sequence[int]) -> list[Tensor] | None:
        """Makes an update of the due trainers; returns their losses, (due,) each, G's before D's.

        None where it has to be made without a graph.
        """
        if self.why:
            return None
        rows, every = self._rows, range(len(self._rows.trainers))
        rows.choose(every)
        numbers = rows.numbers(turn, every)
        if len(due) < len(every):
            numbers = {**numbers, "rows": {"due": [float(row in due) for row in every]}}
        kind = turn, tuple((part, name) for part, of in numbers.items() for name in of)
        captured = self._captured.get(kind) or self._tried(turn, numbers)
        if captured is None:
            return None
        self._captured[kind] = captured
        waiting = [rows.trainers[row].draws for row in every if row not in due]
        states = [draws.get_state() for draws in waiting]
        _write(captured.inputs, numbers)
        captured.graph.replay()
        for draws, state in zip(waiting, states, strict=True):
            draws.set_state(state)
        losses = [loss.clone() for loss in captured.losses]  # the next replay overwrites them
        return [torch.stack([loss[row] for row in due]) for loss in losses] if waiting else losses

    def _tried(self, turn: Turn, numbers: Numbers) -> _Captured | None:
        """Captures an update and compares two replays with two updates; None, with `why`, where that goes wrong.

        All is afterwards as it was before.
        """
        rows, captured = self._rows, None
        draws = [trainer.draws for trainer in rows.trainers]
        saved, first = _Saved(rows.changed("both"), draws), rows.changed(turn)[0]
        names = [(part, name) for part, of in numbers.items() for name in of]
        inputs = torch.zeros(len(names), len(draws), dtype=first.dtype, device=first.device)
        given: dict[str, dict[str, Column]] = {part: {} for part in numbers}
        for (part, name), own in zip(names, inputs, strict=True):
            given[part][name] = own.unsqueeze(1)
        try:
            _write(inputs, numbers)
            with aside(self._stream, rows.device):
                self._made(turn, given)  # what is prepared once may wait
                saved.restore()
                with no_waits():
                    expected = [self._vectors(turn, self._made(turn, given)) for _ in range(2)]
                saved.restore()
                graph = torch.cuda.CUDAGraph()
                for one in draws:
                    graph.register_generator_state(one)
                # Other threads of the process may use the GPU meanwhile.
                with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                    losses = self._made(turn, given)
            saved.restore()
            found = []
            for _ in range(2):
                graph.replay()
                found.append(self._vectors(turn, losses))
            if not alike([row for all_rows in expected for row in all_rows], [row for one in found for row in one]):
                raise NoGraph("a replay gives other numbers than the update that was captured")
            captured = _Captured(graph, inputs, losses)
        except Exception as error:  # noqa: BLE001 (the user's networks may raise anything)
            self.why = reason(error)
            self.forget()
            for one in draws:
                renew(one)
        finally:
            saved.restore()
        return captured

    def _made(self, turn: Turn, given: Mapping[str, Mapping[str, Column]]) -> list[Tensor]:
        """Makes an update of all rows that are due, of which nothing is read from the host, and returns the losses."""
        if "rows" not in given:
            return self._rows.compute(turn, given)
        changed, due = self._rows.changed(turn), torch.as_tensor(given["rows"]["due"]) > 0
        before = [tensor.clone() for tensor in changed]
        losses = self._rows.compute(turn, given)
        with torch.no_grad():
            for tensor, old in zip(changed, before, strict=True):
                tensor.copy_(torch.where(due.view(-1, *[1] * (tensor.dim() - 1)), tensor, old))
        return losses

    def _vectors(self, turn: Turn, losses: Sequence[Tensor]) -> Sequence[Tensor]:
        """The losses and gradients of an update, a vector of its own for each row."""
        return torch.cat([*(loss.unsqueeze(1) for loss in losses), *self._rows.gradients(turn)], 1).unbind()


class _Saved:
    """Tensors and generators as they are now."""

    def __init__(self, tensors: Sequence[Tensor], draws: Sequence[torch.Generator]):
        self._tensors = [(tensor, tensor.clone()) for tensor in tensors]
        self._draws = [(one, one.get_state()) for one in draws]

    @torch.no_grad()
    def restore(self) -> None:
        """Makes all what it was, in the same tensors."""
        for tensor, value in self._tensors:
            tensor.copy_(value)
        for one, state in self._draws:
            one.set_state(state)


def _write(inputs: Tensor, numbers: Numbers) -> None:
    """Writes numbers of the host to the device, which it does not wait for."""
    made = torch.tensor([own for of in numbers.values() for own in of.values()], dtype=torch.float64).to(inputs.dtype)
    inputs.copy_(made.pin_memory() if inputs.device.type == "cuda" else made, non_blocking=True)
