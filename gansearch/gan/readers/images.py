"""Reads pictures as bytes: decoded by Pillow, cut to squares of one size, and cached."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gansearch.experiment.paths import expanded
from gansearch.gan.readers.cache import Decoded, Fill, Filled, FindCopies, cached, on_all_cores
from gansearch.gan.readers.copies import copies_of, linked
from gansearch.gan.readers.files import files_of, short_reason, unreadable
from gansearch.gan.readers.pixels import Extent, Levels, extent_of, is_deep, plain

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".jp2", ".avif"),
)
_SAMPLED = 64
"""Pictures that decide whether a folder is in colour."""
_AT_ONCE = 1_000
"""Decoded pictures that wait to be written."""
_FLAT = 24
"""Levels of 256 below which a picture's darkest and brightest pixels are the same to the eye."""
_LARGE = 2**24
"""Pixels from which on a picture is decoded while no other such is: some take a gigabyte each."""
_ONE = threading.Lock()
_ONE_LOOK = threading.Lock()
"""The same of the look at all deep pictures, for which the one that is decoded waits."""
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Pillow's names of the formats, whatever a file's name says. Of others some start programs (EPS)."""


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
    warnings: Sequence[str] = ()
    """What the user should know of the source."""
    labels: Callable[[], Sequence[str]] | None = None
    """Gives the name of each picture's class, in a data set that knows them."""


def in_folder(path: str) -> Source:
    """Returns the pictures below a folder, at any depth, but hidden ones. Raises TaskError where there are none."""
    files, remarks = files_of(path, ENDINGS)
    folder = expanded(path)
    names = [str(file.relative_to(folder if folder.is_dir() else folder.parent)) for file in files]
    return Source(f"below {folder}", names, lambda index: open_picture(files[index]), files, warnings=remarks)


def open_picture(file: Path) -> Image.Image:
    """Returns a picture of one of the formats that are read, not decoded yet; raises anything for another file."""
    return Image.open(file, formats=_FORMATS)


def read_pictures(source: Source, size: int, colour: bool | None) -> Decoded:
    """Reads every picture, centre-cropped and resized; with `colour` None in colour where any of them is.

    The samples are (N, 1 | 3, size, size) bytes. Unreadable pictures are left out, with a warning. Raises TaskError
    where all are.
    """
    key = [source.version, size, colour]
    return _read("images", [source], key, copies_of, lambda out: _write(out, [source], size, colour))


def read_pairs(sources: Sequence[Source], size: int, colour: bool | None) -> Decoded:
    """Reads the pictures of several sources that belong together by their index, as (N, sources, 1 | 3, size, size).

    All are in colour where any is. Where one cannot be read its whole row is left out. A row is the copy of another
    one where any of its pictures is.
    """
    key = [[source.version for source in sources], size, colour]
    return _read("pairs", sources, key, linked, lambda out: _write(out, sources, size, colour))


def _read(name: str, sources: Sequence[Source], key: list[object], copies: FindCopies, fill: Fill) -> Decoded:
    """What the cache holds of these sources, or what `fill` writes into it."""
    files = [file for source in sources for file in source.files]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of odd metadata and of large pictures
        decoded = cached(name, files, key, "u1", fill, copies)
    return decoded._replace(warnings=[*(w for source in sources for w in source.warnings), *decoded.warnings])


def _write(out: BinaryIO, sources: Sequence[Source], size: int, colour: bool | None) -> Filled:
    """Writes the pictures of all sources, a row of them for each index; the shape of a row, and warnings."""
    chosen = any(map(_is_coloured, sources)) if colour is None else colour
    broken, left_out = [], []
    flat = several = 0
    first, indices = sources[0], range(len(sources[0].names))
    levels = [_levels_of(source, indices) for source in sources]

    def decode(index: int) -> list[_Picture | str]:
        return [_decode(source, index, size, chosen, its) for source, its in zip(sources, levels, strict=True)]

    for index, row in zip(indices, on_all_cores(decode, indices, _AT_ONCE), strict=True):
        if faults := [picture for picture in row if isinstance(picture, str)]:
            broken.append(f"{first.names[index]} ({faults[0]})")
            left_out.append(index)
            continue
        for picture in row:
            assert not isinstance(picture, str)
            flat += int(np.ptp(picture.pixels)) < _FLAT
            several += picture.has_frames
            out.write(picture.pixels.tobytes())
    total = len(indices)
    is_one = len(sources) == 1
    warnings = unreadable(broken, total, f"{'pictures' if is_one else 'pairs of pictures'} {first.where}")
    warnings += [warning for its in levels for warning in its.warnings]
    pictures = f"{total * len(sources):,} pictures"
    if several:
        warnings.append(f"{several:,} of {pictures} have several frames or pages, the first of which is read")
    if flat:
        warnings.append(f"{flat:,} of {pictures} are all but black, or of one other colour")
    shape = (3 if chosen else 1, size, size)
    return Filled(shape if is_one else (len(sources), *shape), warnings, left_out)


def _levels_of(source: Source, indices: Sequence[int]) -> Levels:
    """What is black and white in a source's deep pictures, all of which are looked at when the first one is met."""
    return Levels(lambda: filter(None, on_all_cores(lambda index: _extent(source, index), indices, _AT_ONCE)))


def _is_coloured(source: Source) -> bool:
    """Whether any of the sampled pictures, evenly spread over all, has a pixel that is not grey."""
    last = len(source.names) - 1
    for index in np.linspace(0, last, min(last + 1, _SAMPLED)).round().astype(int).tolist():
        picture = _decode(source, index, 32, True)
        if not isinstance(picture, str) and bool((picture.pixels != picture.pixels[:1]).any()):
            return True
    return False


class _Picture(NamedTuple):
    pixels: np.ndarray
    """(1 | 3, size, size) bytes."""
    has_frames: bool
    """Whether there are more frames or pages than the one that was read."""


def _decode(source: Source, index: int, size: int, colour: bool, levels: Levels | None = None) -> _Picture | str:
    """A picture, or why it cannot be read. Deep ones need levels, or are black."""
    try:
        with source.open(index) as image, _turn(image, _ONE):
            has_frames = _has_frames(image)
            image.draft("RGB" if colour else "L", (2 * size, 2 * size))  # JPEGs are read no larger than needed
            upright = ImageOps.exif_transpose(image)
            square = ImageOps.fit(plain(upright, colour, levels), (size, size), Image.Resampling.LANCZOS)
    except UnidentifiedImageError:
        return "no picture"
    except Exception as error:  # noqa: BLE001 (Pillow's readers raise anything for a broken file)
        return short_reason(error)
    return _Picture(np.atleast_3d(np.asarray(square)).transpose(2, 0, 1), has_frames)


def _extent(source: Source, index: int) -> Extent | None:
    """The range of the pixels of a deep picture; None of others, and of broken ones."""
    try:
        with source.open(index) as image, _turn(image, _ONE_LOOK):
            return extent_of(np.asarray(image)) if is_deep(image) else None
    except Exception:  # noqa: BLE001 (as above; `_decode` says why)
        return None


def _turn(image: Image.Image, lock: AbstractContextManager[object]) -> AbstractContextManager[object]:
    """The lock for a large picture; none for others."""
    return lock if image.width * image.height > _LARGE else nullcontext()


def _has_frames(image: Image.Image) -> bool:
    """Whether it is an animation or has several pages; the small ones that cameras add to a picture do not count."""
    try:
        return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except Exception:  # noqa: BLE001 (as above, of a broken second frame)
        return False
