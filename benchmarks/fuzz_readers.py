"""Reads thousands of broken files of each kind: no error but ours, in one line; no crash, no hang, no memory, no trace.

    python benchmarks/fuzz_readers.py [--quick] [--count N] [--kinds NAME...]

Whole files of each kind are broken at random (seeded): bytes changed, cut off, left out, doubled or put in, half of the
time in the first 200 bytes, where headers are. Folders of a hundred of them (`at_once`) are read by the task's own
reader, each in a process of its own. Counted are errors that are none of ours or have several lines, processes that end
by a signal, need more than `SECONDS` or more than `MEMORY` bytes, and files that appear beside the data. By default
10,000 files of each kind, with --quick 300.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fuzz_tables import as_tables, tables

from gansearch.gan import TaskError
from gansearch.gan.readers.arrays import read_points
from gansearch.gan.readers.audio import read_pieces
from gansearch.gan.readers.cache import FOLDER
from gansearch.gan.readers.images import in_folder, read_pictures
from gansearch.gan.readers.text import read_windows

SECONDS = 60
"""Of a folder's processor time."""
MEMORY = 2 * 2**30
"""That a folder may take in addition."""
TARGETS = {"errors": 0, "crashes": 0, "hangs": 0, "traces": 0}
HEAD = 200


class Kind(NamedTuple):
    """A kind of file."""

    ending: str
    whole: Callable[[], Sequence[bytes]]
    """Makes whole files."""
    read: Callable[[Path], list[str]]
    """Reads a folder of broken ones, and returns the warnings."""
    at_once: int = 100
    """Files in a folder."""


def pictures(kind: str, *modes: str, **options: object) -> Callable[[], list[bytes]]:
    """Makes pictures of noise by Pillow."""

    def make() -> list[bytes]:
        from PIL import Image

        pixels = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
        image, exif, files = Image.fromarray(pixels), Image.Exif(), []
        exif[0x0112] = 6
        for mode in modes:
            stream = io.BytesIO()
            more = {"exif": exif} if kind in ("JPEG", "WEBP", "PNG") else {}
            deep = Image.fromarray(pixels[..., 0].astype(np.uint16) * 16)
            picture = deep if mode == "I;16" else image.convert(mode)
            picture.save(stream, kind, **more, **options)
            files.append(stream.getvalue())
        return files

    return make


def frames(kind: str) -> Callable[[], list[bytes]]:
    """Makes an animation by Pillow."""
    from PIL import Image

    others = [Image.new("RGB", (24, 24), colour) for colour in ("red", "green", "blue")]
    return pictures(kind, "RGB", save_all=True, append_images=others)


def sounds(kind: str, *subtypes: str) -> Callable[[], list[bytes]]:
    """Makes sounds of half a second by libsndfile."""

    def make() -> list[bytes]:
        import soundfile

        files = []
        for subtype in subtypes:
            stream = io.BytesIO()
            soundfile.write(stream, np.sin(np.arange(4_000)[:, None] / [5, 7]) / 2, 8_000, subtype, format=kind)
            files.append(stream.getvalue())
        return files

    return make


def arrays(save: Callable[..., object]) -> Callable[[], list[bytes]]:
    """Makes files of points."""

    def make() -> list[bytes]:
        files = []
        for points in (np.random.default_rng(0).normal(size=(60, 3)), np.arange(120).reshape(60, 2)):
            stream = io.BytesIO()
            save(stream, points)
            files.append(stream.getvalue())
        return files

    return make


def save_tensor(stream: io.BytesIO, points: np.ndarray) -> None:
    """Saves points as torch does."""
    import torch

    torch.save(torch.from_numpy(points), stream)


def as_pictures(folder: Path) -> list[str]:
    """Reads pictures, in grey and in colour."""
    return [text for colour in (None, False) for text in read_pictures(in_folder(str(folder)), 16, colour).warnings]


def as_sounds(folder: Path) -> list[str]:
    """Reads sounds as pieces of a tenth of a second."""
    return read_pieces(str(folder), 2_000, 0.1).warnings


def as_prose(folder: Path) -> list[str]:
    """Reads texts."""
    return read_windows(str(folder), 16, 64, False).warnings


def as_points(folder: Path) -> list[str]:
    """Reads each file as points."""
    return [text for file in sorted(folder.iterdir()) for text in read_points(str(file)).warnings]


