"""Points of the user's own, from a file, or one of a few toy sets."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from gansearch.gan import quality
from gansearch.gan.readers.arrays import read_points
from gansearch.gan.readers.files import whole
from gansearch.gan.task import Task, TaskError
from gansearch.gan.tasks.mixtures import Grid, Ring, perceptron

_COMPARED = 2_000
"""Points by which the coverage is measured."""
_UNEVEN = 30.0
"""Times above or below 1 from which a column's standard deviation is worth a word."""
_COARSE = 1e-2
"""Share of a column's standard deviation that may be lost in rounding."""


class Points(Task):
    """Points of any dimension in a file (npy, npz, csv, parquet), or ring, grid, spiral or moons.

    `path` is the file, or `shape` names a toy set of 10,000 points in the plane. With `standardise` each column is
    brought to mean 0 and standard deviation 1 for training; what is written and drawn is in the file's own units.
    """

    def __init__(
        self,
        path: str = "",
        shape: str = "",
        standardise: bool = False,
        width: int = 128,
        layers: int = 2,
        latent_dim: int = 16,
    ):
        if bool(path) == bool(shape):
            raise TaskError(
                "task_options.path: points needs a file, {path: FILE}, or one of the toy sets, "
                f"{{shape: {' | '.join(SHAPES)}}}" + (", not both" if path else "")
            )
        if shape and shape not in SHAPES:
            near = difflib.get_close_matches(shape, SHAPES, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise TaskError(f"task_options.shape: {shape!r} is not one of {', '.join(SHAPES)}{hint}")
        whole(width=width, layers=layers, latent_dim=latent_dim)
        self.path, self.shape, self.standardise = Path(path), shape, standardise
        self.width, self.layers, self.latent_dim = width, layers, latent_dim

    @functools.cached_property
    def _read(self) -> tuple[Tensor, int]:
        """(N, D) float64 points, and how many rows of the file were left out."""
        if self.shape:
            points, missing = SHAPES[self.shape]().double(), 0
        else:
            array, missing = read_points(self.path)
            points = torch.from_numpy(array)
        return points, missing

    @functools.cached_property
    def _units(self) -> Units:
        return Units(self._read[0])

    def real(self) -> Tensor:
        points = self._read[0]
        return ((points - self._units.mean) / self._units.spread if self.standardise else points).float()

    def undo(self) -> nn.Module | None:
        return self._units if self.standardise else None

    def generator(self) -> nn.Module:
        return perceptron(self.latent_dim, self._read[0].shape[1], self.width, self.layers)

    def discriminator(self) -> nn.Module:
        return perceptron(self._read[0].shape[1], 1, self.width, self.layers)

    def quality(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        """distance: sliced Wasserstein; coverage (k = 5)."""
        return {
            "distance": quality.sliced_wasserstein(real, fake),
            "coverage": quality.coverage(real[:_COMPARED], fake[:_COMPARED]),
        }

    def shown(self, samples: object) -> dict[str, str]:
        return {"kind": "points"}

    def warnings(self) -> list[str]:
        points, missing = self._read
        told = []
        if missing:
            told.append(
                f"{missing:,} of the {missing + len(points):,} rows of {self.path} have a number missing or infinite "
                "and are left out"
            )
        spread = points.std(0)
        same = spread.eq(0).nonzero().flatten().tolist()
        if same:
            told.append(
                f"{'column' if len(same) == 1 else 'columns'} {', '.join(map(str, same))} (counted from 0) of "
                f"{self.path} {'is' if len(same) == 1 else 'are'} the same in every row: nothing is to be learned there"
            )
        coarse = (points.abs().amax(0) * torch.finfo(torch.float32).eps > _COARSE * spread) & (spread > 0)
        if bool(coarse.any()) and not self.standardise:
            columns = coarse.nonzero().flatten().tolist()
            told.append(
                f"column {', '.join(map(str, columns))} (counted from 0) of {self.path} varies by less than 32-bit "
                "numbers of its size can tell apart: write standardise: true"
            )
        others = spread[spread > 0]
        if len(others) and not self.standardise and (others.max() > _UNEVEN or others.min() < 1 / _UNEVEN):
            told.append(
                f"the standard deviations of the columns go from {others.min():.2g} to {others.max():.2g}, and "
                "networks learn numbers of about 1 best: write standardise: true"
            )
        return told


class Units(nn.Module):
    """(B, D) standardised points -> (B, D) float64 points in the units of those given.

    In 64 bits, as a time in seconds of which only the last digits vary has no room in 32.
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, points: Tensor):
        super().__init__()
        spread = points.std(0)
        self.register_buffer("mean", points.mean(0))
        self.register_buffer("spread", torch.where(spread > 0, spread, 1))

    def forward(self, samples: Tensor) -> Tensor:
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
"""The toy sets."""
