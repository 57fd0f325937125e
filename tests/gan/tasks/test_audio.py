import math

import numpy as np
import pytest
import soundfile
import torch

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.data import Data
from gansearch.gan.features.log_mel import log_mel
from gansearch.gan.readers.audio import FULL, read_pieces
from gansearch.gan.stacked import refusal
from gansearch.gan.tasks.spectrum_networks import Sound, Spectrum, frames_of

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


def test_the_networks_fit_the_pieces_whatever_their_length(notes):
    wave = {"networks": "wave"}
    for options in (
        {},
        {"rate": 16_000},
        {"seconds": 0.1},
        {"rate": 1_000, "seconds": 0.256},
        {"rate": 7_919, "seconds": 0.2},
        wave,
        wave | {"rate": 16_000},
        wave | {"kernel": 25, "seconds": 0.2, "width": 2},
    ):
        task = load_task("audio", {"path": str(notes), "seconds": 0.25, "width": 4} | options)
        check_task(task)
        assert task.real().shape == (len(task.real()), 1, task.length)
        sounds = task.generator()(torch.randn(3, task.latent_dim))
        assert sounds.shape == (3, 1, task.length)
        assert sounds.abs().max() <= 1


def test_a_second_at_16_khz_has_the_five_layers_of_wavegan():
    task = load_task("audio", {"rate": 16_384, "networks": "wave", "width": 64})
    assert (task.layers, task.start) == (5, 16)
    assert task.generator()[0].out_features == 16 * 16 * 64


@pytest.mark.parametrize(
    ("networks", "training"),
    [
        ("wave", {}),
        ("spectrum", {"r1_gamma": 1.0}),
        ("spectrum", {"loss": "wgan"}),
        ("spectrum", {"loss": "hinge", "spectral_norm": True}),
    ],
)
def test_it_trains_and_is_judged(notes, networks, training):
    task = load_task("audio", {"path": str(notes), "seconds": 0.1, "width": 2, "networks": networks})
    trainer = Trainer(task, Training(updates=5, batch_size=8, **training))
    for _ in trainer.run():
        pass
    result = trainer.result()
    assert result.status == "complete"
    assert set(result.quality) == {"distance", "coverage"}
    assert task.shown(result.samples) == {"kind": "audio", "rate": RATE}


def test_a_flat_picture_is_the_sine_that_it_shows():
    frames = frames_of(2_000, RATE)
    picture = torch.zeros(1, 2, frames.bins, frames.number)
    picture[:, 0] = -10
    picture[:, 0, 21] = 0.7
    sound = Sound(frames)(picture)
    peak = torch.fft.rfft(sound[0, 0]).abs().argmax() * RATE / 2_000
    assert float(peak) == pytest.approx(21 * RATE / frames.size, abs=RATE / 2_000)
    spectrum = Spectrum(frames)(sound)[0, 0]
    loudest = spectrum[:, 1:-1].argmax(0)
    assert set(loudest.tolist()) == {21}
    assert spectrum[21, 1:-1].std() < 0.02  # no frame cancels its neighbour
    assert spectrum[60:, 1:-1].max() < -0.85  # what G draws silent is near the floor


def test_silence_and_a_full_sine_are_the_ends_of_what_d_sees():
    frames = frames_of(2_000, RATE)
    sine = torch.sin(2 * math.pi * 20 / frames.size * torch.arange(2_000))[None, None]
    assert Spectrum(frames)(torch.zeros(1, 1, 2_000)).max() == pytest.approx(-1)
    assert Spectrum(frames)(sine)[0, 0, :, 1:-1].max() == pytest.approx(1, abs=0.01)


def test_penalties_reach_d_through_the_spectrum():
    spectrum = Spectrum(frames_of(256, RATE))
    sounds = torch.randn(1, 1, 256, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda s: spectrum.double()(s).square().mean(), sounds, fast_mode=True)


def test_seeds_train_at_once(notes):
    task = load_task("audio", {"path": str(notes), "seconds": 0.1, "width": 2})
    training = Training(updates=5, batch_size=8, r1_gamma=1.0)
    assert refusal([Trainer(task, training, seed) for seed in range(2)]) == ""


