"""Points from a user's file, or one of a few toy sets."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.options import one_of, option_error, positive
from gansearch.gan.readers.arrays import Points as File
from gansearch.gan.readers.arrays import read_points
from gansearch.gan.readers.copies import copies_of
from gansearch.gan.task import Task
from gansearch.gan.tasks.mixtures import Grid, Ring, perceptron

_COMPARED = 2_000
"""Points by which the coverage is measured, at most."""
_UNEVEN = 30.0
"""Factor above or below 1 from which a column's standard deviation is warned of."""
_COARSE = 1e-2
"""Share of a column's standard deviation that rounding to 32 bits may take without a warning."""


@dataclass(eq=False)
class Points(Task):
    """Points of any dimension in a file (npy, npz, pt, csv, parquet), or ring, grid, spiral or moons.

    `path` is the file, or `shape` names a toy set of 10,000 points in the plane. With `standardise` each column is
    brought to mean 0 and standard deviation 1 for training; what is written and drawn is in the file's own units.
    """

    path: str = ""
    shape: str = ""
    standardise: bool = False
    width: int = 128
    layers: int = 2
    latent_dim: int = 16

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.shape):
            toys = f"{{shape: {' | '.join(SHAPES)}}}" + (", not both" if self.path else "")
            raise option_error("path", f"points needs a file, {{path: FILE}}, or one of the toy sets, {toys}")
        if self.shape:
            one_of("shape", self.shape, SHAPES)
        positive(width=self.width, layers=self.layers, latent_dim=self.latent_dim)

    @functools.cached_property
    def _data(self) -> tuple[Tensor, list[str]]:
        """The (N, D) float64 points, and the reader's warnings."""
        if self.shape:
            return SHAPES[self.shape]().double(), []
        return torch.from_numpy(self._file.values), list(self._file.warnings)

    @functools.cached_property
    def _file(self) -> File:
        return read_points(self.path)

    @functools.cached_property
    def _units(self) -> Units:
        return Units(self._data[0])

    def real(self) -> Tensor:
        """Returns the (N, D) float32 points, standardised if wanted."""
        points = self._data[0]
        return ((points - self._units.mean) / self._units.spread if self.standardise else points).float()

    def undo(self) -> nn.Module | None:
        """Returns the layer that brings points back to the file's units; None where they are not standardised."""
        return self._units if self.standardise else None

    def generator(self) -> nn.Module:
        """Returns a network (B, latent_dim) -> (B, D)."""
        return perceptron(self.latent_dim, self._data[0].shape[1], self.width, self.layers)

    def discriminator(self) -> nn.Module:
        """Returns a network (B, D) -> (B, 1)."""
        return perceptron(self._data[0].shape[1], 1, self.width, self.layers)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """Returns the sliced Wasserstein distance, and the coverage with k = 5."""
        return {
            "distance": quality.sliced_wasserstein(real, fake),
            "coverage": quality.coverage(real[:_COMPARED], fake[:_COMPARED]),
        }

    def shown(self, samples: object) -> dict[str, str]:
        """Describes (N, D) samples as points, whatever D is."""
        return {"kind": "points"}

    def sample_files(self, samples: np.ndarray) -> dict[str, bytes]:
        """Returns (N, D) samples as rows of a file such as the table that the points come from."""
        return self._file.files(samples) if self.path else {}

    def warnings(self) -> list[str]:
        """Returns the reader's warnings, and one for each way in which columns are hard to learn as they are."""
        points, warnings = self._data
        if self.path and (copies := len(copies_of(points.numpy()))):
            what = f"{copies:,} of {len(points):,} rows of {self.path} are copies of others"
            warnings = [*warnings, f"{what}: both learned and held out"]
        spread = points.std(0)
        coarse = (points.abs().amax(0) * torch.finfo(torch.float32).eps > _COARSE * spread) & (spread > 0)
        problems = [("the same in every row", "nothing can be learned there", spread == 0)]
        if not self.standardise:
            problems.append(("varying by less than the rounding of 32-bit numbers", "write standardise: true", coarse))
        for problem, advice, columns in problems:
            if columns.any():
                named = ", ".join(map(str, columns.nonzero().flatten().tolist()))
                warnings = [*warnings, f"columns of {self.path} are {problem}: {named} (counted from 0); {advice}"]
        others = spread[spread > 0]
        if len(others) and not self.standardise and (others.max() > _UNEVEN or others.min() < 1 / _UNEVEN):
            extent = f"{others.min():.2g} to {others.max():.2g}"
            advice = "networks learn numbers of about 1 best: write standardise: true"
            warnings = [*warnings, f"the standard deviations of the columns go from {extent}, and {advice}"]
        return warnings


class Units(nn.Module):
    """(B, D) standardised points -> (B, D) float64 points in the units of those given.

    In 64 bits, as 32 hold too few digits of, say, a time in seconds of which only the last digits vary.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, points: Tensor):
        super().__init__()
        spread = points.std(0)
        self.register_buffer("mean", points.mean(0))
        self.register_buffer("spread", torch.where(spread > 0, spread, 1))

    def forward(self, samples: Tensor) -> Tensor:
        """Returns (B, D) float64 points."""
        return samples.double() * self.spread + self.mean


def _spiral() -> Tensor:
    """(10,000, 2) points of two arms that wind one and a half times, within 3.5 of the middle, with noise of .1."""
    random = torch.Generator().manual_seed(0)
    turn = torch.rand(10_000, generator=random).sqrt() * 3 * math.pi
    arm = torch.stack([-turn.cos(), turn.sin()], 1) * (turn / 3)[:, None]
    side = torch.randint(2, (10_000, 1), generator=random) * 2 - 1
    return side * arm + 0.1 * torch.randn(10_000, 2, generator=random)


def _moons() -> Tensor:
    """(10,000, 2) points of scikit-learn's two half circles, with noise of .05."""
    from sklearn.datasets import make_moons

    return torch.tensor(make_moons(10_000, noise=0.05, random_state=0)[0], dtype=torch.float32)


SHAPES: dict[str, Callable[[], Tensor]] = {
    "ring": lambda: Ring().real(),
    "grid": lambda: Grid().real(),
    "spiral": _spiral,
    "moons": _moons,
}
"""The toy sets: (10,000, 2) float32 points each."""
