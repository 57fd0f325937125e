import math

import numpy as np

from gansearch.diagnosis.rules.learning import not_training, nothing_said
from tests.diagnosis.logs import evidence_of, noisy


def test_a_rate_of_zero_trains_nothing():
    rate = np.where(np.arange(200) < 80, 2e-4, 0.0)
    (found,) = not_training(evidence_of(d_loss=noisy(0.6), lr_d=rate))
    assert (found.kind, found.grade, found.since) == ("not_training", "proven", 800.0)
    assert list(not_training(evidence_of(d_loss=noisy(0.6), lr_d=np.linspace(2e-4, 0, 200)))) == [], "a schedule"
    (found,) = not_training(evidence_of(d_loss=noisy(0.6), lr_g=np.zeros(200)))
    assert (found.grade, found.since) == ("likely", 0.0), "it may be rounded"


def test_a_loss_that_never_leaves_chance_is_of_a_d_that_does_not_learn():
    flat = math.log(4) + 1e-3 * np.random.default_rng(0).normal(size=200)
    (found,) = not_training(evidence_of(d_loss=flat))
    assert (found.kind, found.grade, found.since) == ("not_training", "likely", 0.0)
    assert "1.386" in found.text


def test_a_d_whose_answer_to_reals_stays_while_g_moves_does_not_learn():
    fake = np.linspace(0.5, 0.99, 200)
    (found,) = not_training(evidence_of(p_real=noisy(0.566, spread=0.002), p_fake=fake, d_loss=0.57 - np.log1p(-fake)))
    assert (found.kind, found.grade, found.since) == ("not_training", "likely", 0.0)
    assert "0.566" in found.text
    assert list(not_training(evidence_of(p_real=noisy(0.566), p_fake=fake, d_loss=noisy(1.0)))) == []


def test_a_loss_that_comes_to_chance_is_what_convergence_looks_like():
    assert list(not_training(evidence_of(d_loss=np.r_[np.linspace(0.6, 1.386, 50), np.full(150, math.log(4))]))) == []


def test_losses_of_zero_from_the_first_record_have_not_started():
    (found,) = nothing_said(evidence_of(d_loss=np.zeros(40), g_loss=np.zeros(40), reconstruction=noisy(3.0, 40)))
    assert (found.kind, found.grade, found.since) == ("not_started", "proven", 0.0)


def test_losses_of_zero_after_a_while_are_idle():
    losses = np.where(np.arange(200) < 60, 0.4, 0.0)
    (found,) = nothing_said(evidence_of(d_loss=losses, g_loss=losses, reconstruction=noisy(3.0)))
    assert (found.kind, found.grade, found.since) == ("idle", "proven", 600.0)


def test_a_game_that_begins_late_is_not_idle():
    losses = np.where(np.arange(200) < 60, 0.0, 0.6)
    assert list(nothing_said(evidence_of(d_loss=losses, g_loss=losses))) == []


def test_one_loss_of_zero_alone_is_another_matter():
    assert list(nothing_said(evidence_of(d_loss=np.zeros(200), g_loss=noisy(8.0)))) == []
