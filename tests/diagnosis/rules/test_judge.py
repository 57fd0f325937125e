import math

import numpy as np
import pytest

from gansearch.diagnosis.rules.judge import judge
from tests.diagnosis.logs import game_of, log_of, noisy


def kinds(log):
    return [found.kind for found in judge(log)[0] if found.is_verdict]


def test_a_healthy_log_has_nothing_wrong():
    log = log_of(d_loss=noisy(0.9), g_loss=noisy(1.1), p_real=noisy(0.65), p_fake=noisy(0.3))
    assert judge(log) == ((), ())


def test_a_frozen_d_is_also_fooled():
    d_loss = np.r_[noisy(0.6, 80), np.full(120, 100.0)]
    assert kinds(log_of(d_loss=d_loss, g_loss=np.r_[noisy(1.0, 80), np.zeros(120)])) == [
        "frozen",
        "generator_dominates",
    ]


def test_a_frozen_g_says_that_the_loss_is_a_cross_entropy():
    log = log_of(loss=None, halves=None, d_loss=[1e-5, 1e-6, 0.0], g_loss=[15.424948] * 3)
    assert kinds(log) == ["frozen", "discriminator_saturated"]
    assert [found.grade for found in judge(log)[0]] == ["proven", "proven"]


def test_what_is_wrong_comes_first_and_the_worst_of_it():
    d_loss = np.r_[noisy(0.9, 150), np.full(50, math.nan)]
    findings, _ = judge(log_of(d_loss=d_loss, metrics={"fid": noisy(30.0)}, g_loss=noisy(1.0), file="x"))
    assert [found.kind for found in findings] == ["diverged", "trend"]


def test_where_columns_contradict_each_other_balance_is_not_judged():
    findings, unknown = judge(log_of(d_loss=noisy(0.01, spread=0.001), g_loss=noisy(0.7)))
    assert [found.kind for found in findings] == ["contradiction"]
    assert "nothing is concluded" in unknown[0]


def test_a_loss_that_the_values_suggested_and_speak_against_is_not_known():
    findings, unknown = judge(log_of(d_loss=noisy(0.2), g_loss=noisy(0.2), source="the values: a plateau"))
    assert findings == ()
    assert "--loss" in unknown[-1]


def test_a_loss_that_is_not_known_is_asked_for():
    findings, unknown = judge(log_of(loss=None, halves=None, d_loss=noisy(0.9), g_loss=noisy(1.0)))
    assert findings == ()
    assert "Say --loss bce, hinge, lsgan or wgan" in unknown[-1]
    assert "who is ahead" in judge(log_of(loss="wgan", d_loss=-noisy(0.9)))[1][0]
    assert "--loss wgan" in judge(log_of(loss=None, d_loss=-noisy(0.9)))[1][0]
    assert "No column is D's loss" in judge(log_of(g_loss=noisy(0.9)))[1][0]


def test_of_a_log_of_metrics_alone_their_trend_is_said():
    findings, unknown = judge(log_of(metrics={"fid": [400.0, 30.0]}))
    assert [found.kind for found in findings] == ["trend"]
    assert "metrics" in unknown[0]


def test_games_are_judged_one_by_one():
    games = game_of(name="A", d_loss=noisy(0.9)), game_of(name="B", d_loss=noisy(1e-3, spread=1e-4))
    ((found,), unknown) = judge(log_of(*games))
    assert (found.game, found.kind) == ("B", "discriminator_saturated")
    assert unknown == ()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_a_log_of_a_few_lines_is_judged_by_what_is_proven_alone(count):
    findings, unknown = judge(log_of(loss="hinge", d_loss=noisy(0.01, count, 0.001), g_loss=noisy(1.0, count)))
    assert findings == ()
    assert "records" in unknown[0]


def test_a_network_that_does_not_learn_is_not_said_to_lose():
    d_loss = math.log(4) + 1e-3 * np.random.default_rng(0).normal(size=200)
    assert kinds(log_of(d_loss=d_loss)) == ["not_training"]


def test_of_a_loss_that_is_not_known_and_may_have_a_weight_nothing_is_concluded():
    findings, unknown = judge(log_of(loss=None, halves=None, d_loss=noisy(0.005, spread=0.0001), g_loss=noisy(0.7)))
    assert findings == ()
    assert len(unknown) == 1


def test_a_game_that_has_not_started_is_not_idle_too():
    assert kinds(log_of(d_loss=np.zeros(60), g_loss=np.zeros(60), reconstruction=noisy(1.0, 60))) == ["not_started"]


def test_a_loss_of_d_that_was_never_finite_was_found():
    findings, unknown = judge(log_of(d_loss=np.full(200, math.nan), g_loss=noisy(1.0)))
    assert [found.kind for found in findings] == ["diverged"]
    assert unknown == ("Loss_D is never finite, so that who is ahead cannot be judged.",)
