"""Updates as CUDA graphs: a GPU does the kernels of a small network faster than the host launches them one by one."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gansearch.gan.evaluation import Evaluated
from gansearch.gan.updates.capture import NoGraph, alike, aside, no_waits, reason, renew
from gansearch.gan.updates.updates import Turn

WARM = 3
"""Updates of a kind that are made one kernel after the other before it is captured, as torch advises."""
_MOST = 8
"""Graphs that are kept, each with memory of its own: the oldest makes room."""


@dataclass(frozen=True)
class Captured:
    """One kind of update as a graph, with the tensors that a replay leaves its results in."""

    graph: torch.cuda.CUDAGraph
    losses: list[Tensor]
    gradients: list[tuple[nn.Parameter, Tensor | None]]
    answers: list[tuple[Tensor, Tensor, Tensor]]
    """D's, as `Updates` keeps them."""
    weights: list[tuple[nn.Parameter, Tensor]]
    """The first ones of each network, and as they were, so that their memory is not given to others."""

    def is_valid(self) -> bool:
        """Whether weights are where they were: they are not after they have become rows of a matrix."""
        return all(parameter.data_ptr() == kept.data_ptr() for parameter, kept in self.weights)


class Graphs:
    """The updates of a trainer, of which each kind is captured as a CUDA graph once and then replayed.

    Updates of one kind have the turn and all those numbers in common that kernels are launched with. What changes from
    one to the next, learning rates and noise, is written to the device before a replay. Random numbers are those of
    the same updates without graphs, as torch registers both generators.

    Before a kind is replayed, two updates are made both ways from the same state. If anything raises, waits for the GPU
    or gives other numbers, weights, optimizers, random numbers and plain attributes of the networks become again what
    they were, `why` says what it was, and all later updates are made without graphs.
    """

    def __init__(self, trainer: Evaluated, draws: torch.Generator, why: str = ""):
        """Takes a trainer and its random numbers; with a `why` nothing is captured."""
        self.why = why
        """Why updates are made without graphs; empty where they are not, or while it is not known."""
        self.at_work = False
        """Whether an update is being made here: those of the trainer are without a graph then."""
        self._trainer, self._draws = weakref.proxy(trainer), draws  # a circle would keep its memory on the GPU
        self._optimizers = trainer.optimizer_d, trainer.optimizer_g
        self._captured: dict[Hashable, Captured] = {}
        self._met = Counter[Hashable]()
        self._inputs = [torch.zeros((), device=trainer.device) for _ in range(3)]
        """lr_D, lr_G and the standard deviation of D's noise."""
        self._written: list[Any] = [None] * len(self._inputs)
        if not why:
            self._stream = torch.cuda.Stream(trainer.device)

    def remark(self) -> str:
        """What the user should know; empty where updates are replayed."""
        why = self.why or ("" if self._captured else "the first three of a kind have none")
        return f"training.graph: updates are made without CUDA graphs: {why}" if why else ""

    def forget(self) -> None:
        """Has all updates captured anew, after tensors have been replaced."""
        self._captured.clear()

    def update(self, turn: Turn) -> Tensor:
        """Makes an update, by a graph where it can; returns D's loss, or G's where D has no turn."""
        self.at_work = True
        try:
            return self._update(turn)
        finally:
            self.at_work = False

    def _update(self, turn: Turn) -> Tensor:
        if self.why:
            return self._plain(turn)
        kind = self._kind(turn)
        captured = self._captured.get(kind)
        if captured is None or not captured.is_valid():
            self._met[kind] += 1
            if kind is None or self._met[kind] <= WARM:
                with aside(self._stream, self._trainer.device):
                    return self._plain(turn)
            captured = self._tried(turn)
            if captured is None:
                return self._plain(turn)
            self._captured[kind] = captured
            if len(self._captured) > _MOST:
                self._captured.pop(next(iter(self._captured)))
        losses = [loss.clone() for loss in self._replay(captured)]
        if captured.answers:
            self._trainer._answers = list(captured.answers)
            self._trainer._adapt()
        for network, loss in zip({"d": "d", "both": "gd"}.get(turn, "g"), losses, strict=True):
            self._trainer.count(network, loss)
        return losses[-1]

    def _plain(self, turn: Turn) -> Tensor:
        """The same without a graph."""
        own = self._trainer
        return own.update_generator() if turn in ("g", "alone") else own.update_discriminator(turn == "both")

    def _uncounted(self, turn: Turn) -> list[Tensor]:
        """Its losses, G's before D's, where it is no step of the training."""
        losses: list[Tensor] = []
        self._trainer._deferred = losses
        try:
            self._plain(turn)
        finally:
            self._trainer._deferred = None
        return losses

    def _kind(self, turn: Turn) -> Hashable:
        """What updates have in common that one graph can make; None where their shapes still change."""
        own = self._trainer
        falling = own.training.top_k_anneal * own.training.updates if own.training.top_k < 1 else 0
        if turn != "d" and own.updates < falling:
            return None
        penalties = own._penalties() if turn in ("d", "both") else ()
        decay = own.schedule.ema if own.average is not None and own.average.n_averaged else 0.0
        return turn, penalties, own.schedule.beta2, decay if turn != "d" else 0.0

    def _parameters(self, turn: Turn) -> list[nn.Parameter]:
        """The weights that an update changes."""
        own = {"d": self._optimizers[:1], "both": self._optimizers}.get(turn, self._optimizers[1:])
        return [parameter for optimizer in own for parameter in optimizer.param_groups[0]["params"]]

    def _replay(self, captured: Captured) -> list[Tensor]:
        """Makes the update of a graph; its losses are in tensors that the next replay overwrites."""
        now = [optimizer.param_groups[0]["lr"] for optimizer in self._optimizers]
        for place, value in enumerate([*now, self._trainer._noise_std(0)]):
            if value != self._written[place]:
                self._inputs[place].fill_(value)
                self._written[place] = value
        captured.graph.replay()
        for parameter, gradient in captured.gradients:
            parameter.grad = gradient
        return captured.losses

    def _tried(self, turn: Turn) -> Captured | None:
        """Captures an update and compares two replays with two updates; None, with `why`, where that goes wrong.

        All is afterwards as it was before.
        """
        own, captured = self._trainer, None
        with ExitStack() as afterwards:
            try:
                _move_steps(self._optimizers)
                saved = _Saved(own, self._draws)
                afterwards.callback(saved.restore)
                if own.data.on_host:
                    raise NoGraph("batches come from the host: too much data, or real_batch() makes them there")
                with aside(self._stream, self._trainer.device):
                    with no_waits():
                        expected = [self._numbers(turn, self._uncounted(turn)) for _ in range(2)]
                    if name := saved.replaced():
                        raise NoGraph(f"{name} is another one after an update; make it a buffer, changed in place")
                    saved.restore()
                    captured = self._capture(turn)
                saved.restore()
                found = [self._numbers(turn, self._replay(captured)) for _ in range(2)]
                if not alike(expected, found):
                    raise NoGraph("a replay gives other numbers than the update that was captured")
            except Exception as error:  # noqa: BLE001 (the user's networks may raise anything)
                captured, self.why = None, reason(error)
                self.forget()
                renew(self._draws)
            finally:
                own._answers = []
        return captured

    def _capture(self, turn: Turn) -> Captured:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._draws)
        # Other threads of the process may use the GPU meanwhile.
        with self._as_inputs(), torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            losses = self._uncounted(turn)
        answers, self._trainer._answers = self._trainer._answers, []
        first = [optimizer.param_groups[0]["params"][0] for optimizer in self._optimizers]
        gradients = [(p, p.grad) for p in self._parameters(turn)]
        return Captured(graph, losses, gradients, answers, [(p, p.detach()) for p in first])

    def _numbers(self, turn: Turn, losses: Sequence[Tensor]) -> Tensor:
        """The losses and gradients of an update, as a vector of its own."""
        gradients = (p.grad.flatten() for p in self._parameters(turn) if p.grad is not None)
        self._trainer._answers = []
        return torch.cat([*(loss.view(1) for loss in losses), *gradients])

    @contextmanager
    def _as_inputs(self) -> Iterator[None]:
        """Inside, an update reads learning rates and noise from the device."""
        groups = [optimizer.param_groups[0] for optimizer in self._optimizers]
        before = [dict(group) for group in groups]
        for group, rate in zip(groups, self._inputs, strict=False):
            group.update(lr=rate, capturable=True)
        self._trainer._noise = self._inputs[2]
        try:
            yield
        finally:
            self._trainer._noise = None
            for group, values in zip(groups, before, strict=True):
                group.clear()
                group.update(values)


