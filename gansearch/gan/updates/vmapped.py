"""Several networks of one architecture called as one: one kernel launch does the work of all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Copies:
    """R networks as one that takes (R, B, ...) and gives (R, B, ...), each its own row; or some of them, by `choose`.

    What is trained of them becomes the rows of a matrix, and their buffers rows of stacked tensors, which are used in
    their place: each network can still be called and saved by itself. A call raises what torch.func raises for
    operators that it cannot batch, and for random numbers drawn inside.
    """

    def __init__(self, networks: Sequence[nn.Module]):
        torch.func.vmap(torch.neg)(torch.zeros(1))  # its first call loads rules for operators that `__call__` needs
        self._one = networks[0]
        trained, kept = zip(*map(_tensors, networks), strict=True)
        self._shapes = [parameter.shape for parameter in trained[0]]
        self._sizes = [math.prod(shape) for shape in self._shapes]
        self.weights = nn.Parameter(self.matrix(trained))
        """(R, P): a network's parameters, each flattened, one after the other."""
        for parameters, row in zip(trained, self.weights.detach(), strict=True):
            for parameter, values in zip(parameters, self.parts(row), strict=True):
                parameter.data = values
        self._kept = [_stack(rows) for rows in zip(*kept, strict=True)]
        places = {id(tensor): place for place, tensor in enumerate((*trained[0], *kept[0]))}
        # The dicts of the first network that hold its tensors; tied weights are in several of them.
        self._slots: list[tuple[dict[str, Any], str, int]] = [
            (tensors, name, places[id(tensor)])
            for module in self._one.modules()
            for tensors in (module._parameters, module._buffers)
            for name, tensor in tensors.items()
            if tensor is not None
        ]
        self.choose(None)

    def choose(self, rows: Tensor | None) -> None:
        """Has calls take and train these networks alone, by number on their device; all of them with None."""
        self._rows = rows
        self.chosen = self.weights if rows is None else self.weights.detach()[rows].requires_grad_()
        """(chosen, P): the weights that calls use, which get the gradients."""
        self._fixed = self.parts(self.chosen.detach())
        self._taken = self._kept if rows is None else [tensor[rows] for tensor in self._kept]

    def __call__(self, *inputs: Tensor, **options: Any) -> Tensor:
        """(R, B, ...) each -> (R, B, ...), each row through its network; as many rows as are chosen."""
        # What torch.func.vmap does (torch/_functorch/vmap.py, `_flat_vmap`, torch 2.13) without its checks of all
        # arguments at every call: by them an update of three seeds of the ring takes 15% longer on a CPU
        # (benchmarks/stacked.py), and on a GPU it is the host that small networks wait for. A module refuses tensors
        # that are no parameters, so they go into its dicts, as in torch.func.functional_call.
        batching: Any = torch._C._functorch
        parameters = self.parts(self.chosen) if self.weights.requires_grad and torch.is_grad_enabled() else self._fixed
        rows = len(inputs[0])
        level = batching._vmap_increment_nesting(rows, "error")
        own = [tensors[name] for tensors, name, _ in self._slots]
        try:
            batched = [batching._add_batch_dim(tensor, 0, level) for tensor in (*parameters, *self._taken)]
            for tensors, name, place in self._slots:
                tensors[name] = batched[place]
            output: Tensor = self._one(*(batching._add_batch_dim(part, 0, level) for part in inputs), **options)
            result: Tensor = batching._remove_batch_dim(output, level, rows, 0)
            return result
        finally:
            for (tensors, name, _), before in zip(self._slots, own, strict=True):
                tensors[name] = before
            batching._vmap_decrement_nesting()
            if self._rows is not None:
                for tensor, taken in zip(self._kept, self._taken, strict=True):
                    tensor.index_copy_(0, self._rows, taken)

    def matrix(self, tensors: Sequence[Sequence[Tensor]]) -> Tensor:
        """(R, P) of what each network has of its trained parameters. Raises TypeError for several types of number."""
        if len(types := {one.dtype for row in tensors for one in row}) != 1:
            raise TypeError(f"networks have weights of one type at once, not of {len(types)}")
        return torch.stack([torch.cat([one.detach().flatten() for one in row]) for row in tensors])

    def parts(self, weights: Tensor) -> list[Tensor]:
        """Views of (P,) or (n, P) in the shapes of a network's trained parameters, with n in front."""
        front = weights.shape[:-1]
        return [
            part.view(*front, *shape) for part, shape in zip(weights.split(self._sizes, -1), self._shapes, strict=True)
        ]

    @torch.no_grad()
    def follow(self, network: Copies, share: float | Tensor) -> None:
        """Moves the chosen rows by a share, or by their (rows, 1) shares, of the way to another's, as `average.mix`."""
        rows = slice(None) if network._rows is None else network._rows
        self.weights[rows] = self.weights[rows].lerp(network.weights[rows], share)
        for own, now in zip(self._kept, network._kept, strict=True):
            part = now[rows]
            if own.is_floating_point() or own.is_complex():
                part = own[rows].lerp(part, columns(share, part.dim()))
            own[rows] = part

    def parameters(self) -> Iterator[nn.Parameter]:
        """The matrix of what is trained."""
        return iter([self.weights])

    def buffers(self) -> Iterator[Tensor]:
        """The stacked buffers, (R, ...) each, in the order of a network's own."""
        return iter(self._kept)

    def modules(self) -> Iterator[nn.Module]:
        """The modules that every call goes through: the first network's."""
        return self._one.modules()


def columns(values: float | Tensor, dims: int) -> float | Tensor:
    """Values of rows, (R,) or (R, 1), as they multiply tensors (R, ...) of so many dimensions; a float as it is."""
    return values.view(-1, *[1] * (dims - 1)) if isinstance(values, Tensor) else values


def trained(network: nn.Module) -> list[nn.Parameter]:
    """The parameters of a network that are trained, in its order."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _tensors(network: nn.Module) -> tuple[list[nn.Parameter], list[Tensor]]:
    """What is trained of a network, and what else it has."""
    fixed = [parameter for parameter in network.parameters() if not parameter.requires_grad]
    return trained(network), [*fixed, *network.buffers()]


def _stack(rows: Sequence[Tensor]) -> Tensor:
    """(R, ...), of which the given tensors become the rows."""
    stacked = torch.stack([row.detach() for row in rows])
    for row, values in zip(rows, stacked, strict=True):
        row.data = values
    return stacked
