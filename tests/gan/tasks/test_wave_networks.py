import pytest
import torch
from torch import nn

from gansearch.gan.tasks.wave_networks import wave_discriminator, wave_generator


def test_a_second_at_16_khz_has_the_layers_of_wavegan():
    network = wave_generator(16_384, 64, 25, 100)
    layers = [layer for layer in network if isinstance(layer, nn.ConvTranspose1d)]
    assert [layer.in_channels for layer in layers] == [1024, 512, 256, 128, 64]
    assert network[0].out_features == 16 * 1024


@pytest.mark.parametrize("length", [256, 1_584, 2_000, 4_000])
@pytest.mark.parametrize("kernel", [5, 9, 25])
def test_networks_fit_every_length(length, kernel):
    sounds = wave_generator(length, 2, kernel, 4)(torch.randn(3, 4))
    assert sounds.shape == (3, 1, length)
    assert sounds.abs().max() <= 1
    assert wave_discriminator(length, 2, kernel)(sounds).shape == (3, 1)
