import dataclasses
import math

import numpy as np
import pytest

from gansearch.diagnosis.rules.evidence import Assumption, Evidence
from tests.diagnosis.logs import evidence_of, log_of, noisy


def test_windows_are_means_of_what_is_there():
    evidence = evidence_of(d_loss=[1.0, math.nan, 3.0, math.inf] * 50)
    assert len(evidence.windows("d_loss")) == 50
    assert evidence.windows("d_loss") == pytest.approx(np.full(50, 2.0))
    assert evidence_of(d_loss=[1.0, 2.0, math.nan]).windows("d_loss")[:2] == pytest.approx([1.0, 2.0])


def test_u_is_one_at_chance():
    assert evidence_of(d_loss=np.full(60, math.log(4))).u(Assumption("bce", "sum")) == pytest.approx(np.ones(50))


def test_two_halves_are_their_sum_whatever_a_column_of_both_holds():
    evidence = evidence_of(
        halves=None, d_loss_real=np.full(9, 0.5), d_loss_fake=np.full(9, 0.2), d_loss=np.full(9, 9.0)
    )
    assert evidence.d_loss == pytest.approx(np.full(9, 0.7))
    assert evidence.assumptions == (Assumption("bce", "sum"),)
    assert evidence.d_name == "d_loss_real + d_loss_fake"


def test_halves_that_are_not_known_are_both_assumed_until_the_answers_rule_one_out():
    assert len(evidence_of(halves=None, d_loss=noisy(0.6)).assumptions) == 2
    # -ln .6 - ln(1 - .4) = 1.02 is the least sum: .55 can be a mean, and no sum.
    known = {"p_real": np.full(200, 0.6), "p_fake": np.full(200, 0.4)}
    assert evidence_of(halves=None, d_loss=noisy(0.55), **known).assumptions == (Assumption("bce", "mean"),)


def test_a_loss_that_is_not_known_may_be_each_that_has_a_chance_level():
    assert {one.loss for one in evidence_of(loss=None, halves=None, d_loss=noisy(0.6)).assumptions} == {
        *("bce", "hinge", "lsgan")
    }
    assert evidence_of(loss=None, halves=None, d_loss=-noisy(0.6)).is_critic
    assert evidence_of(loss="wgan", d_loss=noisy(0.6)).assumptions == ()


def test_raw_scores_are_no_answers():
    assert evidence_of(p_real=noisy(0.6), p_fake=noisy(0.4)).answers
    assert not evidence_of(p_real=noisy(3.0), p_fake=noisy(0.4)).answers


def test_since_is_where_it_began_to_hold_to_the_end():
    evidence = evidence_of(d_loss=np.zeros(50))
    holds = np.arange(50) >= 30
    holds[3] = True
    assert evidence.since(holds) == (300.0, 32)
    holds[40] = False  # one window is not a break
    assert evidence.since(holds) == (300.0, 32)
    assert evidence.since(np.zeros(50, bool)) == (250.0, 27), "the last half"


def test_nothing_is_concluded_from_what_is_not_trusted():
    assert evidence_of(d_loss=noisy(0.6)).distrusted().assumptions == ()
    assert evidence_of(loss=None, d_loss=noisy(0.6)).of_loss("hinge").assumptions == (Assumption("hinge", "sum"),)


def test_values_that_no_such_loss_has_are_not_taken_for_it():
    assert evidence_of(d_loss=-noisy(0.6)).assumptions == ()


def test_a_d_that_sees_two_kinds_of_fakes_has_three_terms():
    log = dataclasses.replace(log_of(halves=None, d_loss=noisy(2.08)), format="printed lines of TimeGAN")
    (one,) = Evidence(log, log.games[0]).assumptions
    assert one.chance == pytest.approx(3 * math.log(2))
    assert str(one) == "bce, sum of three of D's terms"
