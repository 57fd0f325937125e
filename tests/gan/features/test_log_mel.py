import math

import pytest
import torch

from gansearch.gan.features.log_mel import log_mel

RATE = 8_000


def test_a_sine_is_loudest_in_the_band_of_its_pitch():
    sine = torch.sin(2 * math.pi * 1_000 * torch.arange(RATE) / RATE)[None]
    spectrum = log_mel(sine, RATE)[0]
    mel = 2595 * math.log10(1 + 1_000 / 700) / (2595 * math.log10(1 + RATE / 2 / 700)) * 33
    assert abs(int(spectrum.mean(0).argmax()) + 1 - mel) < 1
    assert float(spectrum.exp().sum(1).mean()) == pytest.approx(1.5, abs=0.15)  # a Hann window's leakage included
