"""Reads pictures as bytes: decoded by Pillow, cut to squares of one size, and cached."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gansearch.gan.readers.cache import Decoded, cached, on_all_cores
from gansearch.gan.readers.files import files_of, unreadable

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")
_SAMPLED = 64
"""Pictures that decide whether a folder is in colour."""
_AT_ONCE = 1_000
"""Decoded pictures that wait to be written."""


class Source(NamedTuple):
    """Pictures before they are decoded."""

    where: str
    """Where they are, as a message says it: "below photos"."""
    names: Sequence[str]
    open: Callable[[int], Image.Image]
    """Opens the picture of an index; raises anything for a broken one."""
    files: Sequence[Path] = ()
    """A change of one of these makes the pictures stale."""
    version: str = ""
    """So does a change of this."""


def in_folder(path: str) -> Source:
    """Returns the pictures below a folder, at any depth, but hidden ones. Raises TaskError where there are none."""
    files = files_of(path, ENDINGS)
    folder = Path(path).expanduser()
    names = [str(file.relative_to(folder if folder.is_dir() else folder.parent)) for file in files]
    return Source(f"below {folder}", names, lambda index: Image.open(files[index]), files)


def read_pictures(source: Source, size: int, colour: bool | None) -> Decoded:
    """Reads every picture, centre-cropped and resized; with `colour` None in colour where any of them is.

    The samples are (N, 1 | 3, size, size) bytes. Unreadable pictures are left out, with a warning. Raises TaskError
    where all are.
    """

    def write(out: BinaryIO) -> tuple[tuple[int, ...], list[str]]:
        chosen = _is_coloured(source) if colour is None else colour
        broken = []
        indices = range(len(source.names))
        decoded = on_all_cores(lambda index: _decode(source, index, size, chosen), indices, _AT_ONCE)
        for name, picture in zip(source.names, decoded, strict=True):
            if isinstance(picture, str):
                broken.append(f"{name} ({picture})")
            else:
                out.write(picture.tobytes())
        shape = (3 if chosen else 1, size, size)
        return shape, unreadable(broken, len(source.names), f"pictures {source.where}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata and of large pictures
        return cached("images", source.files, [source.version, size, colour], "u1", write)


def _is_coloured(source: Source) -> bool:
    """Whether any of the sampled pictures, evenly spread over all, has a pixel that is not grey."""
    last = len(source.names) - 1
    for index in np.linspace(0, last, min(last + 1, _SAMPLED)).round().astype(int).tolist():
        picture = _decode(source, index, 32, True)
        if not isinstance(picture, str) and bool((picture != picture[:1]).any()):
            return True
    return False


def _decode(source: Source, index: int, size: int, colour: bool) -> np.ndarray | str:
    """The (1 | 3, size, size) bytes of a picture, or why it cannot be read."""
    try:
        with source.open(index) as image:
            image.draft("RGB" if colour else "L", (2 * size, 2 * size))  # JPEGs are read no larger than needed
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(_plain(upright, colour), (size, size), Image.Resampling.LANCZOS)
    except UnidentifiedImageError:
        return "no picture"
    except Exception as error:  # noqa: BLE001 (Pillow's readers raise anything for a broken file)
        return (str(error) or type(error).__name__).splitlines()[0]
    return np.atleast_3d(np.asarray(square)).transpose(2, 0, 1)


def _plain(image: Image.Image, colour: bool) -> Image.Image:
    """The picture in grey or in colour, transparent parts in white."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off instead of dividing
        image = Image.fromarray((np.asarray(image) // 256).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB" if colour else "L")
