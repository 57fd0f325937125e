import math
from dataclasses import replace

import numpy as np
import pytest

from gansearch.diagnosis.chart import HEIGHT, LEFT, POINTS, WIDTH, charts
from gansearch.diagnosis.rules.judge import judge
from tests.diagnosis.logs import game_of, log_of, noisy


def drawn(log):
    return list(charts(log, judge(log)[0]))


def points(text):
    return np.array([[float(number) for number in pair.split(",")] for pair in text.split()])


def test_each_kind_of_column_has_a_chart_with_what_belongs_together():
    log = log_of(
        d_loss=noisy(0.9), g_loss=noisy(1.0), p_real=noisy(0.6), p_fake=noisy(0.3), metrics={"fid": noisy(9.0)}
    )
    assert [chart.title for chart in drawn(log)] == ["Loss_D", "Loss_G", "D(x), D(G(z))", "fid"]


def test_chance_is_drawn_and_where_findings_begin():
    log = log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0))
    chart = drawn(log)[0]
    assert [text for _, text in chart.levels] == ["at chance (sum)"]
    assert [number for _, number in chart.marks] == [1, 2]
    assert chart.marks[0][0] == pytest.approx(LEFT + (WIDTH - LEFT - 8) * 100 / 199)


def test_where_halves_are_not_known_both_levels_are_drawn_and_none_without_a_loss():
    assert len(drawn(log_of(halves=None, d_loss=noisy(0.9)))[0].levels) == 2
    assert drawn(log_of(loss=None, d_loss=noisy(0.9)))[0].levels == ()
    assert [text for _, text in drawn(log_of(d_loss_real=noisy(0.4), d_loss_fake=noisy(0.5)))[0].levels] == [
        "a half at chance"
    ]


@pytest.mark.parametrize("count", [1, 2, 100_000])
def test_curves_are_short_and_within_the_picture(count):
    values = noisy(0.9, count)
    values[0] = 1e9
    (curve,) = drawn(log_of(d_loss=values))[0].curves
    path = points(curve.line)
    assert len(path) <= POINTS
    assert (path >= 0).all()
    assert (path <= [WIDTH, HEIGHT]).all()


def test_only_what_is_wrong_with_a_metric_is_marked():
    log = log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), metrics={"fid": noisy(9.0), "kid_fid": -noisy(1.0)})
    assert [bool(chart.marks) for chart in drawn(log)[2:]] == [False, True]


def test_steps_over_a_million_are_in_full():
    log = log_of(d_loss=noisy(0.9))
    log = replace(log, steps=np.linspace(0, 1_185_550, 200))
    assert [text for _, text in drawn(log)[0].steps] == ["0", "592,775", "1,185,550"]


def test_columns_without_a_number_are_not_drawn():
    assert [chart.title for chart in drawn(log_of(d_loss=noisy(0.9, 20), g_loss=np.full(20, math.nan)))] == ["Loss_D"]


def test_games_are_drawn_one_by_one():
    log = log_of(game_of(name="A", d_loss=noisy(0.9)), game_of(name="B", d_loss=noisy(1e-4, spread=1e-5)))
    assert [(chart.title, len(chart.marks)) for chart in drawn(log)] == [("A: Loss_D", 0), ("B: Loss_D", 1)]
