"""Distances as a user's class calls them."""

import pytest
import torch
from torch import nn

import gansearch
from gansearch import distances
from gansearch.gan import quality
from gansearch.gan.distances.kernel import kid
from gansearch.gan.task import TaskError


def two(count=200, shift=0.5):
    draws = torch.Generator().manual_seed(0)
    return torch.randn(count, 2, 3, generator=draws), torch.randn(count, 2, 3, generator=draws) + shift


def test_the_package_gives_them_by_attribute_and_by_import():
    assert gansearch.distances is distances
    assert set(distances.__all__) >= {"kid", "fid", "cmmd", "fd_dinov2", "fad", "mauve", "sdmetrics"}
    assert all(callable(getattr(distances, name)) for name in distances.__all__)


def test_features_are_the_samples_a_function_or_a_network_by_its_name():
    real, fake = two()
    flat = distances.kid(real, fake, features=None)
    assert flat["kid"] == kid(real.flatten(1), fake.flatten(1)).value
    assert distances.kid(real, fake, features=lambda samples: samples.flatten(1)) == flat
    network = nn.Sequential(
        nn.Conv1d(2, 4, 1), nn.Unflatten(1, (2, 2))
    )  # with gradients, and features that are not flat
    assert distances.kid(real, fake, features=network)["distance"] > 0
    images = torch.rand(40, 1, 16, 16) * 2 - 1
    assert distances.kid(images[:20], images[20:], features="random")["distance"] > 0
    with pytest.raises(TaskError, match="'incepton' is not one of random, inception"):
        distances.kid(images, images, features="incepton")


def test_a_frechet_distance_is_corrected_or_refused():
    real, fake = two()
    measured = distances.frechet(real, fake)
    assert measured["frechet_infinity"] < quality.frechet(real.flatten(1), fake.flatten(1))
    with pytest.raises(TaskError, match="frechet of 11 held-out samples"):
        distances.frechet(real[:11], fake)


def test_more_fakes_than_reals_do_no_harm():
    real, fake = two()
    assert distances.kid(real[:150], fake, features=None) == distances.kid(real[:150], fake[:150], features=None)
