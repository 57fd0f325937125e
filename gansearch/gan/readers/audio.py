"""Pieces of equal length out of a user's sound files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.readers.cache import cached, on_all_cores
from gansearch.gan.readers.files import files_of, need, skipped

ENDINGS = (".wav", ".flac", ".ogg")
SILENCE = 1e-2
"""Root mean square below which a piece is silent; the loudest sample of its file is 1, so that this is −40 dB."""


FULL = 32_767
"""What is kept of a loudness of 1: pieces are 16 bits a sample."""
_FORMAT = 1
"""Of what is cached; a change makes all of it anew."""
_AT_ONCE = 64
"""Decoded files that wait to be written."""


class Pieces(NamedTuple):
    samples: Tensor
    """(N, 1, T) 16-bit integers, `FULL` for 1, memory-mapped."""
    warnings: list[str]


def read_pieces(path: str, rate: int, seconds: float) -> Pieces:
    """All files' sound, mixed down to one channel, at `rate` samples a second, cut into pieces of `seconds`.

    Each file is scaled so that its loudest sample is 1. What is left at a file's end is a piece, with silence
    behind it, where it is at least half as long as one; so is a file that is shorter than a piece. Silent pieces are
    dropped. Decoded once a machine. Raises TaskError.
    """
    files = files_of(path, ENDINGS)
    length = round(rate * seconds)
    pieces, facts = cached("audio", files, [_FORMAT, rate, length], lambda array: _fill(array, files, rate, length))
    told = skipped({Path(file): why for file, why in facts["broken"].items()}, files)
    if facts["mixed"]:
        told.append(f"{facts['mixed']} of {len(files)} files have several channels, which are mixed down to one")
    if facts["short"]:
        told.append(f"{facts['short']} of {len(files)} files are shorter than {seconds} s and end in silence")
    if facts["silent"]:
        told.append(f"{facts['silent']} silent pieces are left out")
    need(len(pieces), f"pieces of {seconds} s that are not silent", "give more sound, or lower task_options.seconds")
    return Pieces(torch.from_numpy(pieces), told)


def _fill(array: Path, files: Sequence[Path], rate: int, length: int) -> dict[str, Any]:
    """Writes the pieces of all files, as many as there turn out to be; gives what there is to tell of them."""
    broken: dict[str, str] = {}
    mixed = short = silent = count = 0
    with array.open("wb") as out:
        _write_header(out, (0, 1, length))
        for file, read in zip(files, on_all_cores(lambda file: _read(file, rate), files, _AT_ONCE), strict=True):
            if isinstance(read, str):
                broken[str(file)] = read
                continue
            sound, channels = read
            mixed += channels > 1
            short += len(sound) < length
            cut = _cut(sound, length)
            loud = cut[np.sqrt(np.square(cut).mean(1)) >= SILENCE]
            silent += len(cut) - len(loud)
            count += len(loud)
            out.write((FULL * loud).round().astype("<i2").tobytes())
        skipped({Path(file): why for file, why in broken.items()}, files)  # raises where all are
        out.seek(0)
        _write_header(out, (count, 1, length))
    return {"broken": broken, "mixed": mixed, "short": short, "silent": silent}


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    """Of a .npy file; numpy leaves room in it for the first side to grow."""
    np.lib.format.write_array_header_1_0(out, {"descr": "<i2", "fortran_order": False, "shape": shape})


def _read(file: Path, rate: int) -> tuple[np.ndarray, int] | str:
    """(T,) float32 with a loudest sample of 1, and how many channels there were; or why it cannot be read."""
    import soundfile
    from scipy.signal import resample_poly

    try:
        sound, its_rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (OSError, RuntimeError, ValueError) as error:
        return str(error)
    channels = sound.shape[1]
    mono = sound.mean(1)
    if not np.isfinite(mono).all():
        return "it holds NaN or infinite values"
    if its_rate != rate and len(mono):
        common = math.gcd(its_rate, rate)
        mono = resample_poly(mono, rate // common, its_rate // common)
    loudest = np.abs(mono).max(initial=0)
    return (mono / loudest if loudest else mono).astype(np.float32), channels


def _cut(sound: np.ndarray, length: int) -> np.ndarray:
    """(N, length) pieces of (T,) one after the other."""
    whole, rest = divmod(len(sound), length)
    count = max(1, whole + (2 * rest >= length))
    padded = np.zeros(count * length, np.float32)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    return padded.reshape(count, length)
