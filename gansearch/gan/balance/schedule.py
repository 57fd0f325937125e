"""What changes in the course of a training, and whose turn it is under the current ratio."""

from __future__ import annotations

from typing import Any

from gansearch.experiment import Training


class Schedule:
    """The current segment of a training: its `rates`, and what else changes, by the names of training's fields."""

    def __init__(self, training: Training):
        self._segments = training.segments
        self._before = training.before
        self._taken = 0
        # The D and G updates from which the ratio is counted.
        self._since = training.pretrain_steps, training.start_steps
        self._enter(0)

    def follow(self, d_updates: int, g_updates: int) -> bool:
        """Makes the changes that are due after these updates; returns whether there were any.

        A new ratio is counted from then on. Counted from the start, a change from 1 to 2 after 2,000 updates of each
        network would give D the next 2,000 turns.
        """
        updates, taken, ratio = d_updates + g_updates, self._taken, self.update_ratio
        while self._next <= updates:
            self._enter(self._taken + 1)
        if self.update_ratio != ratio and updates >= self._before:
            self._since = (d_updates, g_updates)
        return self._taken > taken

    def discriminators_turn(self, d_updates: int, g_updates: int) -> bool:
        """Whether the next update is D's, by error diffusion: with d and g done, while d < ratio · (g + 1)."""
        before_d, before_g = self._since
        return d_updates - before_d < self.update_ratio * (g_updates - before_g + 1)

    def state(self) -> dict[str, Any]:
        """Everything from which `load_state` continues; for torch.save and torch.load(weights_only=True)."""
        return {"taken": self._taken, "since": self._since}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continues from the `state()` of a schedule with the same segments so far."""
        self._since = tuple(state["since"])
        self._enter(state["taken"])

    def _enter(self, index: int) -> None:
        self._taken = index
        now = self._segments[index]
        self.rates = now.lr_d, now.lr_g
        self.update_ratio, self.target_separability = now.update_ratio, now.target_separability
        self.r1_gamma, self.r2_gamma, self.beta2, self.ema = now.r1_gamma, now.r2_gamma, now.beta2, now.ema
        self._next = self._segments[index + 1].after if index + 1 < len(self._segments) else float("inf")
