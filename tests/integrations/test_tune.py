"""The monitor and the search in somebody's own run of Ray Tune, with the real Ray."""

import json
from types import SimpleNamespace

import pytest
from ray import tune
from ray.tune.search import ConcurrencyLimiter

from gansearch.integrations.tune import StabilityCallback, StabilityStopper
from gansearch.integrations.tune_search import BalanceSearch


def train(config):
    """A run whose samples stay as far from the data as D and G differ in strength."""
    import math

    import torch

    from gansearch import StabilityMonitor

    monitor, draws = StabilityMonitor(), torch.Generator().manual_seed(0)
    strength = abs(math.log10(config["lr_d"] / config["lr_g"]))
    for step in range(20, 1001, 20):
        scores = torch.randn(2, 64, generator=draws) * 0.5
        reals, fakes = torch.randn(2, 64, 2, generator=draws)
        monitor.update(scores[0] + 0.2, scores[1] - 0.2, step=step, samples=(reals, fakes + 30 * (strength > 1)))
        if step % 200 == 0:
            if config["breaks"] and step > 200:
                raise RuntimeError("out of memory")
            tune.report({"fid": strength, **monitor.metrics(share=step / 1000)})


@pytest.fixture(scope="module")
def breaking(tmp_path_factory):
    return tmp_path_factory.mktemp("tune")


def test_a_run_of_ones_own_stops_what_is_beyond_hope_and_is_restored(ray_session, tune_run, breaking, capsys):
    first = [{"lr_d": 1e-2, "lr_g": 1e-4, "breaks": False}, {"lr_d": 1e-3, "lr_g": 1e-3, "breaks": False}]
    search = BalanceSearch(seed=0, points_to_evaluate=[*first, {"breaks": True}])
    search = ConcurrencyLimiter(search, max_concurrent=2)
    callback = StabilityCallback()
    rates = {"lr_d": tune.loguniform(1e-4, 1e-2), "lr_g": tune.loguniform(1e-4, 1e-2)}
    tuner = tune.Tuner(
        train,
        param_space={**rates, "breaks": tune.choice([False, False, False, True])},
        tune_config=tune.TuneConfig(metric="fid", mode="min", num_samples=5, search_alg=search),
        run_config=tune.RunConfig(
            name="mine", storage_path=str(breaking), stop=StabilityStopper(), callbacks=[callback], verbose=0
        ),
    )
    results = tuner.fit()
    assert len(results) == 5
    frame = results.get_dataframe()
    stopped = frame[frame["hopeless"] == 1.0]
    whole = frame[(frame["hopeless"] == 0.0) & (frame["training_iteration"] == 5)]
    assert 0 < len(stopped) < 5
    assert set(stopped["training_iteration"]) == {2}  # 400 of 1,000 updates, the first report after a quarter
    assert set(whole["verdict"]) == {"balanced"}
    assert "balanced" not in set(stopped["verdict"])
    assert results.get_best_result().metrics["verdict"] == "balanced"
    printed = capsys.readouterr().out
    assert f"{len(stopped)} stopped beyond hope" in printed
    assert callback.verdicts["balanced"] + callback.stopped == callback.verdicts.total()
    # The verdict is in the files that others read, too.
    files = list((breaking / "mine").glob("*/result.json"))
    assert all("verdict" in json.loads(file.read_text().splitlines()[-1]) for file in files)

    restored = tune.Tuner.restore(str(breaking / "mine"), train, restart_errored=True)
    again = restored.fit()
    assert len(again) == 5
    assert again.get_best_result().metrics["fid"] == results.get_best_result().metrics["fid"]


def test_results_of_others_have_no_verdict_and_say_nothing(capsys):
    callback = StabilityCallback()
    for result in ({}, {"verdict_number": 99.0}, {"verdict_number": "6"}):
        callback.on_trial_result(0, [], None, result)
        assert "verdict" not in result
        callback.on_trial_complete(0, [], SimpleNamespace(last_result=result))
    callback.on_experiment_end([])
    assert capsys.readouterr().out == ""
    assert not StabilityStopper()("t", {"fid": 1.0})
    assert not StabilityStopper().stop_all()


def test_a_callback_goes_on_counting():
    callback, again = StabilityCallback(), StabilityCallback()
    callback.on_trial_complete(0, [], SimpleNamespace(last_result={"verdict": "collapsed", "hopeless": 1.0}))
    again.set_state(callback.get_state())
    assert (again.verdicts["collapsed"], again.stopped) == (1, 1)
