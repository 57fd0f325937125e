import weakref

import numpy as np
import pytest
import soundfile

from gansearch.gan import TaskError
from gansearch.gan.readers import audio
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
    pieces, warnings, *_ = read_pieces(str(tmp_path), RATE, 0.14)
    assert pieces.shape == (36 + 36 + 1, 1, 1_120)  # 5 s are 35 pieces and one of more than a half
    assert warnings == [
        "1 of 3 files have several channels, which are mixed down to one",
        "1 of 3 files are shorter than 0.14 s and end in silence",
    ]
    assert np.abs(pieces[:36]).max() == np.abs(pieces[36:72]).max() == FULL
    peak = np.abs(np.fft.rfft(pieces[0, 0])).argmax() / 0.14
    assert float(peak) == pytest.approx(220, abs=7)


def test_few_files_are_in_memory_at_the_same_time(notes, monkeypatch):
    alive, most = set(), []

    def counted(file, rate, read=audio._read):
        sound = read(file, rate)
        alive.add(file)
        weakref.finalize(sound.samples, alive.discard, file)
        most.append(len(alive))
        return sound

    monkeypatch.setattr(audio, "_read", counted)
    assert len(read_pieces(str(notes), RATE, 0.25).samples) == 60
    assert max(most) < 10, "eight, and the one that is written"


def test_files_are_decoded_once_and_mapped(notes, monkeypatch):
    first = read_pieces(str(notes), RATE, 0.25).samples
    assert np.abs(first).max((1, 2)).tolist() == [FULL] * 60
    monkeypatch.setattr("gansearch.gan.readers.audio._read", None)
    again = read_pieces(str(notes), RATE, 0.25).samples
    assert np.array_equal(again, first)
    assert again.dtype == np.int16
    soundfile.write(notes / "60.wav", note(220, 0.25), RATE)
    with pytest.raises(TypeError, match="NoneType"):
        read_pieces(str(notes), RATE, 0.25)


def test_silence_is_left_out(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.tile(note(220, 1), 6), np.zeros(RATE)]), RATE)
    pieces, warnings, *_ = read_pieces(str(tmp_path), RATE, 0.1)
    assert len(pieces) == 60
    assert warnings == ["10 silent pieces are left out"]


def test_broken_files_are_left_out_with_a_warning(notes):
    (notes / "05.wav").write_bytes(b"RIFF, but no more")
    soundfile.write(notes / "06.wav", np.full(2_000, np.nan), RATE, "FLOAT")
    pieces, (warning,), *_ = read_pieces(str(notes), RATE, 0.25)
    assert len(pieces) == 58
    assert warning.startswith("2 of 60 files cannot be read and are left out: ")
    assert "05.wav (" in warning
    assert warning.endswith("06.wav (NaN or infinite values)")


def test_too_little_sound_is_an_error(notes):
    for file in notes.iterdir():
        soundfile.write(file, np.zeros(2_000), RATE)
    with pytest.raises(TaskError, match=r"path: 0 pieces .* at least 50 are needed"):
        read_pieces(str(notes), RATE, 0.25)


@pytest.mark.parametrize("kind", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_samples_of_every_kind_are_the_same_sound(notes, kind):
    before = read_pieces(str(notes), RATE, 0.25).samples / FULL
    for i in range(60):
        soundfile.write(notes / f"{i:02d}.wav", note(220 * 2 ** (i / 24), 0.25), RATE, kind)
    pieces, warnings, *_ = read_pieces(str(notes), RATE, 0.25)
    assert np.abs(pieces / FULL - before).mean() < 0.02
    assert warnings == []


def broken_header(file, at, value):
    """Writes 4 bytes after a name in a file's header."""
    content = bytearray(file.read_bytes())
    start = content.index(at) + len(at)
    content[start : start + 4] = value
    file.write_bytes(content)


def test_a_header_without_a_length_is_read_to_the_end(notes):
    before = read_pieces(str(notes), RATE, 0.25).samples.copy()
    for at in (b"RIFF", b"data"):  # as ffmpeg writes into a pipe
        broken_header(notes / "07.wav", at, b"\xff" * 4)
    pieces, warnings, *_ = read_pieces(str(notes), RATE, 0.25)
    assert np.array_equal(pieces, before)
    assert warnings == []


@pytest.mark.parametrize("rate", [1, 2**31 - 1])
def test_a_header_with_an_impossible_rate_is_left_out(notes, rate):
    broken_header(notes / "07.wav", b"fmt \x10\0\0\0\x01\0\x01\0", rate.to_bytes(4, "little"))
    pieces, (warning,), *_ = read_pieces(str(notes), RATE, 0.25)
    assert len(pieces) == 59
    assert warning.endswith(f"07.wav ({rate:,} samples a second)")


def test_files_that_are_empty_or_have_few_samples_a_second_are_told(notes):
    (notes / "07.wav").write_bytes(b"")
    soundfile.write(notes / "08.wav", note(220, 0.25, 2_000), 2_000)
    soundfile.write(notes / "09.wav", np.zeros(0), RATE)
    pieces, warnings, *_ = read_pieces(str(notes), RATE, 0.25)
    assert len(pieces) == 58
    assert warnings == [
        f"1 of 60 files cannot be read and is left out: {notes}/07.wav (empty)",
        "1 of 60 files have fewer than 8000 samples a second and lack the highest sounds; "
        "a lower task_options.rate is fair to all",
        "1 of 60 files are shorter than 0.25 s and end in silence",
        "1 silent pieces are left out",
    ]


def test_pieces_of_a_copied_file_are_in_one_group(notes):
    assert read_pieces(str(notes), RATE, 0.1).groups is None
    (notes / "z.wav").write_bytes((notes / "00.wav").read_bytes())
    sound, _ = soundfile.read(notes / "01.wav", dtype="int16")
    soundfile.write(notes / "z.flac", sound, RATE)  # without loss
    pieces, _, groups, _ = read_pieces(str(notes), RATE, 0.1)
    groups = groups.reshape(-1, 3)  # three pieces a file
    assert len(pieces) == 62 * 3
    assert groups[-2:].tolist() == [groups[1].tolist(), groups[0].tolist()]
    assert len(np.unique(groups)) == 60 * 3


def test_channels_that_cancel_and_the_rounding_of_silence_are_no_sound(notes):
    sound = note(220, 0.25)
    soundfile.write(notes / "07.wav", np.stack([sound, -sound], 1), RATE)
    soundfile.write(notes / "08.wav", np.random.default_rng(0).integers(-2, 3, 2_000).astype(np.int16), RATE)
    soundfile.write(notes / "09.wav", 1e-9 * sound, RATE, "FLOAT")  # in a unit of its own
    pieces, warnings, *_ = read_pieces(str(notes), RATE, 0.25)
    assert len(pieces) == 58
    assert warnings == [
        f"1 of 60 files cannot be read and is left out: {notes}/07.wav (its channels cancel each other)",
        "1 silent pieces are left out",
    ]
