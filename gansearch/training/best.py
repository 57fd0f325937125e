"""The generator of the moment at which a run was nearest to the data, kept beside the last one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gansearch.gan import SeedTrainer


@dataclass(frozen=True)
class Compared:
    """A run's nearest moment and its end, both measured again, on other samples than the moment was chosen on."""

    update: int
    distance: float
    """Of as many training reals as there are held-out ones, from fresh fakes of that moment."""
    last_distance: float
    """The same at the end of the run."""


class BestMoment:
    """The smallest distance that was measured in a run, and the generator's weights at that moment.

    A run whose trainer keeps its networks to itself has none.
    """

    def __init__(self) -> None:
        """Nothing has been measured."""
        self.update, self.distance = -1, math.inf
        self.weights: dict[str, Tensor] = {}

    def note(self, trainer: SeedTrainer, distance: float) -> None:
        """Keep the weights of now where this distance, which may be NaN, is the smallest so far."""
        generator = trainer.final_generator() if distance < self.distance else None
        if generator is not None:
            self.update, self.distance = trainer.updates, distance
            self.weights = {name: value.detach().cpu().clone() for name, value in generator.state_dict().items()}

    def compared(self, trainer: SeedTrainer) -> Compared | None:
        """Measure this moment and the trainer's own, its last one; None where there is no such moment."""
        if not self.weights:
            return None
        last = trainer.training_distance()
        if self.update == trainer.updates:  # the end itself: two measurements of it differ by chance
            return Compared(self.update, last, last)
        with self.in_place(trainer):
            return Compared(self.update, trainer.training_distance(), last)

    @contextmanager
    def in_place(self, trainer: SeedTrainer) -> Iterator[None]:
        """Give the trainer's generator the weights of this moment, and its own again afterwards."""
        generator = trainer.final_generator()
        assert generator is not None
        last = {name: value.detach().clone() for name, value in generator.state_dict().items()}
        generator.load_state_dict(self.weights)
        try:
            yield
        finally:
            generator.load_state_dict(last)

    def state(self) -> dict[str, Any]:
        """What `load_state` takes; for torch.save and torch.load(weights_only=True)."""
        return {"update": self.update, "distance": self.distance, "weights": self.weights}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `state()`."""
        self.update, self.distance, self.weights = state["update"], state["distance"], state["weights"]
