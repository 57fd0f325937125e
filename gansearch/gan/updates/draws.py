"""What an update draws at random: batches of data, latents, noise and augmentations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gansearch.experiment import Training
from gansearch.gan.data import Data
from gansearch.gan.task import Task
from gansearch.gan.updates.augment import Augmentation


class Draws:
    """The draws of a training; all of them come through `_drawn`, which the subclasses define."""

    task: Task
    training: Training
    device: torch.device
    data: Data
    augmentation: Augmentation | None = None
    _batch_axis = 0
    _noise: Tensor | None = None  # D's noise where it is read on the device (gan/graphs.py)

    @property
    def updates(self) -> int:
        """Updates done so far."""
        raise NotImplementedError

    def _batch(self, n: int) -> tuple[Tensor, ...]:
        """(x,), or (x, y) with conditions: reals of a batch of n."""
        if self.data.real is None:
            return self._made(n)
        picks = self._drawn(n, self.data.picks)
        return self.data.at(picks), *self.data.conditions_at(picks)

    def _conditions(self, n: int) -> tuple[Tensor, ...]:
        """(y,), conditions of a batch of n fakes, drawn as the data's are."""
        return self._made(n)[1:] if self.data.real is None else self.data.conditions_at(self._drawn(n, self.data.picks))

    def _made(self, n: int) -> tuple[Tensor, ...]:
        """What `_batch` gives of data without end."""
        raise NotImplementedError

    def _latents(self, n: int) -> Tensor:
        dim = self.task.latent_dim
        return self._drawn(n, lambda n, draws: torch.randn(n, dim, generator=draws, device=self.device))

    def _augmented(self, pictures: Tensor, n: int) -> Tensor:
        assert self.augmentation is not None
        columns = self.augmentation.columns
        draws = self._drawn(n, lambda n, draws: torch.rand(n, columns, generator=draws, device=self.device))
        return self.augmentation(pictures, draws)

    def _noisy(self, samples: Tensor, n: int) -> Tensor:
        shape = samples.shape[self._batch_axis + 1 :]
        noise = self._drawn(n, lambda n, draws: torch.randn(n, *shape, generator=draws, device=self.device))
        return samples + self._noise_std(samples.dim()) * noise

    def _noise_std(self, dims: int) -> float | Tensor:
        """The standard deviation of D's noise now, to be multiplied with samples of so many dimensions."""
        if self._noise is not None:
            return self._noise
        return self.training.instance_noise * (1 - self.updates / self.training.updates)

    def _drawn(self, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """What `draw` makes for a batch of n, or of this process's part of it, with a run's random numbers."""
        raise NotImplementedError
