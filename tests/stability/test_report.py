import json
import math
import statistics

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.referee import Ruling
from tests.stability.probes import report_on


def test_neither_side_of_the_score_is_good():
    near, far = torch.linspace(-1, 1, 100), torch.linspace(4, 9, 100)
    healthy = report_on(near + 0.4, near - 0.4, ruling=Ruling(0.9, apart=0.1, diversity=1.0)).stability
    useless = Ruling(1.0, apart=0.5, diversity=0.8)
    for real, fake in ((far, -far), (-far, far), (near, near)):
        assert healthy > 0.2 + report_on(real, fake, ruling=useless).stability
    assert report_on(near + 0.4, near - 0.4).stability > 0.1 + report_on(near, near).stability


def test_only_a_d_that_separates_nothing_halves_the_score_of_a_monitor_alone():
    near, samples = torch.linspace(-1, 1, 100), torch.randn(2, 100, 2, generator=torch.Generator().manual_seed(0))
    reports = []
    for shift in (0.0, 0.2):
        monitor = StabilityMonitor()
        monitor.update(near + shift, near - shift, samples=(samples[0], samples[1] + 2))
        reports.append(monitor.report())
    blind, seeing = reports
    assert (blind.verdict, seeing.verdict) == ("uninformative", "uninformative")
    for report, factor in ((blind, 0.5), (seeing, 1.0)):
        separable = 2 * report.separability - 1
        expected = factor * (1 - 0.6 * report.apart - 0.3 * separable**2)
        assert report.stability == pytest.approx(expected, abs=1e-6)


def test_the_volatility_is_that_of_ds_own_loss_on_the_probe():
    monitor, losses = StabilityMonitor(), []
    for shift in (0.0, 1.0, 3.0):
        real, fake = torch.full((8,), shift), torch.full((8,), -shift)
        losses.append(2 * math.log1p(math.exp(-shift)))
        monitor.update(real, fake)
    assert monitor.report().loss_volatility == pytest.approx(statistics.pstdev(losses), rel=1e-4)


def test_a_report_is_text_and_data():
    monitor = StabilityMonitor()
    for step in range(0, 400, 10):
        monitor.update(torch.randn(50) + 1, torch.randn(50) - 1, step, generator_grad_norm=float(step + 1))
    report = monitor.report()
    assert str(report).startswith(f"{report.verdict} (stability {report.stability:.2f}): ")
    data = json.loads(json.dumps(report.summary(), allow_nan=False))
    assert data["verdict"] == report.verdict
    assert data["apart"] is None  # no samples were given
    assert [window["step"] for window in data["windows"]] == [window["step"] for window in report.windows]
