"""The sampler of balances as a search algorithm of Tune, without Ray; tests/integrations/test_tune.py runs it."""

import math
import warnings

import numpy as np
import pytest
from ray import tune

from gansearch.integrations.tune_search import BalanceSearch

SPACE = {
    "opt": {"lr_d": tune.loguniform(1e-5, 1e-1), "lr_g": tune.loguniform(1e-5, 1e-1)},
    "update_ratio": tune.uniform(0.5, 4),
    "pretrain_steps": tune.randint(0, 500),
    "betas": tune.choice([(0.0, 0.9), (0.5, 0.999)]),
    "loss": tune.choice(["hinge", "wgan"]),
    "layers": 3,
}


def searching(space=SPACE, metric="fid", mode="min", **options):
    search = BalanceSearch(seed=0, **options)
    assert search.set_search_properties(metric, mode, space)
    return search


def run(search, first, last, result=lambda config: {"fid": abs(math.log10(config["opt"]["lr_d"] / 2e-3))}):
    """Suggest trials and end each; return what was suggested."""
    configs = []
    for number in range(first, last):
        configs.append(search.suggest(f"t{number}"))
        search.on_trial_complete(f"t{number}", result(configs[-1]))
    return configs


def test_configurations_have_the_shape_of_the_space_and_choices_are_the_objects_given():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        configs = run(searching(), 0, 20)
    assert {tuple(sorted(config)) for config in configs} == {("betas", "loss", "opt", "pretrain_steps", "update_ratio")}
    assert {config["betas"] for config in configs} == {(0.0, 0.9), (0.5, 0.999)}
    assert all(1e-5 <= config["opt"]["lr_g"] <= 1e-1 for config in configs)
    assert all(isinstance(config["pretrain_steps"], int) for config in configs)


def test_it_comes_near_the_best_in_both_modes():
    down = run(searching(), 0, 40)
    up = run(searching(mode="max"), 0, 40, lambda c: {"fid": -abs(math.log10(c["opt"]["lr_d"] / 2e-3))})
    assert down == up
    far = [abs(math.log10(config["opt"]["lr_d"] / 2e-3)) for config in down]
    assert np.median(far[20:]) < 0.6 * np.median(far[:10])


def test_a_search_that_is_restored_goes_on_as_an_unbroken_one(tmp_path):
    whole = searching()
    expected = run(whole, 0, 24)
    broken = searching()
    run(broken, 0, 12)
    running = broken.suggest("t12")
    broken.save(str(tmp_path / "state.pkl"))
    again = BalanceSearch()
    again.restore(str(tmp_path / "state.pkl"))
    assert running == expected[12]
    again.on_trial_complete("t12", {"fid": abs(math.log10(running["opt"]["lr_d"] / 2e-3))})
    assert run(again, 13, 24) == expected[13:]
    assert again.metric == "fid"


def test_trials_that_fail_are_infeasible_with_the_worst_value_and_strangers_are_ignored():
    search = searching()
    ends = [{"fid": 3.0}, {"fid": math.nan}, {}, None, {"fid": np.float32(1.0)}, {"fid": "low"}]
    for number, result in enumerate(ends):
        search.suggest(f"t{number}")
        search.on_trial_complete(f"t{number}", result, error=result is None)
    search.on_trial_complete("nobody", {"fid": 0.0})
    search.on_trial_complete("t0", {"fid": 0.0})
    trials = search._study.trials
    assert [trial.values[0] for trial in trials] == [3.0, 3.0, 3.0, 3.0, 1.0, 3.0]
    assert [trial.constraints["failed"] for trial in trials] == [0.0, 1.0, 1.0, 1.0, 0.0, 1.0]
    assert search._study.best_trial.number == 4


def test_a_balanced_trial_is_better_than_one_that_is_not():
    search = searching()
    run(search, 0, 1, lambda _: {"fid": 1.0, "stability": 0.2, "healthy": 0.0})
    run(search, 1, 2, lambda _: {"fid": 5.0, "stability": 0.9, "healthy": 1.0})
    assert [trial.constraints["unhealthy"] for trial in search._study.trials] == [0.8, 0.0]
    assert search._study.best_trial.number == 1


def test_configurations_to_begin_with_come_first():
    points = [{"opt": {"lr_d": 4e-4, "lr_g": 1e-4}, "betas": (0.5, 0.999)}, {"update_ratio": 2.0}]
    first, second = run(searching(points_to_evaluate=points), 0, 2)
    assert (first["opt"], first["betas"]) == ({"lr_d": 4e-4, "lr_g": 1e-4}, (0.5, 0.999))
    assert second["update_ratio"] == 2.0


@pytest.mark.parametrize(
    ("metric", "mode", "space", "part"),
    [
        (None, "min", SPACE, "needs one metric"),
        ("fid", None, SPACE, "needs one metric"),
        (["fid", "is"], ["min", "max"], SPACE, "needs one metric"),
        ("fid", "min", {"lr": 1e-3}, "needs a range"),
        ("fid", "min", {"lr": tune.grid_search([1, 2])}, "Grid search"),
        ("fid", "min", {"lr": tune.randn(0, 1)}, "Normal"),
    ],
)
def test_what_it_cannot_search_is_said(metric, mode, space, part):
    with pytest.raises(ValueError, match=part):
        BalanceSearch().set_search_properties(metric, mode, space)


def test_a_second_space_is_refused():
    assert not searching().set_search_properties("fid", "min", SPACE)
