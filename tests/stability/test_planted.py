"""Faults planted into the samples of perfect generators: what benchmarks/planted.py calls seen stays seen."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def planted(benchmarks):
    return benchmarks("planted")


@pytest.fixture(scope="module")
def kinds(planted):
    """The kinds whose referee or trees take under a second, by name."""
    return {kind.name: kind for kind in (planted.points(planted.Ring()), planted.digits(), planted.tables())}


@pytest.mark.parametrize("name", ["ring", "digits", "wages"])
def test_a_perfect_generator_is_balanced(planted, kinds, name):
    outcome = planted.judged(kinds[name], kinds[name].sound, seed=7)
    assert outcome.report.verdict == "balanced"
    assert outcome.report.observer_auc == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize(
    ("name", "fault", "verdict", "words"),
    [
        ("ring", "copies of training samples", "collapsed", "copies of one"),
        ("ring", "half the samples copies of ten", "collapsed", "equal another one"),
        ("ring", "the mean shifted by ¼ of a standard deviation", "uninformative", "surest of samples"),
        ("digits", "copies of training samples", "collapsed", "copies of one"),
        ("wages", "copies of training samples", "collapsed", "copies of one"),
        ("wages", "a column rounded: wage to 50", "uninformative", "by the columns wage ("),
        ("wages", "a column independent of the others: wage", "uninformative", "by how columns go together"),
    ],
)
def test_a_fault_that_the_verdict_sees(planted, kinds, name, fault, verdict, words):
    report = planted.judged(kinds[name], kinds[name].faults[fault], seed=7).report
    assert report.verdict == verdict
    assert words in report.sentence


def test_a_last_tenth_in_which_d_is_certain_is_the_verdict(planted, kinds):
    report = planted.judged(kinds["ring"], kinds["ring"].sound, seed=7, certain=True).report
    assert report.verdict == "discriminator_saturated"
    assert report.late_since == 45


def test_a_fault_is_seen_by_distance_where_it_lies_far_from_the_sound_ones(planted):
    def row(verdict, far):
        return planted.Row("a fault", planted.Counter([verdict]), 0.6, far).seen_by

    assert row("balanced", 2.9) == []
    assert row("balanced", -3.1) == ["distance"]
    assert row("collapsed", 3.1) == ["verdict", "distance"]


def test_the_summary_has_a_column_for_each_kind_and_an_empty_cell_where_a_fault_does_not_apply(planted):
    seen = {"a": {"one": ["verdict", "distance"], "two": []}, "b": {"two": ["distance"]}}
    assert planted.summary(seen).splitlines()[2:] == ["| one | both |  |", "| two | **not seen** | distance |"]


def test_a_missing_mode_of_the_ring_is_seen_by_distance_alone(planted, kinds):
    ring = kinds["ring"]
    sound, missing = (planted.judged(ring, source, seed=7) for source in (ring.sound, ring.without_mode))
    assert missing.report.verdict == "balanced"
    assert missing.distance > 3 * sound.distance
