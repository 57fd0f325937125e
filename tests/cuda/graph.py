"""Pretended CUDA graphs, on any device: what is called in a capture is noted, and called again on the same tensors.

As on CUDA, a capture changes nothing and gives no numbers (they are NaN), a replay reads what is in the tensors that
the capture has seen and writes to those that it has made, numbers of the host stay what they were, and random numbers
come from a registered generator. What would make the host wait breaks the capture off, and so does a copy of memory of
the host that is not pinned.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "unique_dim", "_unique2", "is_nonzero")
BROKEN = "CUDA error: operation not permitted when stream is capturing"


class CUDAGraph:
    """As torch.cuda.CUDAGraph."""

    made: ClassVar[list["CUDAGraph"]] = []
    """All that were captured, whole."""

    def __init__(self) -> None:
        self.generators: list[torch.Generator] = []
        self.calls: list[tuple[Callable, tuple, dict, list]] = []
        self.replays = 0

    def register_generator_state(self, generator: torch.Generator) -> None:
        self.generators.append(generator)

    @torch.no_grad()
    def replay(self) -> None:
        self.replays += 1
        for call, args, options, results in self.calls:
            for old, new in zip(results, tensors_in(call(*args, **options)), strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class graph(TorchDispatchMode):
    """As torch.cuda.graph."""

    def __init__(self, made: CUDAGraph, stream: object = None, capture_error_mode: str = "global") -> None:
        super().__init__()
        self.graph, self.before, self.own, self.broken = made, [], set(), False

    def __enter__(self):
        self.on_cuda = self.graph.generators[0].device.type == "cuda"
        self.random = [(one, one.get_state()) for one in self.graph.generators]
        self.default = torch.get_rng_state(), torch.cuda.get_rng_state()
        capturing.append(self)
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        capturing.remove(self)
        with torch.no_grad():
            for tensor, value in reversed(self.before):
                tensor.copy_(value)
            for one in (one for *_, results in self.graph.calls for one in results):
                if one.is_floating_point() and one.untyped_storage()._cdata in self.own:
                    one.fill_(torch.nan)
        for generator, state in self.random:
            generator.set_state(state)
        torch.set_rng_state(self.default[0])
        torch.cuda.set_rng_state(self.default[1])
        if self.broken:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        CUDAGraph.made.append(self.graph)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func._schema.name.partition("::")[2]
        given = tensors_in((args, kwargs))
        drawn = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Generator)]
        if self.on_cuda and not any(one.is_cuda for one in given) and "cuda" not in str(kwargs.get("device")):
            return func(*args, **kwargs)  # the host's own, done at once
        counts = name == "_local_scalar_dense" and given[0].dtype == torch.int64 and not self.on_cuda
        masked = name.startswith("index") and any(one.dtype in (torch.bool, torch.uint8) for one in given[1:])
        if (name in WAITS and not counts) or masked or self.is_unpinned(name, given, kwargs.get("device")):
            self.broken = True
            raise RuntimeError(BROKEN)
        if {one._cdata for one in drawn} - {one._cdata for one in self.graph.generators}:
            self.broken = True
            raise RuntimeError("Attempt to increase offset for a CUDA generator not in capture mode.")
        for one in written(func, name, args, kwargs):
            if one.untyped_storage()._cdata not in self.own:
                self.before.append((one, one.clone()))
        result = func(*args, **kwargs)
        results, known = tensors_in(result), {one.untyped_storage()._cdata for one in given}
        self.own |= {one.untyped_storage()._cdata for one in results} - known
        self.graph.calls.append((func, args, kwargs, results))
        return result

    def is_unpinned(self, name, given, device) -> bool:
        """Whether a copy is between the device and memory of the host that is not pinned."""
        if not self.on_cuda or name not in ("_to_copy", "copy_"):
            return False
        sides = [one.is_cuda for one in given] + ([] if device is None else [torch.device(device).type == "cuda"])
        return len(set(sides)) == 2 and not any(one.is_pinned() for one in given if not one.is_cuda)


capturing: list[graph] = []


def tensors_in(values: object) -> list[torch.Tensor]:
    """The tensors in nested tuples, lists and dicts."""
    return [one for one in tree_leaves(values) if isinstance(one, torch.Tensor)]


def written(func, name, args, kwargs) -> list[torch.Tensor]:
    """The tensors that an operation changes in place: batch norm's schema does not name its own."""
    if "batch_norm" in name:
        return tensors_in((args, kwargs))
    arguments = zip(func._schema.arguments, args, strict=False)
    named = [(one, kwargs[one.name]) for one in func._schema.arguments if one.name in kwargs]
    changed = [value for one, value in (*arguments, *named) if one.alias_info and one.alias_info.is_write]
    return tensors_in(changed)
