"""Torch's defaults, which belong to the process or the thread, and which a user's code may set for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_defaults() -> Iterator[None]:
    """Has torch make float32 tensors on the CPU, as it does unless told otherwise; afterwards what it made before.

    Also a decorator of functions.
    """
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    try:
        if device.type == "cpu":
            yield
        else:
            with torch.device("cpu"):
                yield
    finally:
        torch.set_default_dtype(dtype)
