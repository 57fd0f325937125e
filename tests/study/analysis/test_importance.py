"""Importances find what the synthetic truth depends on."""

from __future__ import annotations

import gc
import math

import numpy as np
import pandas as pd
import pytest

from gansearch.experiment import Choices, Range
from gansearch.study.analysis.importance import importance

SPACE = {
    "lr": Range(low=1e-5, high=1e-1, log=True),
    "update_ratio": Range(low=0.2, high=5, log=True),
    "loss": Choices(choices=["hinge", "lsgan"]),
    "betas": Choices(choices=[[0.0, 0.9], [0.5, 0.999]]),
}


def trials(n: int) -> pd.DataFrame:
    """Stability depends on lr alone, distance on the loss alone."""
    rng = np.random.default_rng(0)
    lr = np.exp(rng.uniform(math.log(1e-5), math.log(1e-1), n))
    loss = rng.choice(["hinge", "lsgan"], n)
    return pd.DataFrame(
        {
            "lr": lr,
            "update_ratio": rng.uniform(0.2, 5, n),
            "loss": loss,
            "betas": [[0.0, 0.9] if i % 2 else [0.5, 0.999] for i in range(n)],
            "stability": 1 - np.abs(np.log10(lr) + 3) / 3 + rng.normal(0, 0.02, n),
            "distance": np.where(loss == "hinge", 1.0, 5.0) + rng.random(n),
        }
    )


def test_no_tree_of_the_forest_stays_in_memory() -> None:
    importance(trials(20), SPACE)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one).__name__ == "_FanovaTree"]


def test_importance_finds_what_matters() -> None:
    found = importance(trials(60), SPACE)
    assert next(iter(found["stability"])) == "lr"
    assert next(iter(found["distance"])) == "loss"
    assert found["stability"]["lr"] > 0.7
    assert found["distance"]["loss"] > 0.7
    assert sum(found["stability"].values()) == pytest.approx(1)


def test_too_few_trials_say_nothing() -> None:
    assert importance(trials(3), SPACE) == {}
    unmeasured = trials(60).assign(distance=math.nan)
    assert list(importance(unmeasured, SPACE)) == ["stability"]


def test_a_value_outside_a_space_that_was_changed_is_no_error() -> None:
    assert importance(trials(20), {**SPACE, "lr": Range(low=1e-3, high=1e-2, log=True)})


def test_of_many_trials_some_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gansearch.study.analysis.importance._MOST", 40)
    assert next(iter(importance(trials(10_000), SPACE)["stability"])) == "lr"


def test_a_parameter_that_some_trials_do_without_is_no_error() -> None:
    table = trials(60)
    table.loc[::3, "update_ratio"] = math.nan
    found = importance(table, SPACE)
    assert next(iter(found["stability"])) == "lr"
    assert found["stability"]["update_ratio"] < 0.2
    assert "update_ratio" not in importance(table.assign(update_ratio=math.nan), SPACE)["stability"]


def test_null_among_the_choices_is_a_choice():
    table = trials(30).assign(loss=[None, "hinge", "lsgan"] * 10)
    assert set(importance(table, SPACE)["stability"]) == set(SPACE) & set(table)
