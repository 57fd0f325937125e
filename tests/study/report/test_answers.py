"""The five questions that a report answers first."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gansearch.stability.band import shipped_band
from gansearch.stability.result import SeedResult
from gansearch.study.analysis.seeds import Seeds
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.winner import seeds as draw_seeds
from gansearch.study.report import answers
from gansearch.study.report.answers import answers_of, holds, is_broken, memorises, when
from gansearch.study.study import Study, load_study
from tests.synthetic import write_study


def test_each_question_has_an_answer_in_words_and_a_picture_or_the_reason_why_not(study: Study) -> None:
    found = answers_of(study)
    assert [one.question for one in found] == [
        answers.BROKEN,
        answers.WHEN,
        answers.CHANGE,
        answers.HOLDS,
        answers.MEMORY,
    ]
    assert all(one.short and one.text for one in found)
    for one in found:
        with contextlib.suppress(EmptyFigureError):
            assert one.draw().layout.meta["text"]


def test_they_stand_on_the_first_screen_of_the_page(text: str) -> None:
    assert text.index(answers.BROKEN) < text.index("Against the default settings") < text.index("Stability map</h2>")
    assert text.count('class="short"') == 5


def test_a_study_without_a_verdict_answers_nothing(tmp_path: Path) -> None:
    assert answers_of(load_study(write_study(tmp_path / "s", trials=0, confirmed=False).path)) == []


@pytest.mark.parametrize(("gap", "short"), [(0.05, "No"), (0.6, "Yes")])
def test_a_d_that_scores_its_training_reals_higher_memorises(gap: float, short: str) -> None:
    curves = pd.DataFrame({"update": [100, 200, 300, 400], "held_out_gap": [0.0, 0.0, gap, gap], "r_t": np.nan})
    answer = memorises(curves)
    assert answer.short == short
    assert f"{50 + 100 * gap / 3:.0f}%" in answer.text  # the second half is three of four probes
    assert "r_t" not in answer.text
    assert "r_t ended at 0.62" in memorises(curves.assign(r_t=0.62)).text
    assert memorises(curves.assign(held_out_gap=np.nan)).short == "Not recorded"


def test_a_script_whose_verdict_nothing_shows_is_not_called_broken(study: Study) -> None:
    run = {"share": np.array([0.5, 1.0]), "separability": np.array([0.6, 0.6])}
    for verdict, short in (("unknown", "not known to be broken"), ("oscillating", "broken, oscillating")):
        assert is_broken({"Seed 1": run}, verdict, shipped_band("non_saturating")).short == f"Seed 1: {short}"


def test_a_run_that_was_better_before_is_rolled_back_to_a_moment() -> None:
    curves = pd.DataFrame({"update": [100, 200, 300], "distance": [9.0, 2.0, 5.0]})
    assert when(curves, "Trial 7").short == "Roll back to update 200"
    assert when(curves.head(2), "Trial 7").short == "Not known"
    assert when(curves, "Trial 7").text.endswith("gansearch train keeps the generator of that moment.")
    assert when(curves, "Trial 7", is_loop=True).text.endswith("Save a checkpoint there.")


def test_seeds_that_may_be_unknown_are_called_healthy() -> None:
    chosen, default = (
        Seeds(label, 1, [SeedResult(seed=0, verdict=verdict, stability=0.5, distance=2.0)], fresh=True)
        for label, verdict in (("trial 1", "balanced"), ("default settings", "unknown"))
    )
    answer = holds([chosen, default], confirmed=True)
    assert "Default settings: 1 of 1 healthy, 2." in answer.text
    for figure in (answer.draw(), draw_seeds([chosen, default])):
        assert "trial 1: 1 of 1 seeds balanced" in figure.layout.meta["text"]
        assert "default settings: 1 of 1 seeds healthy" in figure.layout.meta["text"]


def test_the_default_settings_are_judged_where_they_were_a_trial(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s")
    study = load_study(folder.path)
    own = {name: study.experiment.training.used(name) for name in study.experiment.search}
    study.trials.loc[study.trials["number"] == 0, list(own)] = list(own.values())
    first = answers_of(study)[0]
    assert first.short.startswith("Default settings: ")