class _Saved:
    """What an update of a trainer changes, as it is now."""

    def __init__(self, trainer: Evaluated, draws: torch.Generator):
        networks = [trainer.discriminator, trainer.generator, *filter(None, [trainer.average])]
        tensors = [tensor for network in networks for tensor in (*network.parameters(), *network.buffers())]
        states = [s for o in (trainer.optimizer_d, trainer.optimizer_g) for s in o.state.values()]
        tensors += [value for state in states for value in state.values() if isinstance(value, Tensor)]
        self._tensors = [(tensor, tensor.detach().clone()) for tensor in tensors]
        self._gradients = [(p, p.grad) for network in networks for p in network.parameters()]
        self._owners = [trainer.task, *(module for network in networks[:2] for module in network.modules())]
        self._held = [_held(owner) for owner in self._owners]
        self._draws, self._device = draws, trainer.device
        self._random = draws.get_state(), torch.get_rng_state(), torch.cuda.get_rng_state(trainer.device)

    def replaced(self) -> str:
        """The first attribute of the task or a network that is another value or tensor now; empty if none is."""
        for owner, before in zip(self._owners, self._held, strict=True):
            for name, value in _held(owner).items():
                same = value is before.get(name) or (not isinstance(value, Tensor) and value == before.get(name))
                computed = hasattr(owner, f"{name}_orig") or hasattr(owner, f"{name}_g")  # by a spectral or weight norm
                if not (same or computed):
                    return f"{type(owner).__name__}.{name}"
        return ""

    @torch.no_grad()
    def restore(self) -> None:
        """Makes all what it was, in the same tensors."""
        for tensor, value in self._tensors:
            tensor.copy_(value)
        for parameter, gradient in self._gradients:
            parameter.grad = gradient
        for owner, before in zip(self._owners, self._held, strict=True):
            for attributes in (getattr(owner, "__dict__", {}), getattr(owner, "_buffers", {})):
                attributes.update({name: one for name, one in before.items() if name in attributes})
        self._draws.set_state(self._random[0])
        torch.set_rng_state(self._random[1])
        torch.cuda.set_rng_state(self._random[2], self._device)


def _held(owner: object) -> dict[str, Any]:
    """The numbers, texts and tensors that are attributes of an object, buffers of a module included."""
    attributes = {**getattr(owner, "__dict__", {}), **getattr(owner, "_buffers", {})}
    return {name: one for name, one in attributes.items() if isinstance(one, bool | int | float | str | Tensor | None)}


def _move_steps(optimizers: Sequence[torch.optim.Optimizer]) -> None:
    """Puts the optimizers' counts of steps beside the weights, where a graph can raise them."""
    for optimizer in optimizers:
        for parameter, state in optimizer.state.items():
            if "step" in state:
                state["step"] = state["step"].to(parameter.device)
