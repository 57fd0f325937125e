"""Trouble at the end of a run."""

import math

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.referee import Ruling

NEAR, FAR = torch.linspace(-1, 1, 64), torch.linspace(5, 9, 64)
NEAR_DATA = Ruling(0.7, apart=0.05, diversity=1.0)


def report_of(troubled, ruling=NEAR_DATA, probes=50):
    """The report on a run of so many probes, 20 updates apart, of which those in `troubled` have a certain D."""
    monitor = StabilityMonitor()
    for probe in range(probes):
        real, fake = (FAR, -FAR) if probe in troubled else (NEAR + 0.3, NEAR - 0.3)
        monitor.update(real, fake, 20 * (probe + 1))
    return monitor.report(since=10 * probes, ruling=ruling)


@pytest.mark.parametrize("probes", [3, 5, 10])
def test_a_run_that_breaks_at_its_end_is_what_it_ends_as(probes):
    report, sound = report_of(range(50 - probes, 50)), report_of(())
    assert sound.verdict == "balanced"
    assert math.isnan(sound.late_since)
    assert report.verdict == "discriminator_saturated"
    assert report.late_since == 20 * (50 - probes)
    assert f"from update {report.late_since:,.0f} to the end" in report.sentence
    assert "100% of its outputs are right" in report.sentence
    assert report.stability < sound.stability - 0.05
    assert report.figure().layout.shapes[0].x0 == report.late_since
    assert not sound.figure().layout.shapes


@pytest.mark.parametrize("troubled", [(48, 49), (49,), (30, 31, 32, 33), (25, 30, 35, 40, 45, 49)])
def test_a_run_that_recovers_or_has_an_odd_probe_does_not_end_in_trouble(troubled):
    report = report_of(troubled)
    assert report.verdict == "balanced"
    assert math.isnan(report.late_since)


def test_the_end_decides_between_two_troubles():
    far_off = Ruling(0.99, apart=0.5, diversity=1.0)
    assert report_of((), far_off).verdict == "uninformative"
    report = report_of(range(45, 50), far_off)
    assert report.verdict == "discriminator_saturated"
    assert report.late_since == 900


def test_a_run_in_trouble_all_along_has_no_late_trouble():
    report = report_of(range(50))
    assert report.verdict == "discriminator_saturated"
    assert math.isnan(report.late_since)
    assert "all along" in report.sentence


def test_a_d_that_comes_to_separate_nothing_is_no_trouble_where_no_referee_was_asked():
    monitor = StabilityMonitor()
    for probe in range(50):
        shift = 0.0 if probe >= 45 else 0.3
        monitor.update(NEAR + shift, NEAR - shift, 20 * (probe + 1))
    assert monitor.report(since=500).verdict == "balanced"


def test_samples_that_leave_the_data_late_are_trouble_without_a_referee_too():
    samples = torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(0))
    monitor = StabilityMonitor()
    for probe in range(50):
        off = 3.0 if probe >= 45 else 0.0
        monitor.update(NEAR + 0.3, NEAR - 0.3, 20 * (probe + 1), samples=(samples[0], samples[1] + off))
    report = monitor.report(since=500)
    assert report.verdict == "uninformative"
    assert report.late_since == 900
