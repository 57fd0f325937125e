"""Torch's global random state, which layers such as dropout draw from: each run has its own."""

from __future__ import annotations

import torch
from torch import Tensor


def restore(generator: torch.Generator, state: Tensor, seed: int) -> None:
    """Continues from a generator's `get_state()`; from `seed` where that was on another kind of device.

    A GPU's random numbers cannot continue a CPU's.
    """
    if state.shape == generator.get_state().shape:
        generator.set_state(state.cpu())
    else:
        generator.manual_seed(seed)


class RandomState:
    """Inside `with state:` torch's global random numbers are this run's; afterwards they are what they were before."""

    def __init__(self, seed: int, device: torch.device):
        self.device = device
        outside = self._now()
        torch.manual_seed(seed)
        self.state, self._outside = self._now(), outside
        self._set(outside)

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continues from the `state` of another; what that has none of, or this no device for, stays as it is."""
        self.state |= {device: value for device, value in state.items() if device in self.state}

    def __enter__(self) -> None:
        self._outside = self._now()
        self._set(self.state)

    def __exit__(self, *error: object) -> None:
        self.state = self._now()
        self._set(self._outside)

    def _now(self) -> dict[str, Tensor]:
        state = {"cpu": torch.get_rng_state()}
        return {**state, "cuda": torch.cuda.get_rng_state(self.device)} if self.device.type == "cuda" else state

    def _set(self, state: dict[str, Tensor]) -> None:
        torch.set_rng_state(state["cpu"].cpu())
        if "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"].cpu(), self.device)
