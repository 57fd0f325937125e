"""Configurations on several seeds, and the default settings among them."""

import math

import pandas as pd
import pytest

from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.tables import read_trials
from gansearch.study.analysis.seeds import Seeds, default_trial, of_trial, with_default
from tests.synthetic import SEARCH, experiment, write_study


def seed(stability, distance=1.0, verdict="balanced"):
    return SeedResult(seed=0, verdict=verdict, stability=stability, distance=distance)


def test_a_group_is_told_by_medians_and_its_range():
    group = Seeds("trial 1", 1, [seed(0.5), seed(0.9, 3.0), seed(math.nan, math.nan, "diverged")], fresh=True)
    assert (group.stability, group.distance, group.range, group.healthy) == (0.7, 2.0, (0.5, 0.9), 2)
    assert Seeds("one", 1, [seed(0.5)], fresh=True).range is None
    assert group.interval is None, "a distance is missing"
    assert Seeds("one", 1, [seed(0.5)], fresh=True, chosen=(1.0, 2.0)).interval == (1.0, 2.0)


def test_the_row_stands_for_seeds_whose_record_is_gone(tmp_path):
    folder = write_study(tmp_path, trials=2, replicas=2, confirmed=False, samples=False)
    trials = read_trials(folder, SEARCH)
    assert [one.seed for one in of_trial(folder, trials, 1).seeds] == [0, 1]
    row = trials.iloc[1]
    (alone,) = of_trial(Folder(tmp_path / "none"), trials, 1).seeds
    assert (alone.seed, alone.stability, alone.verdict) == (-1, row["stability"], row["verdict"])


@pytest.fixture
def trials(tmp_path):
    """Five trials, of which the fourth has the default settings."""
    folder = write_study(tmp_path, trials=5, confirmed=False, samples=False)
    trials, training = read_trials(folder, SEARCH), experiment().training
    for name in SEARCH:
        trials.loc[3, name] = training.used(name)
    return trials


def test_the_trial_with_the_default_settings_is_recognised(trials):
    assert default_trial(experiment(), trials) == 3
    assert default_trial(experiment(), trials.drop(3)) is None
    assert default_trial(experiment(sampler="pbt", search={"lr": SEARCH["lr"]}), trials) is None


def test_default_settings_with_a_list_are_recognised_in_a_table_that_was_read(tmp_path):
    """The first trial of a sweep has the default settings, and parquet gives a list back as an array."""
    betas = {"choices": [[0.5, 0.9], [0.0, 0.9]]}
    given = experiment(search={"betas": betas}, training={"betas": [0.0, 0.9]})
    pd.DataFrame({"number": [0, 1], "betas": [[0.5, 0.9], [0.0, 0.9]]}).to_parquet(tmp_path / "trials.parquet")
    assert default_trial(given, pd.read_parquet(tmp_path / "trials.parquet")) == 1


def test_default_settings_are_confirmed_unless_they_are_a_candidate(trials):
    wanted = experiment(confirm={"top": 2, "replicas": 2})
    assert with_default(wanted, trials, [1, 2]) == [1, 2, None]
    assert with_default(wanted, trials, [1, 3]) == [1, 3]
    assert with_default(wanted, trials, []) == []
    unwanted = experiment(confirm={"top": 2, "replicas": 2, "default": False})
    assert with_default(unwanted, trials, [1, 2]) == [1, 2]
