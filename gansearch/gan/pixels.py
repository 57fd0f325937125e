"""Folders of pictures as arrays of bytes: read by Pillow, cut to squares of one size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from gansearch.gan.cache import cached, new_array
from gansearch.gan.task import TaskError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")
_LOOKED_AT = 64
"""Pictures that say whether a folder is one of colour."""
_NAMED = 3
"""Files that could not be read which are named."""
_FORMAT = 1
"""Of what is cached; a change makes all of it anew."""


@dataclass(frozen=True)
class Pictures:
    """A folder of pictures, decoded."""

    pixels: np.ndarray
    """(N, 1 | 3, size, size) bytes, memory-mapped."""
    skipped: int
    """Files that could not be read."""
    examples: list[str]
    """The first of them, with what Pillow said."""


def read_pictures(folder: Path, size: int, colour: bool | None) -> Pictures:
    """Every picture below a folder, at any depth, centre-cropped and resized; `colour` None: as most of them are.

    Those that cannot be read are left out and counted. Raises TaskError where there is no folder, no picture in it,
    or none that can be read.
    """
    files = _files(folder)

    def fill(array: Path) -> dict[str, Any]:
        chosen = _is_coloured(files) if colour is None else colour
        pixels = new_array(array, (len(files), 3 if chosen else 1, size, size), np.uint8)
        count, broken = 0, []
        for file, one in zip(files, _decoded(files, size, chosen), strict=True):
            if isinstance(one, str):
                broken.append(f"{file.relative_to(folder)}: {one}")
            else:
                pixels[count] = one
                count += 1
        if not count:
            raise TaskError(
                f"task_options.path: none of the {len(files):,} pictures below {folder} can be read; "
                f"the first: {broken[0]}"
            )
        return {"count": count, "skipped": len(broken), "examples": broken[:_NAMED]}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata and of pictures that are only large
        pixels, facts = cached("images", files, [_FORMAT, size, colour], fill)
    return Pictures(pixels[: facts["count"]], facts["skipped"], facts["examples"])


def _files(folder: Path) -> list[Path]:
    """The pictures below a folder by their endings, in order; what is hidden is left out."""
    if not folder.is_dir():
        what = "is a file, not a folder of pictures" if folder.exists() else "there is no such folder"
        raise TaskError(f"task_options.path: {folder}: {what}")
    found = [
        Path(place) / name
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(ENDINGS) and not name.startswith(".")
    ]
    if not found:
        kinds = ", ".join(ending.removeprefix(".") for ending in ENDINGS)
        raise TaskError(f"task_options.path: there is no picture below {folder} (looked for {kinds})")
    return sorted(found)


def _is_coloured(files: list[Path]) -> bool:
    """Whether any of the pictures looked at, spread over all, has a pixel that is not grey."""
    for place in np.linspace(0, len(files) - 1, min(len(files), _LOOKED_AT)).round().astype(int):
        one = _decode(files[place], 32, True)
        if not isinstance(one, str) and bool((one != one[:1]).any()):
            return True
    return False


def _decoded(files: list[Path], size: int, colour: bool) -> Iterator[np.ndarray | str]:
    """(C, size, size) bytes of each file in order, or why it cannot be read; a few at a time on every core."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), 1000):
            yield from pool.map(lambda file: _decode(file, size, colour), files[start : start + 1000])


def _decode(file: Path, size: int, colour: bool) -> np.ndarray | str:
    try:
        with Image.open(file) as image:
            image.draft("RGB" if colour else "L", (2 * size, 2 * size))  # JPEGs are read no larger than needed
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(_plain(upright, colour), (size, size), Image.Resampling.LANCZOS)
    except Exception as error:  # noqa: BLE001 (Pillow's readers raise whatever a broken file makes them)
        return f"{type(error).__name__}: {error}".replace(str(file), file.name)
    array = np.asarray(square)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _plain(image: Image.Image, colour: bool) -> Image.Image:
    """In grey or in colour; what is transparent becomes white."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off instead of dividing
        image = Image.fromarray((np.asarray(image) // 256).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB" if colour else "L")
