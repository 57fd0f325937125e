"""Differentiable augmentation of the pictures that D is trained on, real and fake, in its own and in G's updates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gansearch.experiment import Training

_INTERVAL = 4
"""D updates from one change of p to the next (Karras et al. 2020, section 3.1)."""
_PICTURES = 500_000
"""Real pictures in which p may go from 0 to 1."""
_SHARE = 0.1
"""Share of a run's updates in which it may, where these have fewer pictures: runs are shorter here."""


class Augmentation:
    """What `training.augment` names; with `ada` its probability p follows r_t, D's overfitting.

    r_t = E[sign D(real)] over the last four updates of D (Karras et al. 2020, arXiv 2006.06676, equation 1): 0 where D
    cannot tell training samples, 1 where it is sure of all. p rises while r_t is above its target and falls below.
    Both stay on the device.
    """

    def __init__(self, training: Training, device: torch.device):
        self.adapts = training.augment == "ada"
        self.columns = 28 if self.adapts else 7
        """Random numbers that a picture needs."""
        self.p = torch.full((), 0.0 if self.adapts else math.nan, device=device)
        self.r_t = torch.full((), math.nan, device=device)
        """As it was when p was last changed; NaN before."""
        self._target, self._signs = training.ada_target, list[Tensor]()
        batch = training.batch_size * training.accumulate
        self._step = _INTERVAL * batch / min(_PICTURES, _SHARE * training.updates * batch)

    def __call__(self, pictures: Tensor, draws: Tensor) -> Tensor:
        """Augments (..., C, H, W) pictures; `draws` are (..., columns), uniform in [0, 1)."""
        batch, numbers = pictures.flatten(0, -4), draws.flatten(0, -2)
        changed = ada(batch, numbers, self.p) if self.adapts else diffaugment(batch, numbers)
        return changed.view(pictures.shape)

    def update(self, certainty: Tensor) -> None:
        """Lets p follow D's scores of an update's reals, less the score in the middle between real and fake."""
        if not self.adapts:
            return
        self._signs.append(certainty.sign().mean())
        if len(self._signs) == _INTERVAL:
            self.r_t, self._signs = torch.stack(self._signs).mean(), []
            self.p = (self.p + self._step * (self.r_t - self._target).sign()).clamp(0, 1)

    def state(self) -> dict[str, Any]:
        """Everything from which `load_state` continues; for torch.save and torch.load(weights_only=True)."""
        return {"p": self.p, "r_t": self.r_t, "signs": list(self._signs)}

    def load_state(self, state: dict[str, Any], device: torch.device) -> None:
        """Continues from `state()`, on `device`."""
        self.p, self.r_t = state["p"].to(device), state["r_t"].to(device)
        self._signs = [sign.to(device) for sign in state["signs"]]


