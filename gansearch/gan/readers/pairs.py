"""Finds pairs of pictures: two beside each other in one file, or files of the same name in two folders A and B."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageOps

from gansearch.experiment.paths import expanded
from gansearch.gan.options import option_error
from gansearch.gan.readers.files import files_of, listed
from gansearch.gan.readers.images import ENDINGS, Source, in_folder, open_picture

_FOLDERS = ("A", "B")


def pairs_in(path: str) -> tuple[Source, Source]:
    """Returns the pictures A and B of all pairs below a folder, in the same order.

    Where it has folders A and B a pair are files of one name in both, at any depth, whatever their endings; else it is
    one file with A on its left and B on its right, as in pix2pix's data sets. Raises TaskError where there are none.
    """
    start = expanded(path)
    folders = _folders(start)
    if not folders:
        source = in_folder(path)
        return _half(source, 0), _half(source, 1)
    if missing := [name for name in _FOLDERS if name not in folders]:
        there = next(iter(folders.values()))
        raise option_error("path", f"{start} holds the folder {there.name} but no {missing[0]}; pairs are in both")
    return _two_folders(start, [folders[name] for name in _FOLDERS])


def _folders(start: Path) -> dict[str, Path]:
    """The folders A and B, whatever the case of their names."""
    with suppress(OSError):
        return {one.name.upper(): one for one in start.iterdir() if one.name.upper() in _FOLDERS and one.is_dir()}
    return {}


def _half(source: Source, side: int) -> Source:
    """The left or the right halves of pictures; those that are not wider than high raise."""

    def open_half(index: int) -> Image.Image:
        with source.open(index) as whole:
            upright = ImageOps.exif_transpose(whole)
            width, height = upright.size
            if width <= height:
                raise ValueError(f"{width}×{height} pixels are not two pictures side by side")
            return upright.crop((0, 0, width // 2, height) if side == 0 else (width - width // 2, 0, width, height))

    return source._replace(
        open=open_half, version=f"{source.version} half {side}", warnings=[] if side else source.warnings
    )


def _two_folders(start: Path, folders: Sequence[Path]) -> tuple[Source, Source]:
    """The pictures that both folders have, and warnings of those that one of them has alone."""
    found = [files_of(str(folder), ENDINGS) for folder in folders]
    names: list[dict[str, Path]] = []
    warnings = [warning for files in found for warning in files.warnings]
    for folder, files in zip(folders, found, strict=True):
        named: dict[str, Path] = {}
        again = []
        for file in files.paths:
            again += [file.name] if named.setdefault(_name(file, folder), file) != file else []
        names.append(named)
        if again:
            warnings.append(f"{len(again):,} pictures in {folder.name} have the name of another: {listed(again)}")
    common = sorted(names[0].keys() & names[1].keys())
    if not common:
        counts = " and ".join(f"{len(own):,} in {folder.name}" for own, folder in zip(names, folders, strict=True))
        examples = " and ".join(str(min(own.values()).relative_to(start)) for own in names)
        raise option_error("path", f"{start}: of {counts} no two pictures have the same name, such as {examples}")
    for own, folder, other in zip(names, folders, reversed(folders), strict=True):
        if alone := [own[name].name for name in sorted(own.keys() - set(common))]:
            what = f"pictures in {folder.name} have none of the same name in {other.name} and are left out"
            warnings.append(f"{len(alone):,} of {len(own):,} {what}: {listed(alone)}")
    inputs, targets = (_named(f"below {start}", common, [own[name] for name in common]) for own in names)
    return inputs._replace(warnings=warnings), targets


def _named(where: str, names: Sequence[str], files: Sequence[Path]) -> Source:
    return Source(where, names, lambda index: open_picture(files[index]), files)


def _name(file: Path, folder: Path) -> str:
    """What a picture is called in both folders: its path without ending, and without the folder's letter, as in 1_A."""
    return re.sub(rf"_{folder.name}$", "", str(file.relative_to(folder).with_suffix("")), flags=re.IGNORECASE)
