"""Pictures as arrays of bytes: read by Pillow, cut to squares of one size, and kept decoded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gansearch.gan.readers.cache import cached, new_array, on_all_cores
from gansearch.gan.readers.files import files_of
from gansearch.gan.task import TaskError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")
_LOOKED_AT = 64
"""Pictures that say whether a folder is one of colour."""
_NAMED = 3
"""Files that could not be read which are named."""
_FORMAT = 1
"""Of what is cached; a change makes all of it anew."""
_AT_ONCE = 1_000
"""Decoded pictures that wait to be written."""


@dataclass(frozen=True)
class Source:
    """Pictures before they are decoded."""

    where: str
    """As a message says it: "below photos"."""
    names: Sequence[str]
    open: Callable[[int], Image.Image]
    """The picture at a place, opened; raises whatever a broken one makes it."""
    files: Sequence[Path] = ()
    """Whose change makes them other pictures."""
    version: str = ""
    """What else does."""


@dataclass(frozen=True)
class Pictures:
    """Pictures, decoded."""

    pixels: np.ndarray
    """(N, 1 | 3, size, size) bytes, memory-mapped."""
    skipped: int
    """Those that could not be read."""
    examples: list[str]
    """The first of them, with what Pillow said."""


def in_folder(path: str) -> Source:
    """The pictures below a folder, at any depth; what is hidden is left out. Raises TaskError where there are none."""
    files = files_of(path, ENDINGS)
    folder = Path(path).expanduser()
    names = [str(file.relative_to(folder if folder.is_dir() else folder.parent)) for file in files]
    return Source(f"below {folder}", names, lambda place: Image.open(files[place]), files)


def read_pictures(source: Source, size: int, colour: bool | None) -> Pictures:
    """Every picture, centre-cropped and resized; `colour` None: as the pictures are.

    Those that cannot be read are left out and counted. Raises TaskError where none can be.
    """

    def fill(array: Path) -> dict[str, Any]:
        chosen = _is_coloured(source) if colour is None else colour
        pixels = new_array(array, (len(source.names), 3 if chosen else 1, size, size), np.uint8)
        count, broken = 0, []
        places = range(len(source.names))
        decoded = on_all_cores(lambda place: _decode(source, place, size, chosen), places, _AT_ONCE)
        for name, one in zip(source.names, decoded, strict=True):
            if isinstance(one, str):
                broken.append(f"{name} ({one})")
            else:
                pixels[count] = one
                count += 1
        if not count:
            raise TaskError(
                f"task_options.path: none of the {len(source.names):,} pictures {source.where} can be read; "
                f"the first: {broken[0]}"
            )
        return {"count": count, "skipped": len(broken), "examples": broken[:_NAMED]}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata and of pictures that are only large
        pixels, facts = cached("images", source.files, [_FORMAT, source.version, size, colour], fill)
    return Pictures(pixels[: facts["count"]], facts["skipped"], facts["examples"])


def _is_coloured(source: Source) -> bool:
    """Whether any of the pictures looked at, spread over all, has a pixel that is not grey."""
    last = len(source.names) - 1
    for place in np.linspace(0, last, min(last + 1, _LOOKED_AT)).round().astype(int).tolist():
        one = _decode(source, place, 32, True)
        if not isinstance(one, str) and bool((one != one[:1]).any()):
            return True
    return False


def _decode(source: Source, place: int, size: int, colour: bool) -> np.ndarray | str:
    try:
        with source.open(place) as image:
            image.draft("RGB" if colour else "L", (2 * size, 2 * size))  # JPEGs are read no larger than needed
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(_plain(upright, colour), (size, size), Image.Resampling.LANCZOS)
    except Exception as error:  # noqa: BLE001 (Pillow's readers raise whatever a broken file makes them)
        if isinstance(error, UnidentifiedImageError):
            return "no picture"
        return str(error).splitlines()[0] if str(error) else type(error).__name__
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
