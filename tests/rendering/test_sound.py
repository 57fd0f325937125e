"""Sounds as WAV files and as spectrograms."""

from __future__ import annotations

import io

import numpy as np
import pytest
from scipy.io import wavfile

from gansearch.rendering.sound import playable, spectrogram, wav

RATE = 8_000
TONE = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE).astype("float32")
"""A second of 1 kHz."""


def test_a_file_holds_the_sound_and_clips_what_is_too_loud() -> None:
    rate, sound = wavfile.read(io.BytesIO(wav(TONE, RATE)))
    assert (rate, sound.dtype) == (RATE, np.int16)
    assert sound / 32767 == pytest.approx(TONE, abs=1e-4)
    assert abs(wavfile.read(io.BytesIO(wav(4 * TONE, RATE)))[1]).max() == 32767


@pytest.mark.parametrize(("rate", "played"), [(1_000, 8_000), (3_000, 9_000), (RATE, RATE), (44_100, 44_100)])
def test_a_sound_of_few_samples_a_second_has_more_where_a_browser_plays_it(rate: int, played: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 100 * np.arange(rate) / rate)
    found, sound = wavfile.read(io.BytesIO(playable(tone, rate)))
    assert (found, len(sound)) == (played, played)
    assert np.abs(np.fft.rfft(sound)).argmax() == 100


def test_a_spectrogram_shows_the_pitch() -> None:
    pixels = np.asarray(spectrogram(TONE, RATE)).sum(-1)
    height = pixels.shape[0]
    brightest = height - pixels[:, 20:-20].mean(1).argmax()
    assert brightest / height == pytest.approx(1_000 / (RATE / 2), abs=0.03)


@pytest.mark.parametrize("sound", [np.zeros(100), np.full(100, np.nan), np.zeros(1)], ids=["silence", "nan", "short"])
def test_silence_nan_and_one_sample_are_no_error(sound: np.ndarray) -> None:
    assert spectrogram(sound, 100).size == (320, 160)
    assert wavfile.read(io.BytesIO(wav(sound, 100)))[1].max() == 0
