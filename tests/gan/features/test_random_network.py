"""Features of images without a download: they put what is near nearer than what is far."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from gansearch.gan.features.random_network import _network, features_of
from gansearch.gan.quality import coverage, frechet
from gansearch.gan.tasks.digits import load


def photographs() -> torch.Tensor:
    from sklearn.datasets import load_sample_images

    patches = [
        np.lib.stride_tricks.sliding_window_view(image, (32, 32, 3))[::20, ::20, 0].reshape(-1, 32, 32, 3)
        for image in load_sample_images().images
    ]
    images = torch.from_numpy(np.concatenate(patches)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]


@pytest.mark.parametrize(
    "images", [lambda: F.interpolate(load()[0], size=16), photographs], ids=["digits", "photographs"]
)
def test_a_half_is_nearest_then_a_blur_then_noise(images):
    real, other = images().chunk(2)
    random = torch.Generator().manual_seed(0)

    def distance(fake: torch.Tensor) -> float:
        return frechet(features_of(real), features_of(fake))

    half, blurred, noise = (
        other,
        F.avg_pool2d(F.pad(other, (1, 1, 1, 1), mode="reflect"), 3, 1),
        torch.randn(other.shape, generator=random).clamp(-1, 1),
    )
    few = other[torch.randint(8, (len(other),), generator=random)]
    assert 2 * distance(half) < distance(blurred) < distance(noise) / 2
    assert distance(few) > 4 * distance(half)
    assert coverage(features_of(real), features_of(few)) < 0.2 < 0.6 < coverage(features_of(real), features_of(half))


def test_features_are_the_same_in_every_process_and_take_no_randomness():
    images = torch.linspace(-1, 1, 2 * 3 * 16 * 16).reshape(2, 3, 16, 16)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    found = features_of(images)
    assert found.shape == (2, 64)
    assert torch.equal(torch.get_rng_state(), before)


def test_they_take_none_of_the_random_numbers_of_a_run():
    _network.cache_clear()
    torch.manual_seed(0)
    features_of(torch.zeros(2, 1, 16, 16))
    drawn = torch.rand(3)
    torch.manual_seed(0)
    assert torch.equal(torch.rand(3), drawn)
