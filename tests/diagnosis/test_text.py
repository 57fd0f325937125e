from dataclasses import replace

import numpy as np

from gansearch.diagnosis.rules.judge import judge
from gansearch.diagnosis.text import summary
from tests.diagnosis.logs import game_of, log_of, noisy


def text_of(log):
    return summary(log, *judge(log))


def test_a_finding_is_said_with_its_grade_its_place_and_what_to_change():
    text = text_of(log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0)))
    assert "FROZEN, proven, since step 1,000 (line 102)." in text
    assert "Loss_D is 100 on each of the last 100 records" in text
    assert "Try: " in text
    assert "Nothing that this log" not in text


def test_where_nothing_is_wrong_that_is_said_and_what_such_a_log_cannot_show():
    text = text_of(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), metrics={"fid": noisy(30.0)}))
    assert "Nothing that this log can show is wrong." in text
    assert "note: fid went from" in text
    assert "gansearch.StabilityMonitor()" in text
    assert "gansearch init my_gan --from-loop" in text
    assert not [word for word in ("balanced", "collapsed", "stop now") if word in text]


def test_it_fits_a_terminal_and_a_forum():
    assert max(map(len, text_of(log_of(loss=None, d_loss=noisy(0.9), g_loss=noisy(1.0))).splitlines())) <= 88


def test_steps_are_in_full():
    log = log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0))
    text = text_of(replace(log, steps=1_185_550 + np.arange(200.0)))
    assert "step 1,185,550 to 1,185,749" in text
    assert "since step 1,185,650 (line 102)" in text


def test_halves_that_the_values_rule_out_are_said():
    known = {"p_real": noisy(0.6), "p_fake": noisy(0.4), "source": "the default of pytorch/examples dcgan"}
    assert "is taken for the mean of D's halves" in text_of(log_of(d_loss=noisy(0.55), **known)).replace("\n ", "")
    assert "is taken for" not in text_of(log_of(d_loss=noisy(1.1), **known))


def test_it_says_what_each_column_was_taken_for():
    text = text_of(log_of(game_of(name="A", d_loss=noisy(0.9)), game_of(name="B", d_loss=noisy(1e-4, spread=1e-5))))
    assert "A: Loss_D = D's loss." in text
    assert "Loss: bce, D's loss the sum of its halves (--loss)." in text
    assert "B: DISCRIMINATOR SATURATED" in text
