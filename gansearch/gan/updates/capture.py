"""What a capture as a CUDA graph needs: whether one is tried, what breaks it off, and whether it does the same."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan.user_code import is_users

_TOLERANCE = 1e-2  # of losses and gradients of two updates, relative, in the 2-norm: cuDNN's sums have no fixed order

_REFUSED = (
    ("compile", True, "torch.compile makes kernels of its own"),
    ("precision", "fp16", "its scaler leaves steps out; use bf16"),
    ("augment", "ada", "its probability changes as D does"),
    ("balance", "gap_aware", "D's learning rate changes within an update"),
)
"""Values of fields with which no update is captured, and why."""


def refusal(training: Training, device: torch.device) -> str:
    """Why no update of a training on a device is captured; empty where that is tried."""
    if device.type != "cuda":
        return "they are for a GPU, and this is a CPU"
    for name, value, why in _REFUSED:
        if getattr(training, name) == value:
            return f"{name}: {str(value).lower()} goes without, as {why}"
    return ""


class Captures(Protocol):
    """Updates as CUDA graphs."""

    def remark(self) -> str:
        """What the user should know; empty where updates are replayed."""

    def forget(self) -> None:
        """Has all updates captured anew."""


class NoGraph(Exception):
    """An update can be captured, but its graph would not do what the update does."""


@contextmanager
def aside(stream: torch.cuda.Stream, device: torch.device) -> Iterator[None]:
    """Inside, all is done on the stream of captures, where a capture finds what autograd keeps of updates."""
    now = torch.cuda.current_stream(device)
    stream.wait_stream(now)
    try:
        with torch.cuda.stream(stream):
            yield
    finally:
        now.wait_stream(stream)


@contextmanager
def no_waits() -> Iterator[None]:
    """Inside, RuntimeError is raised where the host waits for the GPU, which would break a capture off."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that not all waits are detected yet
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


def alike(expected: Sequence[Tensor], found: Sequence[Tensor]) -> bool:
    """Whether vectors agree but for rounding; those that are no longer finite agree with all."""
    pairs = list(zip(expected, found, strict=True))
    close = [((a - b).norm() <= _TOLERANCE * a.norm()) | ~a.isfinite().all() for a, b in pairs]
    return bool(torch.stack(close).all())


def renew(draws: torch.Generator) -> None:
    """Frees a GPU's generators of a capture that failed, in which older versions of torch leave them."""
    for generator in (torch.cuda.default_generators[draws.device.index or 0], draws):
        fresh = torch.Generator(generator.device)
        fresh.set_state(generator.get_state())
        generator.graphsafe_set_state(fresh.graphsafe_get_state())


def reason(error: Exception) -> str:
    """What went wrong, in a line, with the line of the user's code if it was there."""
    if isinstance(error, NoGraph):
        return str(error)
    first = error.__context__ or error  # the end of a capture that was broken off raises another one
    frames = [frame for frame in traceback.extract_tb(first.__traceback__) if is_users(frame.filename)]
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno}, {frames[-1].line})" if frames else ""
    message = str(first).strip().partition("\n")[0]
    return f"{type(first).__name__}: {message}{where}"