def diffaugment(pictures: Tensor, draws: Tensor) -> Tensor:
    """Colour, translation and cutout of DiffAugment (Zhao et al. 2020, arXiv 2006.10738, section 4), each always.

    Pictures are (N, C, H, W), and stay so; `draws` are (N, 7), uniform in [0, 1).
    """
    brightness, saturation, contrast, *places = draws.T[..., None, None, None]
    x = pictures + (brightness - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (2 * saturation)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (contrast + 0.5)
    kept = torch.zeros((), dtype=torch.bool, device=x.device)
    for axis, shift, corner in zip((2, 3), places[:2], places[2:], strict=True):
        size = x.shape[axis]
        most, cut = int(size / 8 + 0.5), int(size / 2 + 0.5)
        at = torch.arange(size, device=x.device).view(-1, *[1] * (3 - axis))
        source = at + (shift * (2 * most + 1)).floor().long() - most
        inside = (source >= 0) & (source < size)
        x = x.gather(axis, source.clamp(0, size - 1).expand_as(x)) * inside
        first = (corner * (size + 1 - cut % 2)).floor() - cut // 2
        kept = kept | (at < first) | (at >= first + cut)
    return x * kept


def ada(pictures: Tensor, draws: Tensor, p: Tensor) -> Tensor:
    """The pixel blitting, geometric and colour transformations of Karras et al. 2020 (arXiv 2006.06676), appendix B.

    Each is applied to each picture with probability `p`, (). Pictures are (N, C, H, W), and stay so; `draws` are
    (N, 28), uniform in [0, 1). In one respect simpler than the paper's: pictures are sampled bilinearly, not through
    wavelets. Those that have neither one nor three channels keep their colours.
    """
    height, width = pictures.shape[2:]
    given = iter(draws.split(1, 1))

    def drawn(value: Callable[[Tensor], Tensor], neutral: float, columns: int = 1, p: Tensor = p) -> tuple[Tensor, ...]:
        """What `value` makes of uniform numbers, (N,) for each column, where the transformation is applied."""
        uniform, chance = torch.cat([next(given) for _ in range(columns)], 1), next(given)
        return torch.where(chance < p, value(uniform), neutral).unbind(1)

    either = 1 - (1 - p).sqrt()  # of two rotations one or both are made with probability p
    (flip,) = drawn(lambda u: 1 - 2 * (2 * u).floor(), 1.0)
    (quarters,) = drawn(lambda u: (4 * u).floor() * (math.pi / 2), 0.0)
    matrix = _scaling(flip, torch.ones_like(flip)) @ _rotation(quarters)
    across, down = drawn(lambda u: (2 * u - 1) * 0.125, 0.0, 2)
    # Places are from -1 to 1 downwards, and as much longer across as the picture is wider.
    matrix = matrix @ _translation((across * width).round() * 2 / height, (down * height).round() * 2 / height)
    (scale,) = drawn(lambda u: torch.exp2(0.2 * _normal(u)), 1.0)
    matrix = matrix @ _scaling(scale, scale)
    matrix = matrix @ _rotation(*drawn(lambda u: (2 * u - 1) * math.pi, 0.0, p=either))
    (stretch,) = drawn(lambda u: torch.exp2(0.2 * _normal(u)), 1.0)
    matrix = matrix @ _scaling(stretch, 1 / stretch)
    matrix = matrix @ _rotation(*drawn(lambda u: (2 * u - 1) * math.pi, 0.0, p=either))
    across, down = drawn(lambda u: 0.25 * _normal(u), 0.0, 2)
    matrix = matrix @ _translation(across * width / height, down)
    x = _sampled(pictures, matrix)
    if x.shape[1] not in (1, 3):
        return x
    colours = [
        *drawn(lambda u: 0.2 * _normal(u), 0.0),
        *drawn(lambda u: torch.exp2(0.5 * _normal(u)), 1.0),
        *drawn(lambda u: 1 - 2 * (2 * u).floor(), 1.0),
        *drawn(lambda u: (2 * u - 1) * math.pi, 0.0),
        *drawn(lambda u: torch.exp2(_normal(u)), 1.0),
    ]
    return _recoloured(x, *(colour[:, None, None, None] for colour in colours))


def _recoloured(
    x: Tensor, brightness: Tensor, contrast: Tensor, luma: Tensor, hue: Tensor, saturation: Tensor
) -> Tensor:
    """(N, 1 or 3, H, W) with other colours: light is along (1, 1, 1), hue is an angle around it."""
    x = contrast * (x + brightness)
    light = x.mean(1, keepdim=True)
    colour = x - light
    across = (colour.roll(1, 1) - colour.roll(-1, 1)) / math.sqrt(3)  # the cross product with (1, 1, 1) / √3
    return luma * light + saturation * (hue.cos() * colour + hue.sin() * across)


def _sampled(pictures: Tensor, matrix: Tensor) -> Tensor:
    """Pictures at other places: `matrix`, (N, 3, 3), leads from a place of the new one to one of the old one."""
    height, width = pictures.shape[2:]
    wide = width / height
    (xx, xy, x), (yx, yy, y), _ = (row.unbind(1) for row in matrix.unbind(1))
    theta = torch.stack([xx, xy / wide, x / wide, yx * wide, yy, y], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def _scaling(x: Tensor, y: Tensor) -> Tensor:
    """(N, 3, 3) of (N,) factors."""
    zero = torch.zeros_like(x)
    return _matrix(x, zero, zero, zero, y, zero)


def _rotation(angle: Tensor) -> Tensor:
    """(N, 3, 3) of (N,) angles."""
    zero = torch.zeros_like(angle)
    return _matrix(angle.cos(), -angle.sin(), zero, angle.sin(), angle.cos(), zero)


def _translation(x: Tensor, y: Tensor) -> Tensor:
    """(N, 3, 3) of (N,) distances."""
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    return _matrix(one, zero, x, zero, one, y)


def _matrix(*entries: Tensor) -> Tensor:
    """(N, 3, 3) of the (N,) entries of the first two rows; the third is 0, 0, 1."""
    zero, one = torch.zeros_like(entries[0]), torch.ones_like(entries[0])
    return torch.stack([*entries, zero, zero, one], 1).view(-1, 3, 3)


def _normal(uniform: Tensor) -> Tensor:
    """Normal numbers of uniform ones in [0, 1)."""
    return math.sqrt(2) * torch.erfinv((2 * uniform - 1).clamp(-0.999999, 0.999999))
