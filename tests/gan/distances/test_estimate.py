import math

import pytest

from gansearch.gan.distances.estimate import positive


def test_an_estimate_well_above_its_noise_is_itself():
    assert positive(1.0, 1e-3) == pytest.approx(1.0, rel=2e-6)
    assert positive(1.0, 0.0) == 1.0
    assert positive(-1.0, 0.0) == 0.0


def test_estimates_at_and_below_zero_are_positive_in_their_order():
    values = [-30.0, -1.0, -0.1, 0.0, 0.1, 1.0, 30.0]
    kept = [positive(value, 0.5) for value in values]
    assert kept == sorted(kept)
    assert kept[0] > 0
    assert positive(0.0, 0.5) == 0.5
    assert math.log(kept[0]) == pytest.approx(2 * math.log(0.5) - math.log(kept[-1]))  # odd around the noise


def test_what_is_no_number_stays_none():
    assert math.isnan(positive(math.nan, 0.5))
    assert positive(math.inf, 0.5) == math.inf
