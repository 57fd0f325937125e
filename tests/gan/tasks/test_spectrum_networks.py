import math

import pytest
import torch

from gansearch.gan.tasks.spectrum_networks import Sound, Spectrum, frames_of

RATE = 8_000


def test_a_constant_spectrum_becomes_its_sine():
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


def test_silence_and_a_full_sine_are_the_ends_of_a_spectrum():
    frames = frames_of(2_000, RATE)
    sine = torch.sin(2 * math.pi * 20 / frames.size * torch.arange(2_000))[None, None]
    assert Spectrum(frames)(torch.zeros(1, 1, 2_000)).max() == pytest.approx(-1)
    assert Spectrum(frames)(sine)[0, 0, :, 1:-1].max() == pytest.approx(1, abs=0.01)


def test_penalties_reach_d_through_the_spectrum():
    spectrum = Spectrum(frames_of(256, RATE))
    sounds = torch.randn(1, 1, 256, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda s: spectrum.double()(s).square().mean(), sounds, fast_mode=True)
