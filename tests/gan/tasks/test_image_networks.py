import pytest
import torch

from gansearch.gan.tasks import image_networks


@pytest.mark.parametrize("networks", ["dcgan", "resnet"])
@pytest.mark.parametrize("size", image_networks.SIZES)
def test_networks_fit_every_size(networks, size):
    generator = getattr(image_networks, f"{networks}_generator")(size, 3, 2, 4)
    discriminator = getattr(image_networks, f"{networks}_discriminator")(size, 3, 2)
    images = generator(torch.randn(2, 4))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images).shape == (2, 1)


def test_channels_double_with_each_halving_down_to_four_pixels():
    shapes = [
        layer.weight.shape[:2] for layer in image_networks.dcgan_discriminator(32, 1, 5) if hasattr(layer, "stride")
    ]
    assert shapes == [(5, 1), (10, 5), (20, 10)]
