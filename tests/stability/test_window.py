import math

import pytest
import torch

from gansearch.stability import StabilityMonitor


def probe(real, fake, **given):
    monitor = StabilityMonitor()
    monitor.update(torch.tensor(real), torch.tensor(fake), **given)
    return monitor.rows()[0]


def test_a_sum_of_windows_weighs_every_output_alike():
    few, many = probe([5.0], [-5.0], step=1), probe([0.0] * 3, [5.0] * 3, step=2)
    both = few + many
    assert (both.step, both.probes, both.n_real) == (2, 2, 4)
    assert both.saturated_right() == pytest.approx((1 / 4 + 1 / 4) / 2)
    assert both.saturated_wrong() == pytest.approx((0 + 3 / 4) / 2)
    assert both.mean_separability == pytest.approx((1 + 0) / 2)
    assert both.accuracy == pytest.approx((1 / 4 + 1 / 4) / 2)


def test_what_was_not_given_is_nan():
    window = probe([1.0], [0.0])
    assert math.isnan(window.grad_norm)
    assert math.isnan(window.grad_variation)
    assert math.isnan(window.mean("apart"))
    assert probe([1.0], [0.0], generator_grad_norm=2.0).grad_norm == 2.0
