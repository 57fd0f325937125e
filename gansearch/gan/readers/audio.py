"""Reads sound files as pieces of equal length."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from gansearch.formatting import printable
from gansearch.gan.readers.cache import Decoded, Filled, cached, on_all_cores
from gansearch.gan.readers.files import files_of, is_empty, need, short_reason, unreadable

ENDINGS = (".wav", ".flac", ".ogg")
SILENCE = 1e-2
"""Root mean square below which a piece is silent: −40 dB, as the loudest sample of each file is 1."""
FULL = 32_767
"""The 16-bit integer that stands for an amplitude of 1."""
_AT_ONCE = 8
"""Decoded files that wait to be written: an hour at 8,000 samples a second has 115 MB."""
_BLOCK = 2**20
"""Samples that are read at once, so that a file takes no more memory than it holds, whatever its header says."""
_NOISE = 1e-4
"""Amplitude up to which a file of integers holds nothing but their rounding, at 16 bits three steps: it is silent."""
_LEFT = 1e-3
"""Share of the loudest sample of a channel below which nothing is left of the channels' mean."""
_RATES = (1_000, 1_000_000)
"""Samples a second that files may have. Others come from broken headers."""


def read_pieces(path: str, rate: int, seconds: float) -> Decoded:
    """Reads all files, mixed down to one channel, at `rate` samples a second, cut into pieces of `seconds`.

    The samples are (N, 1, T) 16-bit integers, `FULL` for 1.

    Each file is scaled so that its loudest sample is 1. The rest at a file's end is a piece, padded with silence, where
    it is at least half as long as one; so is a file that is shorter than a piece. Silent pieces are left out. The
    pieces are cached. Raises TaskError where there are too few.
    """
    files, remarks = files_of(path, ENDINGS)
    length = round(rate * seconds)
    decoded = cached("audio", files, [rate, length], "<i2", lambda out: _write(out, files, rate, length))
    return decoded._replace(warnings=[*remarks, *decoded.warnings])


def _write(out: BinaryIO, files: Sequence[Path], rate: int, length: int) -> Filled:
    """Writes the pieces of all files; returns the shape of one, and warnings."""
    broken: list[str] = []
    counts: Counter[str] = Counter()
    for file, sound in zip(files, on_all_cores(lambda file: _read(file, rate), files, _AT_ONCE), strict=True):
        if isinstance(sound, str):
            broken.append(f"{file} ({sound})")
            continue
        pieces = _cut(sound.samples, length)
        loud = pieces[np.sqrt(np.square(pieces).mean(1)) >= SILENCE]
        counts.update(mixed=sound.channels > 1, low=sound.rate < rate, short=len(sound.samples) < length)
        counts.update(loud=len(loud), silent=len(pieces) - len(loud))
        out.write((FULL * loud).round().astype("<i2").tobytes())
    seconds = f"{length / rate:g} s"
    warnings = unreadable(broken, len(files), "files")
    need(counts["loud"], f"pieces of {seconds} that are not silent", "give more sound, or lower task_options.seconds")
    if counts["mixed"]:
        warnings.append(f"{counts['mixed']} of {len(files)} files have several channels, which are mixed down to one")
    if counts["low"]:
        lack = f"fewer than {rate} samples a second and lack the highest sounds"
        warnings.append(f"{counts['low']} of {len(files)} files have {lack}; a lower task_options.rate is fair to all")
    if counts["short"]:
        warnings.append(f"{counts['short']} of {len(files)} files are shorter than {seconds} and end in silence")
    if counts["silent"]:
        warnings.append(f"{counts['silent']} silent pieces are left out")
    return Filled((1, length), warnings)


class _Sound(NamedTuple):
    samples: np.ndarray
    """(T,) float32, the loudest sample 1."""
    channels: int
    """Of the file, before they were mixed."""
    rate: int
    """Of the file, in samples per second."""


def _read(file: Path, rate: int) -> _Sound | str:
    """The sound of a file at `rate` samples a second, or why it cannot be read."""
    import soundfile
    from scipy.signal import resample_poly

    try:
        with soundfile.SoundFile(file) as sound:
            channels, own_rate, is_whole = sound.channels, sound.samplerate, sound.subtype.startswith("PCM")
            if not _RATES[0] <= own_rate <= _RATES[1]:
                return f"{own_rate:,} samples a second"
            blocks = [np.empty(0, np.float32)]
            highest = 0.0
            while len(block := sound.read(_BLOCK, "float32", always_2d=True)):
                with np.errstate(all="ignore"):  # what is not finite is told
                    blocks.append(block.mean(1))
                highest = max(highest, float(np.abs(block).max()))
        mono = np.concatenate(blocks)
        if own_rate != rate and np.isfinite(mono).all() and len(mono):
            common = math.gcd(own_rate, rate)
            mono = resample_poly(mono, rate // common, own_rate // common)
    except soundfile.LibsndfileError as error:
        return "empty" if is_empty(file) else printable(str(error.error_string))
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        return short_reason(error)
    if not np.isfinite(mono).all():
        return "NaN or infinite values"
    loudest = np.abs(mono).max(initial=0)
    if channels > 1 and highest and loudest < _LEFT * highest:
        return "its channels cancel each other"
    if is_whole and loudest < _NOISE:
        loudest, mono = 0, np.zeros_like(mono)
    return _Sound((mono / loudest if loudest else mono).astype(np.float32), channels, own_rate)


def _cut(sound: np.ndarray, length: int) -> np.ndarray:
    """The (N, length) pieces of a (T,) sound, one after the other."""
    full, rest = divmod(len(sound), length)
    count = max(1, full + (2 * rest >= length))
    cut = sound[: count * length]
    return np.pad(cut, (0, count * length - len(cut))).reshape(count, length)
