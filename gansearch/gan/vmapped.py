"""Several networks of one architecture called as one: one kernel launch does the work of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Copies:
    """R networks as one that takes (R, B, ...) and gives (R, B, ...), each its own row.

    Their parameters and buffers become rows of stacked tensors, which are trained instead: each network can still be
    called and saved by itself. A call raises what torch.func raises for operators that it cannot batch, and for random
    numbers drawn inside.
    """

    def __init__(self, networks: Sequence[nn.Module]):
        torch.func.vmap(torch.neg)(torch.zeros(1))  # its first call loads rules for operators that `__call__` needs
        self._one = networks[0]
        self._parameters = [_parameter(rows) for rows in zip(*(n.parameters() for n in networks), strict=True)]
        self._buffers = [_stack(rows) for rows in zip(*(n.buffers() for n in networks), strict=True)]
        stacked: dict[int, Tensor] = {}
        for tensors, all_rows in ((self._one.parameters(), self._parameters), (self._one.buffers(), self._buffers)):
            stacked.update(zip(map(id, tensors), all_rows, strict=True))
        # The dicts of the first network that hold its tensors; tied weights are in several of them.
        self._slots: list[tuple[dict[str, Any], str, Tensor]] = [
            (tensors, name, stacked[id(tensor)])
            for module in self._one.modules()
            for tensors in (module._parameters, module._buffers)
            for name, tensor in tensors.items()
            if tensor is not None
        ]

    def __call__(self, *inputs: Tensor, **options: Any) -> Tensor:
        """(R, B, ...) each -> (R, B, ...), each row through its network."""
        # What torch.func.vmap does (torch/_functorch/vmap.py, `_flat_vmap`, torch 2.13) without its checks of all
        # arguments at every call: by them an update of three seeds of the ring takes 15% longer on a CPU
        # (benchmarks/stacked.py), and on a GPU it is the host that small networks wait for. A module refuses tensors
        # that are no parameters, so they go into its dicts, as in torch.func.functional_call.
        batching: Any = torch._C._functorch
        rows = len(inputs[0])
        level = batching._vmap_increment_nesting(rows, "error")
        own = [tensors[name] for tensors, name, _ in self._slots]
        try:
            for tensors, name, tensor in self._slots:
                tensors[name] = batching._add_batch_dim(tensor, 0, level)
            output: Tensor = self._one(*(batching._add_batch_dim(part, 0, level) for part in inputs), **options)
            result: Tensor = batching._remove_batch_dim(output, level, rows, 0)
            return result
        finally:
            for (tensors, name, _), before in zip(self._slots, own, strict=True):
                tensors[name] = before
            batching._vmap_decrement_nesting()

    def parameters(self) -> Iterator[nn.Parameter]:
        """The stacked parameters, (R, ...) each, in the order of a network's own."""
        return iter(self._parameters)

    def buffers(self) -> Iterator[Tensor]:
        """The stacked buffers, (R, ...) each, in the order of a network's own."""
        return iter(self._buffers)

    def modules(self) -> Iterator[nn.Module]:
        """The modules that every call goes through: the first network's."""
        return self._one.modules()


def _parameter(rows: Sequence[nn.Parameter]) -> nn.Parameter:
    gradients = [row.grad for row in rows if row.grad is not None]
    parameter = nn.Parameter(_stack(rows), rows[0].requires_grad)
    if len(gradients) == len(rows):
        parameter.grad = torch.stack(gradients)
    return parameter


def _stack(rows: Sequence[Tensor]) -> Tensor:
    """(R, ...), of which the given tensors become the rows."""
    stacked = torch.stack([row.detach() for row in rows])
    for row, values in zip(rows, stacked, strict=True):
        row.data = values
    return stacked
