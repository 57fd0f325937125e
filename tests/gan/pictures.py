"""Pictures of noise, as files."""

from pathlib import Path

import numpy as np
from PIL import Image

RANDOM = np.random.default_rng(0)


def save(path: Path, mode: str = "L", size: tuple[int, int] = (20, 20), **options) -> None:
    """Save a picture of noise."""
    shape = size[::-1] + ((len(mode),) if len(mode) > 1 else ())
    Image.fromarray(RANDOM.integers(0, 256, shape, dtype=np.uint8), mode=None).convert(mode).save(path, **options)


def fill(folder: Path, count: int = 50, mode: str = "L") -> None:
    """Save so many of them."""
    for number in range(count):
        save(folder / f"{number:03}.png", mode)
