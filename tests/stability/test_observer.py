"""Observers of samples."""

import math

import numpy as np
import pytest
import torch

from gansearch.stability.observer import Observation, observe_rows, observe_scores
from gansearch.stability.referee import Ruling
from tests.stability.probes import report_on


def rows(count=600, seed=0):
    """(count, 3) rows; the third column is the sum of the others."""
    first = np.random.default_rng(seed).normal(size=(count, 2))
    return np.concatenate([first, first.sum(1, keepdims=True)], 1)


def test_rows_of_the_same_distribution_cannot_be_told():
    observation = observe_rows(rows(), rows(seed=1))
    assert observation.auc == pytest.approx(0.5, abs=4 / math.sqrt(6 * 600))
    assert not observation.tells
    assert observation.evidence == ""


def test_the_column_that_gives_rows_away_is_named():
    fake = rows(seed=1)
    fake[:, 1] += 5
    observation = observe_rows(rows(), fake, ["age", "pay", "sum"])
    assert observation.tells
    assert "pay (1.00 alone)" in observation.evidence
    assert "age" not in observation.evidence


def test_columns_that_go_together_wrongly_are_told_where_each_is_right():
    real, fake = (np.random.default_rng(seed).integers(0, 2, (600, 3)) for seed in (0, 1))
    real[:, 2] = real[:, 0] ^ real[:, 1]
    fake[:, 2] = 1 - fake[:, 0] ^ fake[:, 1]
    observation = observe_rows(real, fake)
    assert observation.tells
    assert observation.evidence == "by how columns go together, by none alone"


def test_a_column_that_is_rounded_is_told_and_named():
    fake = rows(seed=1)
    fake[:, 1] = fake[:, 1].round(1)
    observation = observe_rows(rows(), fake, ["age", "pay", "sum"])
    assert observation.tells
    assert observation.evidence.startswith("by the columns pay (")


def test_missing_numbers_are_counted_as_one():
    real, fake = rows(), rows(seed=1)
    real[::2, 1], fake[::2, 1] = math.nan, math.nan
    assert observe_rows(real, fake).auc == pytest.approx(0.5, abs=4 / math.sqrt(6 * 600))


def test_the_samples_surest_told_are_named():
    observation = observe_scores(0.999, 2_000, np.array([0.0, -3.0, 2.0, -5.0, -4.0]))
    assert observation.tells
    assert observation.evidence == "surest of samples 3, 4, 1"


def test_the_samples_named_are_among_those_that_a_sweep_keeps():
    scores = np.arange(2_000.0)[::-1]
    assert observe_scores(0.999, 2_000, scores).evidence == "surest of samples 15, 14, 13"


def test_the_limit_depends_on_the_number_of_samples():
    limits = [Observation(1.0, count).threshold for count in (100, 500, 2_000)]
    assert limits == sorted(limits, reverse=True)
    assert Observation(1.0, 100).sees_too_little
    assert not Observation(1.0, 100).tells
    assert not Observation(1.0, 500).sees_too_little
    assert Observation(1.0, 500).tells


def test_a_run_that_an_observer_tells_is_not_balanced_and_says_by_what():
    near = torch.linspace(-1, 1, 100)
    told = Observation(0.998, 1_000, "boosted trees", "by the columns affairs (0.99 alone)")
    reports = [
        report_on(near + 0.4, near - 0.4, ruling=Ruling(0.7, apart=0.05, diversity=1.0, observation=observation))
        for observation in (told, Observation(0.8, 1_000), Observation(1.0, 40), None)
    ]
    assert [report.verdict for report in reports] == ["uninformative", "balanced", "balanced", "balanced"]
    told = "boosted trees can tell fakes from 1,000 held-out reals (area under the ROC curve 0.998, limit "
    assert told in reports[0].sentence
    assert "affairs (0.99 alone)" in reports[0].sentence
    assert "40 held-out samples are too few" in reports[2].sentence
    assert reports[0].stability < reports[1].stability - 0.05
    assert [report.observer_auc for report in reports[:3]] == [0.998, 0.8, 1.0]
