import numpy as np
import pytest
import soundfile

from gansearch.gan import TaskError
from gansearch.gan.readers.audio import FULL, read_pieces

RATE = 8_000


def note(frequency: float, seconds: float, rate: int = RATE) -> np.ndarray:
    """A tone with two overtones that dies away."""
    time = np.arange(round(seconds * rate)) / rate
    return np.exp(-time) * sum(np.sin(2 * np.pi * k * frequency * time) / k for k in (1, 2, 3)) / 4


@pytest.fixture
def notes(tmp_path):
    """Sixty notes of a quarter of a second, a file each."""
    for i in range(60):
        soundfile.write(tmp_path / f"{i:02d}.wav", note(220 * 2 ** (i / 24), 0.25), RATE)
    return tmp_path


def test_files_of_any_rate_and_channels_are_made_one(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(note(220, 1, 44_100), 5), 44_100)
    soundfile.write(tmp_path / "b.flac", 0.1 * np.stack([np.tile(note(f, 1), 5) for f in (220, 330)], 1), RATE)
    soundfile.write(tmp_path / "c.ogg", note(440, 0.1), RATE)
    pieces, warnings = read_pieces(str(tmp_path), RATE, 0.14)
    assert pieces.shape == (36 + 36 + 1, 1, 1_120)  # 5 s are 35 pieces and one of more than a half
    assert warnings == [
        "1 of 3 files have several channels, which are mixed down to one",
        "1 of 3 files are shorter than 0.14 s and end in silence",
    ]
    assert np.abs(pieces[:36]).max() == np.abs(pieces[36:72]).max() == FULL
    peak = np.abs(np.fft.rfft(pieces[0, 0])).argmax() / 0.14
    assert float(peak) == pytest.approx(220, abs=7)


def test_files_are_decoded_once_and_mapped(notes, monkeypatch):
    first = read_pieces(str(notes), RATE, 0.25).samples
    assert np.abs(first).max((1, 2)).tolist() == [FULL] * 60
    monkeypatch.setattr(soundfile, "read", None)
    again = read_pieces(str(notes), RATE, 0.25).samples
    assert np.array_equal(again, first)
    assert again.dtype == np.int16
    soundfile.write(notes / "60.wav", note(220, 0.25), RATE)
    with pytest.raises(TypeError, match="NoneType"):
        read_pieces(str(notes), RATE, 0.25)


def test_silence_is_left_out(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.tile(note(220, 1), 6), np.zeros(RATE)]), RATE)
    pieces, warnings = read_pieces(str(tmp_path), RATE, 0.1)
    assert len(pieces) == 60
    assert warnings == ["10 silent pieces are left out"]


def test_broken_files_are_left_out_with_a_warning(notes):
    (notes / "05.wav").write_bytes(b"RIFF, but no more")
    soundfile.write(notes / "06.wav", np.full(2_000, np.nan), RATE, "FLOAT")
    pieces, (warning,) = read_pieces(str(notes), RATE, 0.25)
    assert len(pieces) == 58
    assert warning.startswith("2 of 60 files cannot be read and are left out: ")
    assert "05.wav (" in warning
    assert warning.endswith("06.wav (NaN or infinite values)")


def test_too_little_sound_is_an_error(notes):
    for file in notes.iterdir():
        soundfile.write(file, np.zeros(2_000), RATE)
    with pytest.raises(TaskError, match=r"path: 0 pieces .* at least 50 are needed"):
        read_pieces(str(notes), RATE, 0.25)
