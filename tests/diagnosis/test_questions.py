"""The five questions about a log."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gansearch.diagnosis.page import Judged, write_page
from gansearch.diagnosis.questions import questions
from gansearch.diagnosis.rules.judge import judge
from tests.diagnosis.logs import log_of, noisy


def answers(log):
    return list(dict(questions(log, judge(log)[0])).values())


def test_a_broken_log_is_named_with_what_to_change_and_where_to_go_back():
    log = log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0))
    broken, moment, change, seeds, memory = answers(log)
    assert broken.startswith("Broken (")
    assert "frozen" in broken
    assert "before step 1,000" in moment
    assert "gansearch sweep" in change
    assert seeds.startswith("On one")
    assert memory.startswith("Not known")


def test_a_healthy_log_is_not_called_more_than_it_shows():
    broken, moment, change, *_ = answers(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0)))
    assert broken.startswith("Nothing that this log can show is wrong.")
    assert moment.startswith("Not known")
    assert change.startswith("Nothing here asks for one.")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([90, 60, 30, 20], "Go on: fid is at its best at the end, 20 at"),
        ([90, 20, 40, 60], "Roll back: fid was best, 20 at"),
        ([90, 20, 21, 20.5], "Stop there: fid was best, 20 at"),
    ],
)
def test_a_metric_of_samples_says_when(values, said):
    log = log_of(
        d_loss=noisy(0.9), g_loss=noisy(1.0), metrics={"fid": np.interp(np.arange(200), [0, 66, 132, 199], values)}
    )
    assert answers(log)[1].startswith(said)


def test_r_t_says_whether_d_memorises():
    assert answers(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), sign_real=noisy(0.3)))[4].startswith("No")
    assert "95% of" not in answers(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), sign_real=noisy(0.3)))[4]
    assert (
        "training samples for real" in answers(log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), sign_real=noisy(0.95)))[4]
    )


def test_a_high_r_t_beside_augmentation_is_not_known():
    log = log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), sign_real=np.full(200, 0.85), augment=np.full(200, 0.3))
    assert answers(log)[4] == "Not known: r_t is 0.85 while the augmentation is at p = 0.30."


@pytest.mark.parametrize("end", [np.inf, np.nan])
def test_a_metric_that_ended_as_no_number_is_not_at_its_best(end):
    fid = np.r_[np.linspace(90, 20, 199), end]
    log = log_of(d_loss=noisy(0.9), g_loss=noisy(1.0), metrics={"fid": fid})
    said = answers(replace(log, broken_metrics=("fid",)))[1]
    assert "fid ended as no number" in said
    assert "best" not in said


def test_what_is_wrong_from_the_first_record_on_has_nothing_to_roll_back_to():
    log = log_of(d_loss=np.full(200, 100.0), g_loss=noisy(1.0))
    assert answers(log)[1].startswith("Stop: it has been so from the first record.")
    log = log_of(d_loss=np.zeros(60), g_loss=np.zeros(60), reconstruction=noisy(1.0, 60))
    assert answers(log)[1] == "Go on until it begins."


def test_they_stand_at_the_top_of_the_page(tmp_path):
    log = log_of(d_loss=np.r_[noisy(0.6, 100), np.full(100, 100.0)], g_loss=noisy(1.0))
    page = write_page([Judged(log, *judge(log))], tmp_path / "p.html").read_text()
    assert page.index("Is D memorising?") < page.index("<svg") < page.index('<div class="finding')
