"""The band of healthy runs."""

from __future__ import annotations

import numpy as np
import pytest

from gansearch.stability.band import FEWEST, MEASURES, band_of, shipped_band


def run(separability: float, probes: int = 11) -> dict[str, np.ndarray]:
    flat = np.full(probes, separability)
    return {"share": np.linspace(0, 1, probes), "p_real": flat, "p_fake": 1 - flat, "separability": flat}


def test_a_run_among_the_others_is_inside_and_a_far_one_is_not():
    band = band_of([run(one) for one in np.linspace(0.6, 0.8, 21)], "runs")
    assert band.inside(run(0.7)) == 1
    assert band.inside(run(0.99)) == 0
    half = run(0.7)
    half["p_fake"][6:] = 0.0
    assert band.inside(half) == pytest.approx(6 / 11)
    assert band.usual == pytest.approx(1.0)  # the two runs at the ends are less than a tenth


def test_measures_that_a_run_lacks_are_not_judged():
    band = band_of([run(one) for one in np.linspace(0.6, 0.8, 21)], "runs")
    assert band.inside({"share": np.linspace(0, 1, 3), "p_real": np.full(3, 0.7)}) == 1
    assert np.isnan(band.inside({"share": np.zeros(0), "p_real": np.zeros(0)}))


def test_few_runs_make_no_band():
    assert band_of([run(0.7)] * (FEWEST - 1), "runs") is None


@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "wgan", "relativistic"])
def test_the_shipped_bands_are_within_the_ends_of_a_share(loss):
    band = shipped_band(loss)
    for name in MEASURES:
        low, high = band.ends[name]
        assert ((low >= 0) & (low < high) & (high <= 1)).all()
    assert band.runs >= FEWEST
    assert ("loss" in band.source) == (loss != "relativistic")
    assert band.inside(run(0.999)) < band.usual
