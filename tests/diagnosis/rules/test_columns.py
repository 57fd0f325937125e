import numpy as np
import pytest

from gansearch.diagnosis.rules.columns import contradiction
from tests.diagnosis.logs import evidence_of, noisy


@pytest.mark.parametrize("loss", ["bce", "hinge", "lsgan"])
def test_a_loss_under_zero_is_not_what_it_is_called(loss):
    (found,) = contradiction(evidence_of(loss=loss, d_loss=np.r_[noisy(0.5, 50), -noisy(0.5, 150)]))
    assert (found.kind, found.grade, found.since) == ("contradiction", "proven", 500.0)
    assert f"no {loss} loss" in found.text


def test_a_loss_under_what_the_answers_allow_is_not_of_that_d():
    (found,) = contradiction(evidence_of(d_loss=noisy(0.2), p_real=noisy(0.6), p_fake=noisy(0.4)))
    assert (found.kind, found.grade) == ("contradiction", "proven")
    assert "1.02" in found.text
    assert list(contradiction(evidence_of(d_loss=noisy(1.1), p_real=noisy(0.6), p_fake=noisy(0.4)))) == []


def test_answers_that_are_rounded_to_one_are_no_contradiction():
    known = {"p_real": np.full(200, 0.0), "p_fake": np.full(200, 1.0)}
    assert list(contradiction(evidence_of(d_loss=noisy(9.2), **known))) == []


def test_a_mean_of_halves_may_be_half_as_much():
    known = {"p_real": noisy(0.6), "p_fake": noisy(0.4)}
    assert list(contradiction(evidence_of(halves="mean", d_loss=noisy(0.55), **known))) == []
    assert list(contradiction(evidence_of(halves=None, d_loss=noisy(0.55), **known))) == []
    habit = "the default of pytorch/examples dcgan"
    assert list(contradiction(evidence_of(source=habit, d_loss=noisy(0.55), **known))) == []
    assert len(list(contradiction(evidence_of(source=habit, d_loss=noisy(0.2), **known)))) == 1
    assert len(list(contradiction(evidence_of(d_loss=noisy(0.55), **known)))) == 1, "a user who says so is believed"


def test_losses_that_are_both_small_are_not_of_one_game():
    (found,) = contradiction(evidence_of(d_loss=noisy(0.01, spread=0.001), g_loss=noisy(0.7)))
    assert (found.kind, found.grade) == ("contradiction", "likely")
    assert list(contradiction(evidence_of(d_loss=noisy(0.01, spread=0.001), g_loss=noisy(6.0)))) == []
    assert list(contradiction(evidence_of(d_loss=noisy(1.38), g_loss=noisy(0.69)))) == []


def test_a_g_that_is_trained_with_the_label_of_fakes_contradicts_its_answers():
    known = {"p_real": noisy(0.99, spread=0.001), "p_fake": noisy(0.01, spread=0.001)}
    after = {"p_fake_after": noisy(0.01, spread=0.001)}
    (found,) = contradiction(evidence_of(d_loss=noisy(0.03), g_loss=noisy(0.01, spread=0.001), **known, **after))
    assert (found.kind, found.grade) == ("contradiction", "proven")
    assert "label" in found.text
    assert list(contradiction(evidence_of(d_loss=noisy(0.03), g_loss=noisy(4.7), **known, **after))) == []


def test_a_minimax_loss_of_g_is_negative():
    assert list(contradiction(evidence_of(d_loss=noisy(0.6), g_loss=-noisy(0.3)))) == []
