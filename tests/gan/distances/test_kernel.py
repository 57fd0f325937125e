import pytest
import torch

from gansearch.gan.distances.kernel import cmmd, cubic, gaussian, kid


def by_hand(x, y, kernel):
    """Gretton et al. 2012, equation 3, with whole matrices."""
    x, y = x.double(), y.double()
    pairs = len(x) * (len(x) - 1)
    within = sum((k.sum() - k.trace()) / pairs for k in (kernel(x, x), kernel(y, y)))
    return float(within - 2 * kernel(x, y).mean())


@pytest.mark.parametrize(("estimate", "kernel"), [(kid, cubic), (cmmd, gaussian)])
@pytest.mark.parametrize("count", [20, 512, 1_100])  # less than a block of rows, one, and a broken number of them
def test_the_value_is_the_unbiased_estimator_written_out(estimate, kernel, count):
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(count, 8, generator=draws), torch.randn(count, 8, generator=draws) + 0.3
    assert estimate(real, fake).value == pytest.approx(by_hand(real, fake, kernel), rel=1e-9)


def test_kid_is_the_librarys_number():
    library = pytest.importorskip("torchmetrics.image.kid", exc_type=ImportError)
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(300, 8, generator=draws).double(), torch.randn(300, 8, generator=draws).double() + 0.2
    assert kid(real, fake).value == pytest.approx(float(library.poly_mmd(real, fake)), rel=1e-9)


def test_the_kernels_are_those_of_the_papers():
    x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    assert float(cubic(x, y)) == pytest.approx((3 / 2 + 1) ** 3)
    squared = (1 - 0.6) ** 2 + 0.8**2  # of the unit vectors
    assert float(gaussian(x, y)) == pytest.approx(1000 * 2.718281828 ** (-squared / 200))


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_it_has_no_bias_and_says_its_error_at_zero_and_beyond(shift):
    draws = torch.Generator().manual_seed(1)
    # E k(x, y) of the cubic kernel in closed form is not needed: many samples give it.
    many = [torch.randn(4_000, 4, generator=draws) for _ in range(2)]
    truth = 0.0 if shift == 0 else kid(many[0], many[1] + shift).value
    runs = [kid(torch.randn(100, 4, generator=draws), torch.randn(100, 4, generator=draws) + shift) for _ in range(200)]
    values, errors = (torch.tensor(part) for part in zip(*runs, strict=True))
    spread = float(values.std())
    assert float(values.mean()) == pytest.approx(truth, abs=3 * spread / len(runs) ** 0.5 + 0.002)
    assert float(errors.mean()) == pytest.approx(spread, rel=0.2)
    assert (values < 0).any()


def test_the_same_samples_have_no_distance():
    samples = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    assert kid(samples, samples).value <= 0
    constant = torch.ones(50, 3)
    assert kid(constant, constant) == (0, 0)


def test_of_unequal_numbers_the_first_are_compared():
    draws = torch.Generator().manual_seed(0)
    real, fake = torch.randn(40, 3, generator=draws), torch.randn(30, 3, generator=draws)
    assert kid(real, fake) == kid(real[:30], fake)
