"""Pixels of every kind as bytes: deep ones are scaled by what all pictures hold, transparent ones become white."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from gansearch.formatting import many

_DEPTHS = tuple((0.0, 2.0**bits - 1) for bits in (8, 10, 12, 14, 16))
"""Usual ranges of integers: 8 to 16 bits of cameras, scanners and detectors, which are written as 16 or 32."""
_SCALES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Usual ranges of real numbers."""
_TAIL = 1e-3
"""Share of the darkest, and of the brightest pixels of a picture that may lie outside where no usual range fits."""


class Extent(NamedTuple):
    """The range of the pixels of one deep picture."""

    is_whole: bool
    """Whether they are integers."""
    low: float
    high: float
    dark: float
    """The quantile of `_TAIL`; `bright` is that of 1 − `_TAIL`."""
    bright: float
    missing: bool
    """Whether some are NaN or infinite."""


class Levels:
    """What is black and what is white in deep pictures: the same for all pictures of integers, or of real numbers.

    All pictures are looked at when the first deep one is met, once for all threads.
    """

    def __init__(self, extents: Callable[[], Iterable[Extent]]):
        """`extents` looks at all deep pictures."""
        self._extents = extents
        self._lock = threading.Lock()
        self._ranges: dict[bool, tuple[float, float]] | None = None
        self.warnings: list[str] = []

    def scaled(self, pixels: np.ndarray) -> np.ndarray:
        """Returns the bytes of (H, W) deep pixels; those that are NaN are black."""
        with self._lock:
            if self._ranges is None:
                self._ranges = self._look()
        is_whole = pixels.dtype.kind in "iu"
        low, high = self._ranges.get(is_whole) or _range([extent_of(pixels)])
        values = np.nan_to_num(pixels.astype(np.float64), nan=low, posinf=high, neginf=low)
        # As many of the integers for each byte; of 16 bits the upper 8.
        steps = (values - low) * 256 / (high - low + 1) if is_whole else (values - low) * 255 / (high - low) + 0.5
        return np.clip(np.floor(steps), 0, 255).astype(np.uint8)

    def _look(self) -> dict[bool, tuple[float, float]]:
        found = list(self._extents())
        ranges = {}
        for is_whole, numbers in ((True, "integers of more than 8 bits"), (False, "real numbers")):
            extents = [one for one in found if one.is_whole == is_whole]
            if not extents:
                continue
            low, high = ranges[is_whole] = _range(extents)
            scale = f"{low:.6g} or less is read as black and {high:.6g} or more as white"
            self.warnings.append(f"{numbers} are the pixels of {many(len(extents), 'picture')}: {scale}")
        missing = sum(one.missing for one in found)
        if missing:
            self.warnings.append(f"pixels that are no number (NaN) are read as black, in {many(missing, 'picture')}")
        return ranges


def is_deep(image: Image.Image) -> bool:
    """Whether pixels are numbers of more than 8 bits, which Pillow would cut off instead of scaling them."""
    return image.mode.startswith(("I", "F"))


def extent_of(pixels: np.ndarray) -> Extent:
    """Returns the range of (H, W) pixels that are finite."""
    is_whole = pixels.dtype.kind in "iu"
    finite = pixels[np.isfinite(pixels)].astype(np.float64)
    if not finite.size:
        return Extent(is_whole, 0, 0, 0, 0, missing=True)
    dark, bright = np.quantile(finite, (_TAIL, 1 - _TAIL))
    return Extent(is_whole, finite.min(), finite.max(), float(dark), float(bright), finite.size < pixels.size)


def plain(image: Image.Image, colour: bool, levels: Levels | None) -> Image.Image:
    """Returns the picture in grey or in colour, transparent parts in white; deep pixels as they are without levels."""
    if is_deep(image):
        pixels = np.asarray(image)
        image = Image.fromarray(levels.scaled(pixels) if levels else np.zeros(pixels.shape, np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    if image.mode == "LAB":  # which Pillow converts to colour alone
        image = image.convert("RGB")
    return image.convert("RGB" if colour else "L")


def _range(extents: list[Extent]) -> tuple[float, float]:
    """What is black and white: the smallest usual range that holds all pixels, or their own range without tails."""
    low, high = min(one.low for one in extents), max(one.high for one in extents)
    for scale in _DEPTHS if extents[0].is_whole else _SCALES:
        if scale[0] <= low and high <= scale[1]:
            return scale
    dark, bright = min(one.dark for one in extents), max(one.bright for one in extents)
    return (dark, bright) if bright > dark else (low, max(high, low + 1))
