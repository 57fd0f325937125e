import math

import pytest
import torch

from gansearch.stability import StabilityMonitor
from tests.stability.probes import report_on


def test_a_sentence_says_since_when_and_what_to_change():
    monitor, near, far = StabilityMonitor(), torch.linspace(-1, 1, 64), torch.linspace(4, 9, 64)
    for step in range(100, 2100, 100):
        late = step > 1000
        monitor.update(far if late else near, -far if late else near - 0.4, step, generator_grad_norm=1.0 + step % 300)
    report = monitor.report(since=1000)
    assert report.verdict == "discriminator_saturated"
    assert "from update 1,000 on" in report.sentence
    assert "100%" in report.sentence
    assert "lr_ratio" in report.sentence


def test_a_sentence_never_says_zero_percent():
    near = torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for shift, verdict in ((1.2, "discriminator_saturated"), (0.4, "balanced"), (-1.2, "generator_dominates")):
        monitor = StabilityMonitor()
        fakes = data.flip(0) if verdict == "balanced" else data + 5
        monitor.update(near + shift, near - shift, samples=(data, fakes))
        assert monitor.report().verdict == verdict
        assert "0%" not in monitor.report().sentence


def test_a_d_that_separates_what_is_far_is_not_said_to_tell_nothing_apart():
    near, data = torch.linspace(-1, 1, 64), torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for shift, said in (
        (0.3, "D does not show G in what its samples differ from the data"),
        (0.0, "it tells nothing apart"),
    ):
        monitor = StabilityMonitor()
        monitor.update(near + shift, near - shift, samples=(data, data + 5) if shift else None)
        assert monitor.report().verdict == "uninformative"
        assert said in monitor.report().sentence


def test_a_sentence_names_a_d_that_memorises():
    near = torch.linspace(-1, 1, 64)
    monitor, fair = StabilityMonitor(), StabilityMonitor()
    monitor.update(near, near - 0.5, seen=near + 3)
    fair.update(near, near - 0.5, seen=near[:32].flip(0).repeat(2) * -1)
    assert monitor.report().held_out_gap == 1
    assert "100% of the time: it memorises" in monitor.report().sentence
    assert abs(fair.report().held_out_gap) < 0.6
    unknown = report_on(near, near - 0.5)
    assert math.isnan(unknown.held_out_gap)


@pytest.mark.parametrize(
    ("norms", "trouble"),
    [
        ([1.0] * 20, ""),
        ([1.0] * 10 + [1e-5] * 10, "vanishing"),
        ([500.0] * 20, "exploding"),
        ([0.1, 0.1, 0.1, 5.0] * 5, "noisy"),
    ],
)
def test_what_is_wrong_with_gs_gradient(norms, trouble):
    monitor, sure = StabilityMonitor(), torch.linspace(4, 9, 64)
    for step, norm in enumerate(norms, 1):
        monitor.update(sure, -sure, step, generator_grad_norm=norm)
    report = monitor.report(since=10)
    assert report.gradient == trouble
    words = {"": "", "vanishing": "has vanished", "exploding": "explodes", "noisy": "varies by"}[trouble]
    assert words in report.sentence
    assert report.grad_norm == pytest.approx(sum(norms[10:]) / 10)
