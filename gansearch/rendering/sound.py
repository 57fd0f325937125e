"""Sounds as WAV files and as spectrograms."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

_HEIGHT, _WIDTH = 160, 320
"""Pixels of a spectrogram."""
_DECIBELS = 80.0
"""Range of a spectrogram, from the loudest to the darkest pixel."""
_COLOURS = ("#00204c", "#31446b", "#666970", "#958f78", "#cab969", "#ffe945")
"""Cividis (Nuñez et al. 2018), dark to bright, which colour-blind readers see alike."""
_PLAYED_FROM = 8_000
"""Samples a second that every browser plays; Chromium refuses files of 1,000."""


def wav(sound: np.ndarray, rate: int) -> bytes:
    """Return a 16-bit WAV file of one (T,) or (channels, T) sound in [−1, 1]; louder values are clipped.

    `rate` is in samples per second.
    """
    from scipy.io import wavfile

    samples = (np.clip(np.nan_to_num(sound.astype("float32")), -1, 1) * 32767).round().astype("<i2")
    stream = io.BytesIO()
    wavfile.write(stream, rate, samples.T)
    return stream.getvalue()


def playable(sound: np.ndarray, rate: int) -> bytes:
    """Return a WAV file of a sound as `wav` does, at a multiple of `rate` where browsers do not play that."""
    from scipy.signal import resample_poly

    times = -(-_PLAYED_FROM // rate)
    more = resample_poly(np.nan_to_num(sound.astype("float32")), times, 1, axis=-1) if times > 1 else sound
    return wav(more, times * rate)


def spectrogram(sound: np.ndarray, rate: int) -> Image.Image:
    """Draw the loudness in decibels of a (T,) or (channels, T) sound over time (x) and frequency (y, low to high).

    `rate` is in samples per second.
    """
    from scipy.signal import stft

    mono = np.nan_to_num(np.atleast_2d(sound).mean(0))
    length = min(len(mono), max(16, 2 ** round(np.log2(rate * 0.032))))  # about 32 ms, as usual for speech
    _, _, parts = stft(mono, rate, nperseg=length, noverlap=length * 3 // 4)
    loud = 20 * np.log10(np.abs(parts) + 1e-10)
    level = np.clip((loud - max(loud.max(), -60)) / _DECIBELS + 1, 0, 1)[::-1]
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in _COLOURS])
    levels = np.linspace(0, 1, len(stops))
    pixels = np.stack([np.interp(level, levels, stops[:, i]) for i in range(3)], -1).round().astype("uint8")
    return Image.fromarray(pixels).resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR)
