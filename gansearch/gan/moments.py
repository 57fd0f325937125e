"""Samples of the same latents at several moments of a training: what the generator learns, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan.rng import RandomState
from gansearch.gan.sample_display import MOST_BYTES, MOST_SAMPLES, display_of, undone
from gansearch.gan.seed_trainer import SeedTrainer
from gansearch.gan.task import Trainable

SHARES = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the updates after pretraining at which samples are kept, each at the next probe."""
_ALL_BYTES = 4_000_000
"""Of the samples of all moments of a run, as far as one sample a moment allows it."""
_FIRST = 8
"""Samples that are drawn at least: some networks take no batch of one."""


class Moments:
    """The samples of a run so far. They stay on its device, so that no call of `note` waits for it."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self.updates: list[int] = []
        self.samples: list[Tensor] = []
        """(K, ...) of each moment: at most 64, and at least one."""
        self._passed: int | None = None
        self._count: int | None = None

    def note(self, trainer: SeedTrainer) -> None:
        """Keep samples of now if a share has been reached since the last call, or it is the first; call it at probes.

        A loop of the user's own, whose generator is its own, has none.
        """
        generator, passed = trainer.final_generator(), sum(share <= trainer.share for share in SHARES)
        due = not self.updates or (self._passed is not None and passed > self._passed)
        self._passed = passed
        if generator is None or not due:
            return
        if self._count is None:
            self._count = len(self.samples[-1]) if self.samples else _most(_drawn(trainer, generator, _FIRST))
        if self._count:
            self.samples.append(_drawn(trainer, generator, self._count))
            self.updates.append(trainer.updates)

    def kept(self, task: Trainable) -> dict[str, Any]:
        """Return "updates", "array", (M, K, ...) in the units of the data, and how the task shows one moment's samples.

        It waits for the device.
        """
        if not self.samples:
            return {"updates": [], "array": np.empty(0), "display": {}}
        array = torch.stack([samples.cpu() for samples in self.samples]).numpy()  # those of a checkpoint are there
        array = np.stack([undone(task, one) for one in array])
        return {"updates": self.updates, "array": array, "display": display_of(task, array[-1])}

    def state(self) -> dict[str, Any]:
        """What `load_state` takes; for torch.save and torch.load(weights_only=True)."""
        return {"updates": self.updates, "samples": self.samples}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a `state()`."""
        self.updates, self.samples = list(state["updates"]), list(state["samples"])


def _most(samples: Tensor) -> int:
    """How many samples a moment has, by the size of one; none where one alone is larger than 1 MB."""
    size = max(1, samples[:1].nbytes)
    return 0 if size > MOST_BYTES else max(1, min(MOST_SAMPLES, _ALL_BYTES // (len(SHARES) * size)))


def _drawn(trainer: SeedTrainer, generator: nn.Module, count: int) -> Tensor:
    """(count, ...) samples of the same latents, conditions and noise whenever it is called in a run."""
    device, n = next(generator.parameters()).device, max(count, _FIRST)
    draws = torch.Generator(device).manual_seed(trainer.seed)
    latents = torch.randn(n, trainer.task.latent_dim, generator=draws, device=device)
    labels = trainer.conditions(n)
    generator.eval()
    with torch.no_grad(), RandomState(trainer.seed, device):
        samples: Tensor = generator(latents, *(() if labels is None else (labels,)))
    generator.train()
    return samples[:count].detach().float().clone()
