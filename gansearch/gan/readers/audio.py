"""Reads sound files as pieces of equal length."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gansearch.gan.readers.cache import Decoded, cached, on_all_cores
from gansearch.gan.readers.files import files_of, need, unreadable

ENDINGS = (".wav", ".flac", ".ogg")
SILENCE = 1e-2
"""Root mean square below which a piece is silent: −40 dB, as the loudest sample of each file is 1."""
FULL = 32_767
"""The 16-bit integer that stands for an amplitude of 1."""
_AT_ONCE = 64
"""Decoded files that wait to be written."""


def read_pieces(path: str, rate: int, seconds: float) -> Decoded:
    """Reads all files, mixed down to one channel, at `rate` samples a second, cut into pieces of `seconds`.

    The samples are (N, 1, T) 16-bit integers, `FULL` for 1.

    Each file is scaled so that its loudest sample is 1. The rest at a file's end is a piece, padded with silence, where
    it is at least half as long as one; so is a file that is shorter than a piece. Silent pieces are left out. The
    pieces are cached. Raises TaskError where there are too few.
    """
    files = files_of(path, ENDINGS)
    length = round(rate * seconds)
    return cached("audio", files, [rate, length], "<i2", lambda out: _write(out, files, rate, length))


def _write(out: BinaryIO, files: Sequence[Path], rate: int, length: int) -> tuple[tuple[int, ...], list[str]]:
    """Writes the pieces of all files; returns the shape of one, and warnings."""
    broken: list[str] = []
    counts: Counter[str] = Counter()
    for file, sound in zip(files, on_all_cores(lambda file: _read(file, rate), files, _AT_ONCE), strict=True):
        if isinstance(sound, str):
            broken.append(f"{file} ({sound})")
            continue
        samples, channels = sound
        pieces = _cut(samples, length)
        loud = pieces[np.sqrt(np.square(pieces).mean(1)) >= SILENCE]
        counts.update(mixed=channels > 1, short=len(samples) < length, loud=len(loud), silent=len(pieces) - len(loud))
        out.write((FULL * loud).round().astype("<i2").tobytes())
    seconds = f"{length / rate:g} s"
    warnings = unreadable(broken, len(files), "files")
    need(counts["loud"], f"pieces of {seconds} that are not silent", "give more sound, or lower task_options.seconds")
    if counts["mixed"]:
        warnings.append(f"{counts['mixed']} of {len(files)} files have several channels, which are mixed down to one")
    if counts["short"]:
        warnings.append(f"{counts['short']} of {len(files)} files are shorter than {seconds} and end in silence")
    if counts["silent"]:
        warnings.append(f"{counts['silent']} silent pieces are left out")
    return (1, length), warnings


def _read(file: Path, rate: int) -> tuple[np.ndarray, int] | str:
    """The (T,) float32 sound, its loudest sample 1, and the number of channels; or why the file cannot be read."""
    import soundfile
    from scipy.signal import resample_poly

    try:
        sound, own_rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (OSError, RuntimeError, ValueError) as error:
        return str(error)
    mono = sound.mean(1)
    if not np.isfinite(mono).all():
        return "NaN or infinite values"
    if own_rate != rate and len(mono):
        common = math.gcd(own_rate, rate)
        mono = resample_poly(mono, rate // common, own_rate // common)
    loudest = np.abs(mono).max(initial=0)
    return (mono / loudest if loudest else mono).astype(np.float32), sound.shape[1]


def _cut(sound: np.ndarray, length: int) -> np.ndarray:
    """The (N, length) pieces of a (T,) sound, one after the other."""
    full, rest = divmod(len(sound), length)
    count = max(1, full + (2 * rest >= length))
    cut = sound[: count * length]
    return np.pad(cut, (0, count * length - len(cut))).reshape(count, length)
