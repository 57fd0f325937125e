"""What of a training changes on the way, and whose turn it is under the ratio of the moment."""

from __future__ import annotations

from typing import Any

from gansearch.gan.settings import Training


class Schedule:
    """Where a run stands in the segments of its training; `rates`, `update_ratio`, `target_separability` are of now."""

    def __init__(self, training: Training):
        self._segments = training.segments
        self._before = training.pretrain_steps
        self._taken = 0
        self._since = (self._before, 0)  # the D and G updates from which on the ratio is counted
        self._take(0)

    def follow(self, d_updates: int, g_updates: int) -> bool:
        """Takes the changes that are due after so many updates; returns whether there were any.

        A new ratio is counted from here on. Counted from the start, a change from 1 to 2 after 2,000 updates of each
        network would give D the next 2,000 turns, to catch up with what it never was to do.
        """
        updates, taken, ratio = d_updates + g_updates, self._taken, self.update_ratio
        while self._next <= updates:
            self._take(self._taken + 1)
        if self.update_ratio != ratio and d_updates >= self._before:
            self._since = (d_updates, g_updates)
        return self._taken > taken

    def discriminators_turn(self, d_updates: int, g_updates: int) -> bool:
        """Whether the next update is D's, by error diffusion: with d and g done, while d < ratio · (g + 1)."""
        before_d, before_g = self._since
        return d_updates - before_d < self.update_ratio * (g_updates - before_g + 1)

    def state(self) -> dict[str, Any]:
        """From which another schedule that begins alike goes on exactly; for torch.save, weights only."""
        return {"taken": self._taken, "since": self._since}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._since = tuple(state["since"])
        self._take(state["taken"])

    def _take(self, index: int) -> None:
        self._taken = index
        _, rate_d, rate_g, self.update_ratio, self.target_separability = self._segments[index]
        self.rates = rate_d, rate_g
        self._next = self._segments[index + 1][0] if index + 1 < len(self._segments) else float("inf")
