"""A held balance: whose turn is next depends on how well D separates real from fake."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gansearch.stability.measures import separability

# Most updates in a row. Many of D are harmless; many of G, against a fixed D, lead away from the data.
_LONGEST_D, _LONGEST_G = 8, 2
_AGE = 3  # updates after which a running value is read, so that the device has work for two while the host waits
_DECAY = 0.9  # of the running separability, per update of either network: G's updates count as well


class BalanceController:
    """Chooses each next update so that D's running separability on the training batches stays at a target.

        controller = BalanceController(target=0.8)
        while ...:
            if controller.discriminators_turn():
                ...  # one update of D
                controller.update(real_scores, fake_scores)
            else:
                ...  # one update of G

    D has at most 8 updates in a row and G 2. The running value is computed on the scores' device and read 3 updates
    later, so that the device never runs out of work. A decision rests on a value that is 3 to 5 updates old, on a GPU
    as on a CPU, whatever their speed.

    Raises:
        ValueError: `target`, a separability, is below 0.5, or 1 and above.
    """

    def __init__(self, target: float = 0.8):
        if not 0.5 <= target < 1:
            raise ValueError(f"target must be at least 0.5 and below 1, not {target}")
        self.target = target
        self.separability = math.nan
        """The running separability as it was last read; NaN before the first time."""
        self._updates = 0  # of both networks
        self._measured_at = 0
        self._running: Tensor | None = None
        # Where an older copy could be read, a newer one can be read too.
        self._copies: deque[_Copy] = deque(maxlen=_AGE + 1)
        self._turn_d, self._in_a_row = False, 0

    def update(self, real: Tensor, fake: Tensor) -> None:
        """Takes D's scores in one of its updates: of reals and fakes, tensors of any shape and device, detached here.

        D may have more updates than it got turns, as in pretraining.
        """
        self._updates = max(self._updates, self._measured_at + 1)
        since, self._measured_at = self._updates - self._measured_at, self._updates
        now = separability(real.detach().flatten(), fake.detach().flatten())
        self._running = now if self._running is None else torch.lerp(self._running, now, 1 - _DECAY**since)
        self._copies.append(_Copy.of(self._running, self._updates))

    def discriminators_turn(self) -> bool:
        """Whether the next update is D's; each call stands for one update."""
        self._updates += 1
        while self._copies and self._copies[0].update + _AGE <= self._updates:
            self.separability = self._copies.popleft().read()
        if math.isnan(self.separability):
            turn_d = not self._turn_d
        else:
            turn_d = self.separability < self.target
            if turn_d == self._turn_d and self._in_a_row >= (_LONGEST_D if turn_d else _LONGEST_G):
                turn_d = not turn_d
        self._in_a_row = self._in_a_row + 1 if turn_d == self._turn_d else 1
        self._turn_d = turn_d
        return turn_d

    def state(self) -> dict[str, Any]:
        """Everything from which `load_state` continues exactly; for torch.save and torch.load(weights_only=True)."""
        return {
            "separability": self.separability,
            "updates": self._updates,
            "measured_at": self._measured_at,
            "running": None if self._running is None else self._running.cpu(),
            "copies": [(copy.update, copy.read()) for copy in self._copies],
            "turn": (self._turn_d, self._in_a_row),
        }

    def load_state(self, state: dict[str, Any], device: str | torch.device = "cpu") -> None:
        """Continues from the `state()` of a controller of the same target, with scores on `device`."""
        self.separability, self._updates = state["separability"], state["updates"]
        self._measured_at, running = state["measured_at"], state["running"]
        self._running = None if running is None else running.to(device)
        self._copies.clear()
        self._copies.extend(_Copy(update, torch.tensor(value), None) for update, value in state["copies"])
        self._turn_d, self._in_a_row = state["turn"]


class _Copy(NamedTuple):
    """A value on its way from the device to the host."""

    update: int
    value: Tensor
    arrived: torch.cuda.Event | None

    @classmethod
    def of(cls, value: Tensor, update: int) -> _Copy:
        if not value.is_cuda:
            return cls(update, value, None)
        copy = value.to("cpu", non_blocking=True)  # into pinned memory
        arrived = torch.cuda.Event()
        arrived.record(torch.cuda.current_stream(value.device))
        return cls(update, copy, arrived)

    def read(self) -> float:
        if self.arrived is not None:
            self.arrived.synchronize()
        return float(self.value)
