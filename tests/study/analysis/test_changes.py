"""Which one change of the settings is expected to bring most."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gansearch import Experiment
from gansearch.experiment import Range
from gansearch.study.analysis.changes import _values, best_changes

SEARCH: dict[str, Any] = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "pretrain_steps": {"low": 0, "high": 400},
    "loss": {"choices": ["hinge", "non_saturating"]},
}


def experiment(**changes: Any) -> Experiment:
    training = {"lr": 1e-4, "loss": "non_saturating", "updates": 1000}
    return Experiment.model_validate({"name": "x", "task": "ring", "training": training, "search": SEARCH, **changes})


def runs(count: int = 40, noise: float = 0.05) -> pd.DataFrame:
    """Runs whose distance is smallest at lr 1e-3, and half with hinge; pretraining does nothing."""
    rng = np.random.default_rng(0)
    lr = 10 ** rng.uniform(-4, -2, count)
    loss = rng.choice(["hinge", "non_saturating"], count)
    logs = 2 * (np.log10(lr) + 3) ** 2 + np.where(loss == "hinge", math.log(0.5), 0) + rng.normal(0, noise, count)
    steps = rng.integers(0, 400, count)
    return pd.DataFrame({"lr": lr, "pretrain_steps": steps, "loss": loss, "distance": np.exp(logs)})


def test_the_change_that_brings_most_is_first_with_its_size_and_an_interval() -> None:
    first, second = best_changes(runs(), experiment())[:2]
    assert (first.name, first.before) == ("lr", 1e-4)
    assert 6e-4 < first.after < 1.6e-3
    assert first.interval[0] < math.exp(-2) < first.interval[1] < 1  # (log10(1e-4) + 3)² · 2 = 2
    assert (second.name, second.after) == ("loss", "hinge")
    assert second.interval[0] < 0.5 < second.interval[1]


def test_changes_are_of_the_settings_that_are_asked_for() -> None:
    own = {"lr": 1e-3, "pretrain_steps": 0, "loss": "non_saturating"}
    found = {one.name: one for one in best_changes(runs(), experiment(), own)}
    assert found["loss"].after == "hinge"
    assert found["loss"].interval[1] < 1
    assert "lr" not in found or found["lr"].ratio > 0.8


def test_a_change_that_hardly_brings_anything_is_not_named() -> None:
    near = {"lr": 1.2e-3, "pretrain_steps": 0, "loss": "hinge"}  # the best lr would bring 1.2%
    assert best_changes(runs(noise=0.01), experiment(), near) == []


def test_whole_numbers_stay_whole_and_others_have_two_digits() -> None:
    table = runs().assign(distance=lambda t: 2.0 - t["pretrain_steps"] / 400 + 0.01 * t["lr"])
    change = best_changes(table, experiment())[0]
    assert (change.name, type(change.after)) == ("pretrain_steps", int)
    assert change.after > 300
    assert f"{best_changes(runs(), experiment())[0].after:.2g}" == f"{best_changes(runs(), experiment())[0].after:g}"


@pytest.mark.parametrize(
    "table",
    [runs(9), runs().assign(distance=math.nan), runs().assign(lr=1e-3, pretrain_steps=0, loss="hinge")],
    ids=["few", "none measured", "all alike"],
)
def test_nothing_is_said_where_nothing_is_known(table: pd.DataFrame) -> None:
    assert best_changes(table, experiment()) == []


def test_choices_may_be_lists() -> None:
    search = {**SEARCH, "betas": {"choices": [[0.5, 0.9], [0.0, 0.9]]}}
    betas = [np.array([0.5, 0.9]) if place % 2 else np.array([0.0, 0.9]) for place in range(40)]
    table = runs().assign(betas=betas)
    table["distance"] *= np.where(np.arange(40) % 2, 4.0, 1.0)
    own = {"lr": 1e-3, "pretrain_steps": 0, "loss": "hinge", "betas": [0.5, 0.9]}
    change = best_changes(table, experiment(search=search), own)[0]
    assert (change.name, change.after) == ("betas", [0.0, 0.9])


def test_settings_without_a_value_have_no_change() -> None:
    assert best_changes(runs(), experiment(), {"lr": 1e-3}) == []


def test_noise_makes_the_interval_wider() -> None:
    widths = [np.diff(np.log(best_changes(runs(noise=noise), experiment())[0].interval))[0] for noise in (0.05, 0.5)]
    assert widths[1] > 2 * widths[0]


def test_nine_in_ten_intervals_hold_of_planted_changes() -> None:
    held = tried = 0
    start = {"lr": 1e-4, "loss": "non_saturating", "pretrain_steps": 0}
    for case in range(50):
        rng = np.random.default_rng(case)
        best, gain, slope = rng.uniform(-3.8, -2.2), rng.uniform(-0.7, 0.7), rng.uniform(0.3, 1.5)

        def expected(table: pd.DataFrame, best=best, gain=gain, slope=slope) -> np.ndarray:
            return np.asarray(slope * (np.log10(table["lr"]) - best) ** 2 + np.where(table["loss"] == "hinge", gain, 0))

        table = pd.DataFrame({"lr": 10 ** rng.uniform(-4, -2, 30), "pretrain_steps": rng.integers(0, 400, 30)})
        table["loss"] = rng.choice(["hinge", "non_saturating"], 30)
        table["distance"] = np.exp(expected(table) + rng.normal(0, 0.3, 30))
        for change in best_changes(table, experiment(), start)[:1]:
            middles = expected(pd.DataFrame([start, {**start, change.name: change.after}]))
            before, after = (np.median(middle + rng.normal(0, 0.3, 3)) for middle in middles)
            tried += 1
            held += change.interval[0] <= math.exp(after - before) <= change.interval[1]
    assert tried > 40
    assert held >= 0.8 * tried


def test_a_loop_whose_parameters_have_no_defaults_has_no_change_of_them() -> None:
    search = {"gap": {"low": 0.0, "high": 1.0}}
    loop = Experiment.model_validate({"name": "x", "task": "./a.py:train", "search": search})
    table = pd.DataFrame({"gap": np.linspace(0, 1, 20), "distance": np.linspace(1, 9, 20)})
    assert best_changes(table, loop) == []
    assert best_changes(table, loop, {"gap": 0.9})[0].after < 0.5


def test_a_default_beyond_the_range_is_no_end_of_it() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"r1_gamma": 10 ** rng.uniform(0, 2, 40), "lr": 10 ** rng.uniform(-4, -2, 40)})
    table["distance"] = np.exp(rng.normal(0, 0.4, 40))
    default = pd.DataFrame({"r1_gamma": 0.0, "lr": 1e-4, "distance": 5 * np.exp(rng.normal(0, 0.4, 3))})
    wanted = experiment(search={"lr": SEARCH["lr"], "r1_gamma": {"low": 1, "high": 100, "log": True}})
    first = best_changes(pd.concat([table, default], ignore_index=True), wanted)[0]
    assert (first.name, first.before) == ("r1_gamma", 0.0)
    assert first.interval[0] < 0.2 < first.interval[1] < 1
    assert [one for one in best_changes(table, wanted) if one.name == "r1_gamma" and one.interval[1] < 1] == []


def test_fields_that_are_not_in_force_are_no_change() -> None:
    target = {"low": 0.55, "high": 0.9, "when": {"balance": "held"}}
    search = {"balance": {"choices": ["fixed", "held"]}, "target_separability": target}
    table = pd.DataFrame({"balance": ["held", "fixed"] * 20, "target_separability": np.linspace(0.55, 0.9, 40)})
    table["distance"] = np.exp(4 * table["target_separability"])
    found = {one.name for one in best_changes(table, experiment(search=search))}
    assert "target_separability" not in found
    held = {"balance": "held", "target_separability": 0.9}
    assert "target_separability" in {one.name for one in best_changes(table, experiment(search=search), held)}


def values(name: str, entry: Range) -> list[Any]:
    return list(_values(name, entry, experiment()))


def test_values_keep_the_steps_of_a_range_that_ends_between_two() -> None:
    assert values("update_ratio", Range(low=1, high=2.5, step=1)) == [1, 2]
    assert values("pretrain_steps", Range(low=0, high=7, step=3.0)) == [0, 3, 6]
    assert values("update_ratio", Range(low=0.1, high=1, step=0.3)) == pytest.approx([0.1, 0.4, 0.7, 1.0])


@pytest.mark.parametrize("entry", [Range(low=1, high=1e3, log=True), Range(low=0.0, high=20)], ids=["log", "linear"])
def test_a_whole_number_field_has_whole_values_however_its_range_is_written(entry: Range) -> None:
    found = values("pretrain_steps", entry)
    assert {type(value) for value in found} == {int}
    assert (found[0], found[-1]) == (entry.low, entry.high)
    assert len(set(found)) == len(found)


def test_a_field_with_fractions_has_them_though_its_ends_are_whole() -> None:
    found = values("r1_gamma", Range(low=0, high=1))
    assert (found[0], found[-1]) == (0, 1)
    assert len(found) == 33


def test_distances_without_a_logarithm_have_no_change() -> None:
    assert best_changes(runs().assign(distance=lambda t: t["distance"] - 1), experiment()) == []


INF = math.inf


@pytest.fixture
def benchmark(benchmarks, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # which the benchmark sets where it is not
    return benchmarks("changes")


@pytest.mark.parametrize(
    ("before", "after", "came", "holds"),
    [
        (2.0, 1.0, 0.5, True),
        (1.0, math.inf, math.inf, False),
        (math.inf, 1.0, 0.0, False),
        (INF, INF, 1, False),
    ],
)
def test_the_benchmark_counts_settings_that_diverge(benchmark, monkeypatch, before, after, came, holds):
    medians = iter([before, after])
    monkeypatch.setattr(benchmark, "median", lambda *_: next(medians))
    change = SimpleNamespace(name="lr", before=1e-4, after=1e-3, ratio=0.5, interval=(0.4, 2.0))
    study = SimpleNamespace(changes=lambda settings: [change], experiment=experiment())
    row = benchmark.tried(study, {"lr": 1e-4}, 3)
    assert (row["came"], row["holds"]) == (came, holds)
    assert benchmark.figures_of([row])["came"] == pytest.approx(min(max(came, 1e-6), 1e6))


def test_the_benchmark_has_figures_where_no_change_is_expected_to_help(benchmark):
    assert benchmark.figures_of([]) == {"tried": 0, "holds": 0, "helped": 0, "expected": None, "came": None}
