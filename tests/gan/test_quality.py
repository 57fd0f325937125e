import math

import pytest
import torch

from gansearch.gan import quality
from gansearch.gan.tasks.digits import classifier, load
from gansearch.gan.tasks.points import Grid, Ring


def test_sliced_wasserstein_of_a_shift():
    points = torch.randn(2000, 2)
    assert quality.sliced_wasserstein(points, points + torch.tensor([3.0, 0.0])) == pytest.approx(
        3 / math.sqrt(2), rel=0.1
    )
    assert quality.sliced_wasserstein(points, points) == 0


def test_frechet_of_gaussians_in_closed_form():
    draws = torch.Generator().manual_seed(0)
    real = torch.randn(200_000, 3, generator=draws)
    fake = 2 * torch.randn(200_000, 3, generator=draws) + 1
    assert quality.frechet(real, fake) == pytest.approx(3 * 1 + 3 * (1 + 4 - 2 * 2), rel=0.02)
    assert quality.frechet(real, real) == pytest.approx(0, abs=1e-6)


def test_coverage_has_its_ceiling_and_its_floor():
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 1000, 2, generator=draws)
    assert quality.coverage(real, fake) == pytest.approx(0.969, abs=0.02)
    assert quality.coverage(real, fake[:1].expand(1000, 2)) < 0.02


def test_label_kl_of_equal_shares_is_nothing_and_of_one_class_the_logarithm():
    labels = torch.arange(1000) % 10
    assert quality.label_kl(labels, labels.flip(0), 10) == pytest.approx(0)
    assert quality.label_kl(labels, torch.zeros(1000, dtype=torch.long), 10) == pytest.approx(math.log(10), rel=0.05)


@pytest.mark.parametrize("task", [Ring(), Grid()])
def test_the_data_itself_hits_every_mode(task):
    measured = task.quality(task.real()[:2000], task.real()[2000:4000])
    assert measured["modes_hit"] == measured["modes_2pct"] == len(task.centres)
    assert measured["high_quality"] == pytest.approx(0.9889, abs=0.01)
    one = task.quality(task.real()[:2000], task.centres[:1].expand(2000, 2))
    assert (one["modes_hit"], one["modes_2pct"], one["high_quality"]) == (1, 1, 1)
    assert one["distance"] > 10 * measured["distance"]


def test_the_classifier_knows_digits_that_it_never_saw():
    images, labels = load()
    with torch.no_grad():
        right = classifier()(images[::5]).argmax(1) == labels[::5]
    assert right.float().mean() > 0.97
