"""Data without end of each kind, and the faults that planted.py plants into samples of them.

A sound source gives what its task's data are drawn from, and never the task's own samples. All is made up in code, the
digits from scikit-learn's by a slight turn, scale and shift, so that nothing is downloaded and a sound source is a
perfect generator.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.gan import Task
from gansearch.gan.data import data_of
from gansearch.gan.tasks import Audio, Digits, Images
from gansearch.gan.tasks.digits import load
from gansearch.gan.tasks.mixtures import Mixture

Source = Callable[[int, torch.Generator], Tensor]
"""(n, random numbers) -> (n, ...) samples."""

CPU = torch.device("cpu")
COPIED = 10
"""Samples of which half of all are copies."""
NOISY = 0.05
"""Share of samples that are noise."""


@dataclass(frozen=True)
class Kind:
    """One kind of data: a task, a perfect generator of it, and faulty ones."""

    name: str
    task: Task
    sound: Source
    without_mode: Source
    noise: Source
    shifted: Callable[[Tensor, float], Tensor] | None = None
    """Samples with their mean moved by so many standard deviations; None where numbers have no mean."""
    own: dict[str, Source] = field(default_factory=dict)
    """Faults of this kind alone."""

    @functools.cached_property
    def faults(self) -> dict[str, Source]:
        """Faulty generators by their faults."""
        ten = self.sound(COPIED, torch.Generator().manual_seed(1_000))
        data = data_of(self.task, CPU)
        found = {
            "a mode missing": self.without_mode,
            "half the samples copies of ten": mixed(
                self.sound, lambda n, draws: ten[torch.randint(COPIED, (n,), generator=draws)], 0.5
            ),
            "copies of training samples": data.batch,
            "5% noise": mixed(self.sound, self.noise, NOISY),
            "noise alone": self.noise,
        }
        if self.shifted is not None:
            found["the mean shifted by ¼ of a standard deviation"] = changed(self.sound, self.shifted, 0.25)
            found["the mean shifted by a standard deviation"] = changed(self.sound, self.shifted, 1.0)
        return found | self.own


def changed(sound: Source, change: Callable[..., Tensor], *given: object) -> Source:
    """A source whose samples are changed."""
    return lambda n, draws: change(sound(n, draws), *given)


def mixed(sound: Source, other: Source, share: float) -> Source:
    """A source that gives a sample of the other one in `share` of all cases."""

    def source(n: int, draws: torch.Generator) -> Tensor:
        samples = sound(n, draws).clone()
        others = torch.rand(n, generator=draws) < share
        samples[others] = other(int(others.sum()), draws)
        return samples

    return source


def moved(spread: Tensor) -> Callable[[Tensor, float], Tensor]:
    """Moves samples by a number of standard deviations, which are of their shape, or one number."""
    return lambda samples, deviations: samples + deviations * spread


def uniform(like: Tensor) -> Source:
    """Numbers that are evenly spread over the range of each column of (N, W) samples."""
    low, high = like.amin(0), like.amax(0)
    return lambda n, draws: low + (high - low) * torch.rand(n, like.shape[1], generator=draws)


def shuffled(samples: Tensor, column: int) -> Tensor:
    """(N, W) samples whose column is independent of the others, because it is that of another row: of the next one."""
    samples = samples.clone()
    samples[:, column] = samples[:, column].roll(1)
    return samples


def points(task: Mixture) -> Kind:
    """A mixture of Gaussians in the plane, as the tasks ring and grid have it."""

    def sound(n: int, draws: torch.Generator, missing: int = 0, width: float = 1.0) -> Tensor:
        which = torch.randint(len(task.centres) - missing, (n,), generator=draws)
        return task.centres[which] + width * task.std * torch.randn(n, 2, generator=draws)

    name, real = type(task).__name__.lower(), task.real()
    # On the grid the columns are independent in the data.
    own = {"a column independent of the others": changed(sound, shuffled, 0)} if name == "ring" else {}
    own["the modes twice as wide"] = functools.partial(sound, width=2.0)
    return Kind(name, task, sound, functools.partial(sound, missing=1), uniform(real), moved(real.std(0)), own)


@dataclass(eq=False)
class TurnedDigits(Digits):
    """As many digits as scikit-learn has, each turned, scaled and shifted a little."""

    def real(self) -> Tensor:
        return turned(1_797, torch.Generator().manual_seed(0))


def turned(n: int, draws: torch.Generator, missing: int = 0) -> Tensor:
    """(n, 1, 8, 8) digits in [-1, 1], turned, scaled and shifted a little; without those from `10 - missing` on."""
    images, labels = load()
    images = images[labels < 10 - missing]
    images = images[torch.randint(len(images), (n,), generator=draws)]
    angle, scale, *shift = (2 * torch.rand(4, n, generator=draws) - 1) * torch.tensor([[0.15], [0.06], [0.1], [0.1]])
    cos, sin = (1 + scale) * angle.cos(), (1 + scale) * angle.sin()
    affine = torch.stack([torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)], 1)
    places = F.affine_grid(affine, [n, 1, 8, 8], align_corners=False)
    return F.grid_sample(images + 1, places, align_corners=False) - 1


def brighter(spread: float) -> Callable[[Tensor, float], Tensor]:
    """Moves pixels by a number of their standard deviations; they stay in [-1, 1]."""
    return lambda images, deviations: (images + deviations * spread).clamp(-1, 1)


def digits() -> Kind:
    """Handwritten digits, in grey."""
    spread = float(load()[0].std())
    return Kind(
        "digits",
        TurnedDigits(),
        turned,
        functools.partial(turned, missing=1),
        lambda n, draws: 2 * torch.rand(n, 1, 8, 8, generator=draws) - 1,
        brighter(spread),
    )


@dataclass(eq=False)
class Landscapes(Images):
    """Made-up landscapes in colour, (2000, 3, 16, 16)."""

    path: str = "made up in code"
    size: int = 16
    width: int = 16
    channels = 3  # type: ignore[assignment]

    def real(self) -> Tensor:
        return landscapes(2_000, torch.Generator().manual_seed(0))

    def unpacked(self, stored: Tensor) -> Tensor:
        return stored


SKIES = torch.tensor([[-0.4, 0.1, 0.9], [0.9, 0.2, -0.5], [-0.9, -0.8, -0.3], [0.5, 0.5, 0.6]])
GROUNDS = torch.tensor([[-0.6, 0.4, -0.7], [-0.7, -0.5, 0.1], [-0.7, -0.6, -0.8], [0.9, 0.9, 0.9]])
"""Red, green and blue of a meadow by day, the sea at dusk, a town by night, and snow."""
PLACES = torch.tensor([[7.0, 6.0], [2.0, 12.0], [1.0, 5.0]])[..., None, None, None]
"""Where the horizon and the sun may be: the least row or column, and how many more."""


def landscapes(n: int, draws: torch.Generator, missing: int = 0) -> Tensor:
    """(n, 3, 16, 16) images in [-1, 1]: sky, ground and a sun, in the colours of four scenes."""
    scene = torch.randint(len(SKIES) - missing, (n,), generator=draws)
    tint = 0.1 * torch.randn(2, n, 3, generator=draws)
    sky, ground = (
        (colours[scene] + tints)[..., None, None] for colours, tints in zip((SKIES, GROUNDS), tint, strict=True)
    )
    horizon, x, y = torch.rand(3, n, 1, 1, generator=draws) * PLACES[:, 1] + PLACES[:, 0]
    row, column = torch.arange(16.0)[:, None], torch.arange(16.0)[None]
    images = torch.where((row > horizon)[:, None], ground, sky)
    sun = ((row - y).square() + (column - x).square() < 4)[:, None]
    images = torch.where(sun, torch.tensor([0.9, 0.8, -0.2])[:, None, None], images)
    return (images + 0.05 * torch.randn(images.shape, generator=draws)).clamp(-1, 1)


def coloured() -> Kind:
    """Pictures in colour."""

    def paler(images: Tensor) -> Tensor:
        grey = images.mean(1, keepdim=True)
        return grey + 0.7 * (images - grey)

    spread = float(landscapes(500, torch.Generator().manual_seed(1)).std())
    return Kind(
        "landscapes",
        Landscapes(),
        landscapes,
        functools.partial(landscapes, missing=1),
        lambda n, draws: 2 * torch.rand(n, 3, 16, 16, generator=draws) - 1,
        brighter(spread),
        {
            "wrong colours: red and blue swapped": changed(landscapes, lambda x: x.flip(1)),
            "wrong colours: red and blue swapped in a tenth": mixed(
                landscapes, changed(landscapes, lambda x: x.flip(1)), 0.1
            ),
            "colours paler by 30%": changed(landscapes, paler),
        },
    )


@dataclass(eq=False)
class Notes(Audio):
    """Made-up notes of a quarter of a second, (2000, 1, 1000)."""

    rate: int = 4_000
    seconds: float = 0.25

    def real(self) -> Tensor:
        return notes(2_000, torch.Generator().manual_seed(0))

    def unpacked(self, stored: Tensor) -> Tensor:
        return stored


def notes(n: int, draws: torch.Generator, missing: int = 0) -> Tensor:
    """(n, 1, 1000) notes in [-1, 1] of three instruments, C3 to C5, soft to loud: a string, a pipe and a bell."""
    time = torch.arange(1_000) / 4_000
    note, force, phase, fade = torch.rand(4, n, 1, generator=draws)
    instrument = torch.randint(3 - missing, (n, 1), generator=draws)
    turn = 2 * math.pi * 440 * 2 ** ((48 + 24 * note - 69) / 12) * time + 2 * math.pi * phase
    string = sum((turn * k).sin() / k * (-(4 + 4 * k) * time).exp() for k in (1, 2, 3))
    pipe = (turn.sin() + (3 * turn).sin() / 3) * (1 - (-time / 0.03).exp())
    bell = (turn + 3 * force * (-time / 0.12).exp() * (1.4 * turn).sin()).sin() * (-time / 0.2).exp()
    sound = torch.where(instrument == 0, string, torch.where(instrument == 1, pipe, bell))
    sound = (0.3 + 0.3 * force) * sound * (-2 * fade * time).exp()
    return (sound + 0.003 * torch.randn(n, 1_000, generator=draws))[:, None].clamp(-1, 1)


def sounds() -> Kind:
    """Sounds."""
    spread = float(notes(500, torch.Generator().manual_seed(1)).std())
    return Kind(
        "notes",
        Notes(),
        notes,
        functools.partial(notes, missing=1),
        lambda n, draws: (spread * torch.randn(n, 1, 1_000, generator=draws)).clamp(-1, 1),
        moved(torch.tensor(spread)),
        {
            "silence: a tenth of the sounds": mixed(notes, lambda n, draws: torch.zeros(n, 1, 1_000), 0.1),
            "all half as loud": changed(notes, lambda x: x / 2),
        },
    )
