import math

import numpy as np
import pytest

from gansearch.diagnosis.rules.breakage import diverged, frozen
from tests.diagnosis.logs import evidence_of, noisy


def test_numbers_that_are_not_finite_to_the_end_are_diverged_since_the_first():
    d_loss, g_loss = noisy(0.6), noisy(1.0)
    g_loss[120:], d_loss[121:] = math.nan, math.inf
    (found,) = diverged(evidence_of(d_loss=d_loss, g_loss=g_loss))
    assert (found.kind, found.grade, found.since, found.line) == ("diverged", "proven", 1200.0, 122)
    assert "Loss_G is nan on the last 80 of 200 records" in found.text


def test_numbers_that_came_back_are_a_note():
    d_loss = noisy(0.6)
    d_loss[20:23] = math.nan
    (found,) = diverged(evidence_of(d_loss=d_loss))
    assert (found.grade, found.since) == ("note", 200.0)


def test_a_blank_is_not_a_printed_nan():
    evidence = evidence_of(d_loss=np.where(np.arange(200) > 100, math.nan, 0.6))
    evidence.game.printed["d_loss"][101:] = False
    assert list(diverged(evidence)) == []


def test_answers_that_were_never_numbers_were_not_computed():
    assert list(diverged(evidence_of(d_loss=noisy(0.6), p_real=np.full(200, math.nan)))) == []
    assert [one.since for one in diverged(evidence_of(d_loss=np.full(3, math.nan)))] == [0.0]


def test_a_cross_entropy_of_ten_thousands_is_of_scores_beyond_the_scale():
    assert [one.kind for one in diverged(evidence_of(d_loss=np.geomspace(1, 1e6, 200)))] == ["diverged"]
    assert list(diverged(evidence_of(loss="wgan", d_loss=np.geomspace(1, 1e6, 200)))) == []


@pytest.mark.parametrize("end", [100.0, 50.0, 200.0, 16.118, 16.12, 15.424948, 7.7125, 13.8155, 18.4207, 27.63])
def test_losses_at_the_end_of_a_scale_are_frozen(end):
    d_loss = noisy(0.6)
    d_loss[150:] = end
    (found,) = frozen(evidence_of(d_loss=d_loss, g_loss=np.where(np.arange(200) < 150, 1.0, 0.0)))
    assert (found.kind, found.grade, found.since) == ("frozen", "proven", 1500.0)
    assert "50 records" in found.text


def test_a_log_of_a_few_lines_is_frozen_by_its_last_third():
    assert [one.since for one in frozen(evidence_of(g_loss=[15.424948] * 3, d_loss=[1e-5, 1e-6, 0.0]))] == [0.0]
    assert list(frozen(evidence_of(g_loss=[3.0, 4.0, 15.424948], d_loss=[1.0, 1.0, 0.0]))) == []


@pytest.mark.parametrize("value", [0.0, 1.3863, 17.0, 0.6931])
def test_other_constants_are_not_frozen(value):
    assert list(frozen(evidence_of(d_loss=np.full(200, value)))) == []


def test_four_lines_may_be_chance():
    d_loss = noisy(60.0)
    d_loss[196:] = 100.0
    assert list(frozen(evidence_of(d_loss=d_loss))) == []
