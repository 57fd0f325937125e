import pytest
import torch

from gansearch.gan.tasks.pair_networks import Scales, UNet, patch_discriminator
from gansearch.gan.tasks.pix2pix import SIZES


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("latent_dim", [0, 3])
def test_the_u_net_fits_every_size(size, latent_dim):
    generator = UNet(size, 3, 1, 2, 0.5, latent_dim)
    latents = [torch.randn(2, latent_dim)] if latent_dim else []
    pictures = generator(*latents, torch.randn(2, 3, size, size))
    assert pictures.shape == (2, 1, size, size)
    assert pictures.abs().max() <= 1


def test_latents_and_inputs_both_matter():
    generator = UNet(16, 1, 1, 2, 0.0, 3).eval()
    latents, inputs = torch.randn(2, 3), torch.randn(2, 1, 16, 16)
    made = generator(latents, inputs)
    assert not torch.equal(made, generator(latents.flip(0), inputs))
    assert not torch.equal(made, generator(latents, inputs.flip(0)))


@pytest.mark.parametrize(("layers", "side"), [(1, 8), (2, 18), (3, 38)])
def test_a_patch_sees_as_many_pixels_as_is_said(layers, side):
    pixels = torch.zeros(1, 1, 64, 64, requires_grad=True)
    scores = patch_discriminator(1, 2, layers)(pixels)
    assert scores.shape == (1, 1, 64 >> layers, 64 >> layers)
    middle = scores.shape[-1] // 2
    (gradient,) = torch.autograd.grad(scores[0, 0, middle, middle], pixels)
    assert int((gradient[0, 0] != 0).any(0).sum()) == side


def test_each_scale_sees_half_the_size_of_the_one_before():
    network = Scales(2, 2, 2, 3)
    scores = network(torch.randn(2, 1, 32, 32), torch.randn(2, 1, 32, 32))
    assert [tuple(one.shape) for one in scores] == [(2, 1, 8, 8), (2, 1, 4, 4), (2, 1, 2, 2)]
    assert sum(p.numel() for p in network.parameters()) == 3 * sum(
        p.numel() for p in network.discriminators[0].parameters()
    )
