"""The published alternative to a held balance: D's learning rate follows the gap between its loss and an ideal D's."""

from __future__ import annotations

import torch
from torch import Tensor

_DECAY = 0.95  # of the running mean of D's loss, per D update
_SHARE = 0.1  # of the ideal loss: the gap at which the factor is at its end
_FASTEST, _SLOWEST = 2.0, 0.1


class GapAwareRate:
    """The factor of D's learning rate of Hazimeh & Ponomareva 2023 (arXiv 2302.00089), with the paper's constants.

    With V the running mean of D's loss (decay .95, from V* on) and V* the loss of the best D where fakes are like
    reals, the factor is 2^min(1, (V−V*)/.1V*) above V* and .1^min(1, (V*−V)/.1V*) below it. Where the ideal loss is 0,
    as WGAN's, the gap is measured in tenths of a score instead. The mean and the factor stay on the device.
    """

    def __init__(self, ideal: float):
        self._ideal = ideal
        self._width = _SHARE * (ideal or 1.0)
        self._mean: Tensor | None = None

    def factor(self, loss: Tensor) -> Tensor:
        """The factor () of D's learning rate, from the loss () of its update without penalties."""
        mean = torch.full_like(loss, self._ideal) if self._mean is None else self._mean
        self._mean = torch.lerp(mean, loss.detach(), 1 - _DECAY)
        gap = (self._mean - self._ideal) / self._width
        return _FASTEST ** gap.clamp(0, 1) * _SLOWEST ** (-gap).clamp(0, 1)

    def state(self) -> Tensor | None:
        """The running mean (), None before the first update."""
        return self._mean

    def load_state(self, state: Tensor | None, device: torch.device) -> None:
        """Continues from `state()`, on `device`."""
        self._mean = None if state is None else state.to(device)
