"""Trials in groups."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gansearch.experiment import Experiment
from gansearch.store.folder import Folder
from gansearch.study.figures.groupings import MOST_GROUPINGS, by_number, by_value, groupings
from gansearch.study.study import Study, load_study
from tests.synthetic import experiment


@pytest.fixture(scope="module")
def study(finished: Folder) -> Study:
    return load_study(finished.path)


def numbered(**columns: list) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    usual = {"number": range(length), "verdict": "balanced", "status": "complete", "distance": 1.0}
    return pd.DataFrame({**usual, **columns})


def test_each_trial_is_in_one_group_of_a_column(study: Study) -> None:
    assert list(study.groupings) == ["verdict", "status", "distance", *study.experiment.search, "all trials"]
    for name, groups in study.groupings.items():
        numbers = [number for group in groups.values() for number in group]
        known = study.trials["distance"].notna() if name == "distance" else study.trials["number"] >= 0
        assert sorted(numbers) == sorted(study.trials["number"][known]), name
    table = study.trials.set_index("number")
    for label, group in study.groupings["verdict"].items():
        assert {label.replace(" ", "_")} == set(table.loc[list(group), "verdict"])


def test_numbers_are_in_quarters_and_few_ones_by_themselves() -> None:
    trials = numbered(lr=[float(10**-exponent) for exponent in range(8)])
    assert by_number(trials, trials["lr"]) == {
        "1e-07 to 1e-06": [6, 7],
        "1e-05 to 0.0001": [4, 5],
        "0.001 to 0.01": [2, 3],
        "0.1 to 1": [0, 1],
    }
    trials = numbered(size=[16, 64, 16, math.nan, math.inf])
    assert by_number(trials, trials["size"]) == {"16": [0, 2], "64": [1]}
    trials = numbered(replicas=[1, 1, 1, 2, 3])
    assert by_number(trials, trials["replicas"]) == {"1": [0, 1, 2], "2": [3], "3": [4]}
    # Equal numbers are never divided, whichever they are.
    trials = numbered(steps=[0] * 30 + [1, 2, 3, 4, 5, 6])
    groups = by_number(trials, trials["steps"])
    assert next(iter(groups.values()))[:30] == list(range(30))
    assert sum(map(len, groups.values())) == 36
    assert by_number(trials, trials["steps"] * math.nan) == {}


def test_choices_keep_their_order_and_of_many_the_rarest_are_one_group() -> None:
    trials = numbered(loss=["hinge", "rpgan", "rpgan", None])
    assert by_value(trials, trials["loss"], ["rpgan", None, "hinge", "wgan"]) == {
        "rpgan": [1, 2],
        "none": [3],
        "hinge": [0],
    }
    trials = numbered(seed=[letter for count, letter in enumerate("abcdefgh", 1) for _ in range(count)])
    groups = by_value(trials, trials["seed"])
    assert list(groups) == ["h", "g", "f", "e", "d", "others"]
    assert len(groups["others"]) == 1 + 2 + 3


def test_long_choices_that_begin_alike_are_groups_of_their_own() -> None:
    start = "a long path to weights / "
    trials = numbered(weights=[start + "b", start + "a", start + "b", "short"])
    assert by_value(trials, trials["weights"], [start + "a", start + "b"]) == {
        "a long path to weight…": [1],
        "a long path to we… (2)": [0, 2],
        "short": [3],
    }


def test_configurations_with_several_seeds_are_groups_the_chosen_one_first() -> None:
    trials = numbered(distance=[5.0, 4.0, 3.0, 2.0, 1.0, 6.0, 7.0, 8.0])
    seeds = dict.fromkeys(range(8), 3) | {4: 1}
    groups = groupings(trials, experiment(), seeds, {}, [5, None, 4])["configuration"]
    assert groups == {f"trial {number}": [number] for number in (5, 3, 2, 1, 0, 6)}
    assert "configuration" not in groupings(trials, experiment(), dict.fromkeys(range(8), 1), {})


def test_sources_and_trials_without_a_verdict_are_groups_too() -> None:
    trials = numbered(verdict=["balanced", None, "collapsed"])
    found = groupings(trials, experiment(), {}, {0: "prior", 1: "tpe", 2: "tpe"})
    assert found["source"] == {"tpe": [1, 2], "prior": [0]}
    assert found["verdict"] == {"balanced": [0], "collapsed": [2], "no verdict": [1]}


def test_a_wide_search_has_so_many_groupings_and_no_more() -> None:
    names = [f"knob_{place}" for place in range(40)]
    search = {name: {"low": 0.0, "high": 1.0} for name in names}
    wide = Experiment.parse({"name": "wide", "task": "./loop.py:train", "search": search})
    trials = numbered(**{name: [0.0, 0.5, 1.0] for name in names})
    assert len(groupings(trials, wide, {}, {})) == MOST_GROUPINGS


def test_quarters_that_are_the_same_in_four_digits_are_one_group_and_lose_no_trial() -> None:
    values = pd.Series([0.999901, 0.999902, 0.999903, 0.999904, 0.999905, 0.5])
    groups = by_number(pd.DataFrame({"number": range(6)}), values)
    assert sorted(number for group in groups.values() for number in group) == [0, 1, 2, 3, 4, 5]
