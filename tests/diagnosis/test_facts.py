import pytest

from gansearch.diagnosis import facts
from tests.diagnosis.logs import evidence_of, noisy


def test_the_mean_loss_bounds_ds_accuracy():
    (text,) = facts.facts(evidence_of(d_loss=noisy(0.693, spread=1e-6)))
    assert "0.50 of its value at chance, 1.386" in text
    assert "at least 50.0%" in text
    (text,) = facts.facts(evidence_of(d_loss=noisy(1.0, spread=1e-6)))
    assert text == "Loss_D averages 1 over the last half, 0.72 of its value at chance, 1.386."


def test_saturation_may_be_ruled_out():
    known = {"p_real": noisy(0.6, spread=1e-6), "p_fake": noisy(0.4), "g_loss": noisy(0.9, spread=1e-6)}
    *_, text = facts.facts(evidence_of(d_loss=noisy(1.1), **known))
    assert "at most 47%" in text
    assert "not saturated" in text


@pytest.mark.parametrize("columns", [{"loss": "wgan", "d_loss": noisy(0.9)}, {"d_loss": noisy(2.0)}])
def test_where_nothing_follows_nothing_is_said(columns):
    assert list(facts.facts(evidence_of(**columns))) == []


def test_losses_never_say_that_a_gan_is_well_or_has_collapsed():
    said = " ".join([facts.NOTHING_WRONG, facts.CANNOT_SHOW, *facts.MONITOR, facts.SEARCH])
    assert "balanced" not in said
    assert "collapsed" not in said
