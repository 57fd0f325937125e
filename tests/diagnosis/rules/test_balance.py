import numpy as np
import pytest

from gansearch.diagnosis.rules.balance import dominates, oscillating, saturated
from gansearch.diagnosis.rules.finding import Unknown
from tests.diagnosis.logs import evidence_of, noisy

FALLING = np.r_[np.linspace(1.3, 0.05, 60), np.full(140, 0.01)]


def only(found):
    (one,) = found
    return one


def test_mean_answers_prove_that_d_has_won():
    p_real = np.r_[np.full(60, 0.7), np.full(140, 0.99)]
    found = only(saturated(evidence_of(p_real=p_real, p_fake=1 - p_real, d_loss=noisy(0.8))))
    assert (found.kind, found.grade, found.since) == ("discriminator_saturated", "proven", 600.0)
    assert "80.0%" in found.text
    assert "D(x) is 0.990" in found.text


def test_a_cross_entropy_near_zero_proves_it_too():
    found = only(saturated(evidence_of(d_loss=FALLING)))
    assert (found.kind, found.grade) == ("discriminator_saturated", "proven")
    assert "Loss_D is 0.01" in found.text


def test_with_hinge_it_is_likely():
    found = only(saturated(evidence_of(loss="hinge", d_loss=FALLING)))
    assert (found.grade, found.kind) == ("likely", "discriminator_saturated")
    assert "99.5%" in found.text


def test_beside_other_losses_the_game_is_idle():
    assert only(saturated(evidence_of(d_loss=FALLING, reconstruction=noisy(3.0)))).kind == "idle"


def test_what_decides_and_is_not_known_is_asked_for():
    found = only(saturated(evidence_of(halves=None, d_loss=noisy(0.05, spread=0.001))))
    assert isinstance(found, Unknown)
    assert "--loss bce-mean or --loss bce-sum" in found.text
    assert only(saturated(evidence_of(halves=None, d_loss=noisy(0.02, spread=0.001)))).kind == "discriminator_saturated"


def test_a_d_that_is_right_nearly_always_is_a_note():
    assert only(saturated(evidence_of(d_loss=noisy(0.14, spread=0.01)))).grade == "note"
    assert list(saturated(evidence_of(d_loss=noisy(0.4)))) == []


def test_the_first_tenth_counts_for_nothing():
    assert list(saturated(evidence_of(d_loss=np.r_[np.full(30, 1e-4), noisy(0.9, 170)]))) == []


def test_few_lines_prove_but_make_nothing_likely():
    assert [one.grade for one in saturated(evidence_of(d_loss=[1e-3, 1e-4, 0.0]))] == ["proven"]
    assert list(saturated(evidence_of(loss="hinge", d_loss=[1e-3, 1e-4, 0.0]))) == []
    assert list(dominates(evidence_of(d_loss=[3.0, 4.0, 3.0]))) == []


def test_mean_answers_prove_that_g_fools_d():
    found = only(dominates(evidence_of(p_real=noisy(0.98, spread=0.005), p_fake=np.full(200, 0.99))))
    assert (found.kind, found.grade) == ("generator_dominates", "proven")
    assert "G's optimizer" in found.text


def test_a_loss_over_chance_makes_it_likely():
    found = only(dominates(evidence_of(d_loss=np.r_[noisy(1.0, 100), noisy(2.5, 100)])))
    assert (found.kind, found.grade, found.since) == ("generator_dominates", "likely", 1000.0)
    assert "G's optimizer" not in found.text


def test_from_the_start_gs_optimizer_may_hold_d_too():
    assert "G's optimizer" in only(dominates(evidence_of(d_loss=noisy(2.5)))).text


def test_a_trouble_that_begins_in_the_last_tenth_is_seen():
    assert only(dominates(evidence_of(d_loss=np.r_[noisy(1.0, 176), noisy(5.0, 24)]))).since == 1760.0


def test_windows_that_swing_more_than_their_lines_are_oscillating():
    swing = 1.0 + 0.8 * np.sin(np.arange(1000) / 25)
    found = only(oscillating(evidence_of(d_loss=noisy(swing, 1000, 0.1))))
    assert (found.kind, found.grade) == ("oscillating", "likely")


@pytest.mark.parametrize("lines", [30, 120, 1000])
def test_the_noise_of_single_samples_is_not(lines):
    noise = np.random.default_rng(1).exponential(0.5, lines)
    assert list(oscillating(evidence_of(d_loss=noise))) == []


def test_a_trend_is_not():
    assert list(oscillating(evidence_of(d_loss=noisy(np.linspace(2.2, 0.2, 300), 300)))) == []


def test_a_loss_that_breaks_down_again_and_again_is_oscillating():
    d_loss = np.where(np.arange(500) % 40 < 8, 9.0, 1.2)
    assert only(oscillating(evidence_of(d_loss=d_loss))).kind == "oscillating"
