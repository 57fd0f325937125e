"""Tensors on their way from a device to the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def to_host(*tensors: Tensor | None) -> list[Any]:
    """Copies tensors to the CPU, with a single wait of the host for each GPU that they are on.

    Each `.cpu()` and `float()` would wait by itself. A tensor of the CPU is returned as it is, and None as None.
    """
    copies = [None if one is None else one.to("cpu", non_blocking=one.is_cuda) for one in tensors]
    for device in {one.device for one in tensors if one is not None and one.is_cuda}:
        torch.cuda.current_stream(device).synchronize()
    return copies


def own_memory(state: Any) -> Any:
    """A state_dict in which tensors that are a part of a larger one are copies: torch.save would write all of that."""
    if isinstance(state, Tensor):
        return state if state.untyped_storage().nbytes() == state.nbytes else state.clone()
    if isinstance(state, Mapping):
        return {name: own_memory(value) for name, value in state.items()}
    return [own_memory(value) for value in state] if isinstance(state, list) else state
