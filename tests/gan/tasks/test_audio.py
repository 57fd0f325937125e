import math

import numpy as np
import pytest
import soundfile
import torch

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, check_task, load_task
from gansearch.gan.data import Data
from gansearch.gan.stacked import refusal
from gansearch.stability.referee import rule

pytestmark = pytest.mark.slow

RATE = 8_000


@pytest.fixture
def notes(tmp_path):
    """Sixty sines of a quarter of a second, a file each."""
    time = np.arange(RATE // 4) / RATE
    for i in range(60):
        soundfile.write(tmp_path / f"{i:02d}.wav", np.sin(2 * np.pi * 220 * 2 ** (i / 24) * time), RATE)
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
    ):
        task = load_task("audio", {"path": str(notes), "seconds": 0.25, "width": 4} | options)
        check_task(task)
        assert task.real().shape == (len(task.real()), 1, task.length)
        sounds = task.generator()(torch.randn(3, task.latent_dim))
        assert sounds.shape == (3, 1, task.length)
        assert sounds.abs().max() <= 1


@pytest.mark.parametrize(
    ("networks", "training"),
    [
        ("wave", {}),
        ("spectrum", {"r1_gamma": 1.0}),
        ("spectrum", {"loss": "wgan"}),
        ("spectrum", {"loss": "hinge", "spectral_norm": True}),
    ],
)
def test_sounds_train(train, notes, networks, training):
    task = load_task("audio", {"path": str(notes), "seconds": 0.1, "width": 2, "networks": networks})
    result = train(task, **training)
    assert set(result.quality) == {"samples", "distance", "coverage"}
    assert task.shown(result.samples) == {"kind": "audio", "rate": RATE}


def test_data_stay_in_the_mapped_file(notes):
    task = load_task("audio", {"path": str(notes), "seconds": 0.25})
    assert Data(task, torch.device("cpu")).real.data_ptr() == task.real().data_ptr()
    assert task.unpacked(task.real()).abs().amax((1, 2)).tolist() == [1] * 60


def test_seeds_train_at_once(notes):
    task = load_task("audio", {"path": str(notes), "seconds": 0.1, "width": 2})
    training = Training(updates=5, batch_size=8, r1_gamma=1.0)
    assert refusal([Trainer(task, training, seed) for seed in range(2)]) == ""


def random_notes(low: float, seed: int) -> torch.Tensor:
    """(100, 1, 2000) sines of an octave from `low` Hz on, at random phases."""
    draws = torch.Generator().manual_seed(seed)
    frequency, phase = low * 2 ** torch.rand(100, 1, 1, generator=draws), torch.rand(100, 1, 1, generator=draws)
    return torch.sin(2 * math.pi * (frequency * torch.arange(RATE // 4) / RATE + phase))


def test_quality_depends_on_pitch_and_not_on_phase():
    task = load_task("audio", {"seconds": 0.25})
    same, higher = (task.quality(random_notes(200, 0), random_notes(low, 1)) for low in (200, 800))
    assert higher["distance"] > 20 * same["distance"]
    assert same["coverage"] > 0.8
    assert higher["coverage"] == 0


def test_the_score_hears_pitch_and_not_phase():
    task = load_task("audio", {"seconds": 0.25})

    def apart(low: float) -> float:
        return rule(0.5, *(task.embedding(sounds) for sounds in (random_notes(200, 0), random_notes(low, 1)))).apart

    assert apart(200) < 0.1
    assert apart(800) > 0.6  # of the waveforms, which are orthogonal, it would be 0


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"rate": 80}, "rate: must be 1000 to 48000 .* not 80"),
        ({"rate": "fast"}, "rate: must be a whole number, not 'fast'"),
        ({"seconds": 0.01}, "seconds: must be at least 0.048 at a rate of 8000"),
        ({"seconds": 12.0, "distance": "fad"}, "seconds: must be at most 10 with distance: fad, .* not 12.0"),
        ({"seconds": 0.04}, "seconds: must be at least 0.048 at a rate of 8000"),  # one frame has no neighbour
        ({"kernel": 8}, "kernel: must be odd"),
        ({"networks": "spectral"}, "networks: 'spectral' is not one of spectrum, wave"),
        ({"secnds": 1}, 'did you mean "seconds"'),
    ],
)
def test_errors_name_the_option(options, part):
    with pytest.raises(TaskError, match=part):
        load_task("audio", options)
