"""Pieces of equal length out of a user's sound files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gansearch.gan.tasks.files import files_of, need, skipped

ENDINGS = (".wav", ".flac", ".ogg")
SILENCE = 1e-2
"""Root mean square below which a piece is silent; the loudest sample of its file is 1, so that this is −40 dB."""


class Pieces(NamedTuple):
    samples: Tensor
    """(N, 1, T) in [-1, 1]."""
    warnings: list[str]


def read_pieces(path: str, rate: int, seconds: float) -> Pieces:
    """All files' sound, mixed down to one channel, at `rate` samples a second, cut into pieces of `seconds`.

    Each file is scaled so that its loudest sample is 1. What is left at a file's end is a piece, with silence
    behind it, where it is at least half as long as one; so is a file that is shorter than a piece. Silent pieces are
    dropped. Raises TaskError.
    """
    files = files_of(path, ENDINGS)
    length = round(rate * seconds)
    pieces: list[np.ndarray] = []
    broken: dict[Path, str] = {}
    mixed = short = silent = 0
    for file in files:
        try:
            sound, channels = _read(file, rate)
        except (OSError, RuntimeError, ValueError) as error:
            broken[file] = str(error)
            continue
        mixed += channels > 1
        short += len(sound) < length
        cut = _cut(sound, length)
        loud = cut[np.sqrt(np.square(cut).mean(1)) >= SILENCE]
        silent += len(cut) - len(loud)
        pieces.append(loud)
    told = skipped(broken, files)
    if mixed:
        told.append(f"{mixed} of {len(files)} files have several channels, which are mixed down to one")
    if short:
        told.append(f"{short} of {len(files)} files are shorter than {seconds} s and end in silence")
    if silent:
        told.append(f"{silent} silent pieces are left out")
    found = np.concatenate(pieces)
    need(len(found), f"pieces of {seconds} s that are not silent", "give more sound, or lower task_options.seconds")
    return Pieces(torch.from_numpy(found[:, None]), told)


def _read(file: Path, rate: int) -> tuple[np.ndarray, int]:
    """(T,) float32 with a loudest sample of 1, and how many channels there were."""
    import soundfile
    from scipy.signal import resample_poly

    sound, its_rate = soundfile.read(file, dtype="float32", always_2d=True)
    channels = sound.shape[1]
    mono = sound.mean(1)
    if not np.isfinite(mono).all():
        raise ValueError("it holds NaN or infinite values")
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
