import math

import pytest
import torch

from gansearch.gan import quality


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
    assert quality.frechet(real[:, :1], fake[:, :1]) == pytest.approx(1 + 1, rel=0.02)


def test_frechet_is_the_librarys_number_also_of_fewer_samples_than_features():
    library = pytest.importorskip("torchmetrics.image.fid", exc_type=ImportError)
    draws = torch.Generator().manual_seed(0)
    for count in (20, 400):
        real = torch.randn(count, 40, generator=draws).double() * torch.rand(40, generator=draws)
        fake = torch.randn(count, 40, generator=draws).double() + 0.5
        theirs = library._compute_fid(real.mean(0), torch.cov(real.T), fake.mean(0), torch.cov(fake.T))
        assert quality.frechet(real, fake) == pytest.approx(float(theirs), rel=1e-5)


def test_coverage_has_its_ceiling_and_its_floor():
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 1000, 2, generator=draws)
    assert quality.coverage(real, fake) == pytest.approx(0.969, abs=0.02)
    assert quality.coverage(real, fake[:1].expand(1000, 2)) < 0.02


def test_coverage_is_the_same_far_from_zero():
    draws = torch.Generator().manual_seed(0)
    real, fake = (0.1 * points for points in torch.randn(2, 1000, 2, generator=draws))
    places = torch.tensor([48.1, 11.6])  # degrees of latitude and longitude
    assert quality.coverage(real + places, fake + places) == pytest.approx(quality.coverage(real, fake), abs=0.02)


def test_label_kl_of_equal_shares_is_nothing_and_of_one_class_the_logarithm():
    labels = torch.arange(1000) % 10
    assert quality.label_kl(labels, labels.flip(0), 10) == pytest.approx(0)
    assert quality.label_kl(labels, torch.zeros(1000, dtype=torch.long), 10) == pytest.approx(math.log(10), rel=0.05)


def test_gram_divergence_of_the_same_of_nothing_in_common_and_in_closed_form():
    ab, cd = torch.tensor([[0, 1, 0, 1]]), torch.tensor([[2, 3, 2, 3]])
    for n in (1, 2, 3):
        assert quality.gram_divergence(ab, ab, n) == 0
        assert quality.gram_divergence(ab, cd, n) == pytest.approx(1)
    # All a against half a, half b: H(3/4) − H(1/2) / 2 bits.
    aaaa = torch.zeros(1, 4, dtype=torch.long)
    closed = -0.75 * math.log2(0.75) - 0.25 * math.log2(0.25) - 0.5
    assert quality.gram_divergence(aaaa, ab, 1) == pytest.approx(closed)
    assert quality.gram_divergence(torch.tensor([[0, 1, 0]]), torch.tensor([[1, 0, 1]]), 2) == 0  # both have ab and ba


def test_the_marginal_distance_is_a_shift_or_the_shares_that_moved():
    numbers = torch.randn(500, 1, generator=torch.Generator().manual_seed(0))
    assert quality.marginal_distance(numbers, numbers + 2) == pytest.approx(2)
    three = torch.eye(3)
    assert quality.marginal_distance(three[[0, 1]], three[[0, 2]]) == pytest.approx(0.5)


def test_the_correlation_distance_is_the_mean_over_pairs_of_columns():
    draws = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 5_000, 1, generator=draws)
    same, apart = [x, x, y], [x, y, y]
    assert quality.correlation_distance(same, same) == 0
    assert quality.correlation_distance(same, apart) == pytest.approx(2 / 3, abs=0.02)  # of x with the second, and y
    constant = [x, torch.ones_like(x), y]
    assert quality.correlation_distance(same, constant) == pytest.approx(1 / 3, abs=0.02)
    assert quality.correlation_distance([x], [y]) == 0


def test_a_classifier_tells_what_can_be_told():
    rows = torch.randn(800, 3, generator=torch.Generator().manual_seed(0)).numpy()
    assert quality.two_sample_auc(rows[:400], rows[400:]) == pytest.approx(0.5, abs=0.06)
    assert quality.two_sample_auc(rows[:400], rows[400:] + 3) > 0.99
