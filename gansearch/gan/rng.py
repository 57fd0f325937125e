"""Torch's global random state, which layers such as dropout draw from: each run has its own."""

from __future__ import annotations

import torch
from torch import Tensor


class RandomState:
    """Inside `with state:` torch's global random numbers are this run's; afterwards they are what they were before."""

    def __init__(self, seed: int, device: torch.device):
        self.device = device
        outside = self._now()
        torch.manual_seed(seed)
        self.state, self._outside = self._now(), outside
        self._set(outside)

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