def test_quality_hears_the_pitch_and_not_the_phase():
    task = load_task("audio", {"seconds": 0.25})
    draws = torch.Generator().manual_seed(0)
    time = torch.arange(task.length) / RATE

    def notes(low: float) -> torch.Tensor:
        frequency = low * 2 ** torch.rand(100, 1, 1, generator=draws)
        return torch.sin(2 * math.pi * (frequency * time + torch.rand(100, 1, 1, generator=draws)))

    same, higher = task.quality(notes(200), notes(200)), task.quality(notes(200), notes(800))
    assert higher["distance"] > 20 * same["distance"]
    assert same["coverage"] > 0.8
    assert higher["coverage"] == 0


def test_a_sine_is_loudest_in_the_band_of_its_pitch():
    sine = torch.sin(2 * math.pi * 1_000 * torch.arange(RATE) / RATE)[None]
    spectrum = log_mel(sine, RATE)[0]
    mel = 2595 * math.log10(1 + 1_000 / 700) / (2595 * math.log10(1 + RATE / 2 / 700)) * 33
    assert abs(int(spectrum.mean(0).argmax()) + 1 - mel) < 1
    assert float(spectrum.exp().sum(1).mean()) == pytest.approx(1.5, abs=0.15)  # a Hann window's leakage included


def test_files_of_any_rate_and_channels_are_made_one(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile(note(220, 1, 44_100), 5), 44_100)
    soundfile.write(tmp_path / "b.flac", 0.1 * np.stack([np.tile(note(f, 1), 5) for f in (220, 330)], 1), RATE)
    soundfile.write(tmp_path / "c.ogg", note(440, 0.1), RATE)
    pieces, told = read_pieces(str(tmp_path), RATE, 0.14)
    assert pieces.shape == (36 + 36 + 1, 1, 1_120)  # 5 s are 35 pieces and one of more than a half
    assert told == [
        "1 of 3 files have several channels, which are mixed down to one",
        "1 of 3 files are shorter than 0.14 s and end in silence",
    ]
    assert pieces[:36].abs().max() == pieces[36:72].abs().max() == FULL
    peak = torch.fft.rfft(pieces[0, 0]).abs().argmax() / 0.14
    assert float(peak) == pytest.approx(220, abs=7)


def test_files_are_decoded_once_and_mapped(notes, monkeypatch):
    first = load_task("audio", {"path": str(notes), "seconds": 0.25})
    loud = first.unpacked(first.real()).abs().amax((1, 2))
    assert loud.tolist() == [1] * 60
    monkeypatch.setattr(soundfile, "read", None)
    again = load_task("audio", {"path": str(notes), "seconds": 0.25})
    assert torch.equal(again.real(), first.real())
    assert again.real().dtype is torch.int16
    assert Data(again, torch.device("cpu")).real.data_ptr() == again.real().data_ptr()  # no copy in memory
    soundfile.write(notes / "60.wav", note(220, 0.25), RATE)
    with pytest.raises(TypeError, match="NoneType"):
        load_task("audio", {"path": str(notes), "seconds": 0.25}).real()


def test_silence_is_left_out(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.tile(note(220, 1), 6), np.zeros(RATE)]), RATE)
    pieces, told = read_pieces(str(tmp_path), RATE, 0.1)
    assert len(pieces) == 60
    assert told == ["10 silent pieces are left out"]


def test_a_broken_file_among_good_ones_is_skipped_and_told(notes):
    (notes / "05.wav").write_bytes(b"RIFF, but no more")
    soundfile.write(notes / "06.wav", np.full(2_000, np.nan), RATE, "FLOAT")
    task = load_task("audio", {"path": str(notes), "seconds": 0.25})
    assert len(task.real()) == 58
    (told,) = task.warnings()
    assert told.startswith("2 of 60 files cannot be read and are left out, first ")
    assert "05.wav" in told


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"rate": 80}, "rate: must be 1000 to 48000 .* not 80"),
        ({"rate": "fast"}, "rate: must be a whole number, not 'fast'"),
        ({"seconds": 0.01}, "seconds: must be at least 0.032"),
        ({"kernel": 8}, "kernel: must be odd"),
        ({"networks": "spectral"}, "networks: 'spectral' is not one of spectrum and wave"),
        ({"secnds": 1}, 'did you mean "seconds"'),
    ],
)
def test_options_that_cannot_be_are_told(options, part):
    with pytest.raises(TaskError, match=part):
        load_task("audio", options)


def test_too_little_sound_is_told(notes):
    for file in notes.iterdir():
        soundfile.write(file, np.zeros(2_000), RATE)
    with pytest.raises(TaskError, match=r"path: 0 pieces .* at least 50 are needed"):
        check_task(load_task("audio", {"path": str(notes), "seconds": 0.25}))