TEXT = "Where there is a will, there is a way. Ein Schiff, é, 春眠不覺曉 🙂\r\n" * 30
KINDS: dict[str, Kind] = {
    "png": Kind(".png", pictures("PNG", "L", "P", "RGBA", "1", "I;16"), as_pictures),
    "apng": Kind(".png", frames("PNG"), as_pictures),
    "jpeg": Kind(".jpg", pictures("JPEG", "L", "RGB", "CMYK"), as_pictures),
    "gif": Kind(".gif", pictures("GIF", "P"), as_pictures),
    "animation": Kind(".gif", frames("GIF"), as_pictures),
    "webp": Kind(".webp", pictures("WEBP", "RGB", "RGBA"), as_pictures),
    "tiff": Kind(".tif", pictures("TIFF", "L", "RGB", "CMYK", "F", "I", "I;16", "LAB"), as_pictures),
    "tiff-lzw": Kind(".tif", pictures("TIFF", "RGB", "F", compression="tiff_lzw"), as_pictures),
    "bmp": Kind(".bmp", pictures("BMP", "L", "RGB", "1", "P"), as_pictures),
    "ppm": Kind(".ppm", pictures("PPM", "L", "RGB", "1", "I;16"), as_pictures),
    "jp2": Kind(".jp2", pictures("JPEG2000", "L", "RGB"), as_pictures),
    "avif": Kind(".avif", pictures("AVIF", "RGB"), as_pictures),
    "wav": Kind(".wav", sounds("WAV", "PCM_U8", "PCM_16", "PCM_24", "FLOAT"), as_sounds),
    "flac": Kind(".flac", sounds("FLAC", "PCM_16", "PCM_24"), as_sounds),
    "ogg": Kind(".ogg", sounds("OGG", "VORBIS", "OPUS"), as_sounds),
    "text": Kind(
        ".txt",
        lambda: [TEXT.encode(code) for code in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030")],
        as_prose,
    ),
    "csv": Kind(".csv", tables("csv"), as_tables, 20),
    "parquet": Kind(".parquet", tables("parquet"), as_tables, 20),
    "npy": Kind(".npy", arrays(np.save), as_points, 1),
    "npz": Kind(".npz", arrays(np.savez_compressed), as_points, 1),
    "pt": Kind(".pt", arrays(save_tensor), as_points, 1),
}
"""By name."""


def broken(content: bytes, draw: random.Random) -> bytes:
    """A file with up to four faults."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        end = min(HEAD, len(data)) if draw.random() < 0.5 else len(data)
        start = draw.randrange(end) if end else 0
        stop = min(len(data), start + draw.choice((1, 1, 2, 4, 4, 8, 32, 256)))
        match draw.randrange(7):
            case 0:
                data[start:stop] = draw.randbytes(stop - start)
            case 1:
                data[start:stop] = draw.choice((b"\0", b"\xff", b"\x7f")) * (stop - start)
            case 2:
                del data[start:]
            case 3:
                del data[start:stop]
            case 4:
                data[start:start] = data[start:stop]
            case 5:
                data[start:start] = draw.randbytes(draw.randint(1, 16))
            case 6 if start < len(data):
                data[start] ^= 1 << draw.randrange(8)
    return bytes(data)


def reading(kind: Kind, folder: Path) -> str:
    """What is wrong with how a folder is read; empty where nothing is."""
    try:
        said = kind.read(folder)
    except TaskError as error:
        said = [str(error)]
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is counted)
        return f"errors: {type(error).__name__}: {error}"
    return next((f"errors: what a terminal cannot print: {text!r}" for text in said if not text.isprintable()), "")


def read_apart(kind: Kind, folders: Sequence[Path], found: multiprocessing.SimpleQueue) -> None:
    """Reads folders, within the bounds of time and memory."""
    os.chdir(folders[0].parent)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (base + MEMORY, base + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS * len(folders), SECONDS * len(folders) + 5))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries in C say of broken files
    for folder in folders:
        before = sorted(folder.iterdir())
        if wrong := reading(kind, folder):
            found.put(wrong)
        if sorted(folder.iterdir()) != before:
            found.put("traces: a file beside the data")


def write_broken(kind: Kind, folder: Path, count: int, draw: random.Random) -> None:
    """Writes broken files into a new folder."""
    whole = kind.whole()
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}{kind.ending}").write_bytes(broken(draw.choice(whole), draw))


def fuzz(name: str, count: int, seed: int, work: Path) -> Counter[str]:
    """Counts what goes wrong with so many files of a kind."""
    kind, draw, counts = KINDS[name], random.Random(f"{name} {seed}"), Counter[str]()
    folders = [work / "data" / f"{number}" for number in range(0, count, kind.at_once)]
    for folder in folders:
        write_broken(kind, folder, kind.at_once, draw)
    context, queue = multiprocessing.get_context("fork"), multiprocessing.get_context("fork").SimpleQueue()
    step = max(1, 100 // kind.at_once)
    for start in range(0, len(folders), step):
        process = context.Process(target=read_apart, args=(kind, folders[start : start + step], queue))
        process.start()
        process.join(4 * SECONDS * step)
        if process.is_alive():
            process.kill()
            counts["hangs"] += 1
        elif process.exitcode:
            counts["crashes"] += 1
            print(f"{name}: folder {start}: exit code {process.exitcode}")
        while not queue.empty():
            what, _, said = queue.get().partition(": ")
            counts[what] += 1
            print(f"{name}: {what}: {said[:300]}")
    shutil.rmtree(work / "data")
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 files of each kind")
    parser.add_argument("--count", type=int, default=10_000, help="files of each kind")
    parser.add_argument("--kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    importlib.import_module("scipy.signal")  # once, and not in each process
    count = 300 if options.quick else options.count
    total, figures = Counter[str](), {}
    with tempfile.TemporaryDirectory() as work:
        os.environ[FOLDER] = str(Path(work) / "cache")
        for name in options.kinds:
            start = time.perf_counter()
            found = fuzz(name, count, options.seed, Path(work))
            total += found
            figures[name] = {"files": count, "seconds": round(time.perf_counter() - start, 1), **found}
            print(name, figures[name], flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    figures["peak_bytes"] = peak
    is_met = all(total[name] <= most for name, most in TARGETS.items())
    print(json.dumps({"benchmark": "fuzz_readers", "figures": figures, "targets": TARGETS, "ok": is_met}))


if __name__ == "__main__":
    main()
