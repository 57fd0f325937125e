import pytest
import torch

from gansearch.gan.distances.extrapolation import frechet_infinity
from gansearch.gan.quality import frechet


def gaussians(count, scale, shift, draws, width=16):
    """Samples of two Gaussians of decreasing variances; their Fréchet distance in closed form."""
    spreads = 1 / torch.arange(1, width + 1).double().sqrt()
    truth = width * shift**2 + float((spreads * (scale - 1)).square().sum())
    real = torch.randn(count, width, generator=draws) * spreads
    return real, torch.randn(count, width, generator=draws) * spreads * scale + shift, truth


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.3, 0.1)])
@pytest.mark.parametrize("count", [32, 160])  # twice as many as features, and ten times
def test_it_is_right_to_its_error_where_the_plain_distance_is_far_too_large(count, scale, shift):
    draws = torch.Generator().manual_seed(0)
    runs = []
    for _ in range(60):
        real, fake, truth = gaussians(count, scale, shift, draws)
        runs.append((*frechet_infinity(real, fake), frechet(real, fake)))
    values, errors, plain = torch.tensor(runs).T
    spread = float(values.std())
    assert float(values.mean()) == pytest.approx(truth, abs=3 * spread / len(runs) ** 0.5)
    assert spread / 1.5 < float(errors.mean()) < 2.5 * spread
    assert float(plain.mean()) - truth > 2 * spread


def test_of_many_samples_it_is_the_plain_distance():
    real, fake, truth = gaussians(20_000, 1.3, 0.1, torch.Generator().manual_seed(0))
    estimate = frechet_infinity(real, fake)
    assert estimate.value == pytest.approx(truth, rel=0.05)
    assert estimate.value == pytest.approx(frechet(real, fake), rel=0.02)
    assert estimate.error < 0.05 * truth
