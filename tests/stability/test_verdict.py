from dataclasses import replace

import pytest
import torch

from gansearch.stability import StabilityMonitor
from gansearch.stability.classes import ClassRuling
from gansearch.stability.referee import Ruling
from gansearch.stability.verdict import hopeless, worst
from tests.stability.probes import report_on


def test_scores_and_a_ruling_decide_the_verdict():
    near, far = torch.linspace(-1, 1, 100), torch.linspace(4, 9, 100)
    assert report_on(far, -far).verdict == "discriminator_saturated"
    assert report_on(-far, far).verdict == "generator_dominates"
    assert report_on(near, near).verdict == "uninformative"
    assert report_on(near + 0.4, near - 0.4).verdict == "balanced"
    assert report_on(near, near, ruling=Ruling(0.5, apart=0.05, diversity=1.0)).verdict == "balanced"
    assert report_on(near, near, ruling=Ruling(0.9, apart=0.05, diversity=1.0)).verdict == "uninformative"
    assert report_on(near, near, ruling=Ruling(0.9, apart=0.5, diversity=1.0)).verdict == "uninformative"
    assert report_on(near, near, ruling=Ruling(0.9, apart=0.5, diversity=0.1)).verdict == "collapsed"


def ruled(**measures):
    """A ruling on good samples, one class of which may not be."""
    usual = {"count": 30, "apart": 0.05, "diversity": 1.0, "distinctness": 1.0, "hits": 0.9, "expected": 0.9}
    classes = [ClassRuling(label=i, name=str(i), chance=0.1, **usual) for i in range(10)]
    return Ruling(0.5, apart=0.05, diversity=1.0, classes=(*classes[:7], replace(classes[7], **measures), *classes[8:]))


@pytest.mark.parametrize(
    ("measures", "verdict", "words"),
    [
        ({}, "balanced", "D separates"),
        (
            {"diversity": 0.08},
            "collapsed",
            "G has collapsed in class 7: its samples there spread 8% as wide as the data",
        ),
        (
            {"distinctness": 0.1},
            "collapsed",
            "G has collapsed in class 7: its samples there are a few, again and again",
        ),
        ({"hits": 0.1}, "uninformative", "Fakes miss class 7: 10% of those asked for it are nearest to a real of the"),
        ({"hits": 0.7}, "balanced", "D separates"),
        ({"hits": 0.38, "expected": 1.0, "count": 8}, "balanced", "D separates"),  # 3 of 8 may be chance
        ({"hits": 0.38, "expected": 1.0, "count": 100}, "uninformative", "Fakes miss class 7"),
    ],
)
def test_one_bad_class_is_a_bad_run_and_is_named(measures, verdict, words):
    near = torch.linspace(-1, 1, 100)
    report = report_on(near + 0.4, near - 0.4, ruling=ruled(**measures))
    assert report.verdict == verdict
    assert words in report.sentence


def test_a_class_that_is_far_from_its_data_lowers_the_stability():
    near = torch.linspace(-1, 1, 100)
    right, wrong = (report_on(near + 0.4, near - 0.4, ruling=ruled(apart=apart)) for apart in (0.05, 0.9))
    assert right.stability - wrong.stability == pytest.approx(0.6 * ((0.9**2 / 10) ** 0.5 - 0.05), abs=0.01)
    assert right.apart == wrong.apart


@pytest.mark.parametrize(("share", "verdict"), [(0.24, "balanced"), (0.26, "collapsed")])
@pytest.mark.parametrize(("of", "words"), [("repeated", "equal another one"), ("copied", "training samples back")])
def test_a_generator_of_copies_is_collapsed(of, words, share, verdict):
    near = torch.linspace(-1, 1, 100)
    ruling = Ruling(0.5, apart=0.05, diversity=1.0, **{of: share})
    report = report_on(near + 0.4, near - 0.4, ruling=ruling)
    assert report.verdict == verdict
    assert (words in report.sentence) == (verdict == "collapsed")


def test_samples_show_collapse_where_scores_do_not():
    near = torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for fakes, verdict, words in (
        (data.flip(0), "balanced", "D separates"),
        (data[:1].expand(64, 2), "collapsed", "nearly the same sample"),
        (data[:5].repeat(13, 1)[:64], "collapsed", "repeats a few samples"),
    ):
        monitor = StabilityMonitor()
        monitor.update(near + 0.4, near - 0.4, samples=(data, fakes))
        report = monitor.report()
        assert report.verdict == verdict
        assert words in report.sentence


def test_samples_that_jump_from_probe_to_probe_are_an_oscillation_whatever_d_says():
    monitor, near = StabilityMonitor(), torch.linspace(-1, 1, 64)
    data = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    for step in range(1, 21):
        monitor.update(near + 0.4, near - 0.4, step * 100, samples=(data, data + (5 if step % 2 else -5)))
    report = monitor.report()
    assert report.verdict == "oscillating"
    assert report.moved > 0.5
    assert "little in common" in report.sentence


def test_a_run_is_beyond_hope_once_d_has_been_certain_and_right_for_long():
    certain = torch.linspace(5, 9, 20)
    monitor = StabilityMonitor()
    for step in range(1, 21):
        monitor.update(certain, -certain, step)
    rows = monitor.rows()
    assert hopeless(rows, 0.39) is None
    assert "certain and right" in hopeless(rows, 0.4)
    assert hopeless(rows[:9], 0.9) is None  # too few probes
    monitor.update(torch.tensor([float("nan")]), torch.zeros(1), 21)
    assert "no longer finite" in hopeless(monitor.rows(), 0.0)


def test_a_run_is_beyond_hope_once_its_samples_have_been_far_for_long():
    near, data = torch.linspace(-1, 1, 20), torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    monitor = StabilityMonitor()
    for step in range(1, 21):
        monitor.update(near, near, step, samples=(data, data + 9))
    assert hopeless(monitor.rows(), 0.24) is None
    assert "far from the data since update 11" in hopeless(monitor.rows(), 0.25)


def test_the_worst_verdict_comes_first():
    assert worst(["balanced", "collapsed", "oscillating"]) == "collapsed"
