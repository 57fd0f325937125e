"""What is suggested by every sampler, and when nothing is any more."""

import math
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from gansearch.search.sampling.samplers import SAMPLERS
from gansearch.search.sampling.searcher import open_study
from tests.search.studies import record, searcher_of


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "pbt"])  # tests/search/population
def test_each_sampler_asks_and_is_told_every_ending(folder, tiny, sampler):
    study = open_study(folder, tiny(sampler=sampler))
    searcher = searcher_of(study, tiny(sampler=sampler))
    endings = ["complete", "failed", "pruned"] * 5
    for number, status in enumerate(endings):
        config = searcher.suggest(f"ray{number}")
        assert config["number"] == number
        assert config["params"]["betas"] in ([0.5, 0.9], [0, 0.9])
        values = (math.nan, math.nan) if status == "failed" else (number / 10, 10.0 - number)
        searcher.tell(record(number, status, *values))
    states = [trial.state for trial in study.trials]
    expected = {"complete": TrialState.COMPLETE, "failed": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    assert states == [expected[status] for status in endings]
    assert len({trial.params["lr"] for trial in study.trials}) == len(endings)


def test_a_config_says_the_share_of_a_gpu_where_one_is_found(folder, tiny):
    searcher = searcher_of(open_study(folder, tiny()), tiny())
    assert "gpus" not in searcher.suggest("ray")
    searcher.gpus = 0.25
    assert searcher.suggest("ray")["gpus"] == 0.25


def test_no_more_is_suggested_after_the_deadline(folder, tiny):
    experiment = tiny(limits={"hours": 1e-9})
    searcher = searcher_of(open_study(folder, experiment), experiment)
    assert searcher.suggest("ray") == searcher.FINISHED
    assert "hours are over" in searcher.why
    assert searcher.study.trials == []


def test_the_journal_keeps_one_study_when_the_experiment_gets_another_name(folder, tiny):
    open_study(folder, tiny())
    study = open_study(folder, tiny(name="renamed"))
    assert [s.study_name for s in optuna.get_all_study_summaries(study._storage)] == ["tiny"]


def run_all(searcher, most=40):
    """Suggests and ends trials until there is none any more; their parameters."""
    found = []
    while (config := searcher.suggest("ray")) != searcher.FINISHED:
        found.append(config["params"])
        searcher.tell(record(config["number"], "complete", 0.5, 1.0))
        assert len(found) < most, "the searcher does not come to an end"
    return found


CONDITIONAL = {
    "r1_gamma": {"low": 0.01, "high": 10, "log": True, "when": {"loss": ["non_saturating", "hinge"]}},
    "loss": {"choices": ["non_saturating", "hinge", "wgan"]},
}


def test_a_conditional_parameter_is_asked_only_where_it_holds(folder, tiny):
    experiment = tiny(search=CONDITIONAL, training={"updates": 80, "r1_gamma": 0.25})
    searcher = searcher_of(open_study(folder, experiment), experiment)
    configs = [searcher.suggest("ray") for _ in range(20)]
    given = [config["params"] for config in configs]
    asked = [searcher.study.trials[config["number"]].params for config in configs]
    assert {params["loss"] for params in given} == {"non_saturating", "hinge", "wgan"}
    for params, optunas in zip(given, asked, strict=True):
        assert list(params) == list(CONDITIONAL)
        assert ("r1_gamma" in optunas) == (params["loss"] != "wgan")
        assert params["r1_gamma"] == optunas.get("r1_gamma", 0.25)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "pbt"])  # tests/search/population
def test_a_discrete_space_is_tried_once_each_and_then_the_sweep_ends(folder, tiny, sampler):
    search = {
        "ema": {"low": 0.0, "high": 0.3, "step": 0.1, "when": {"loss": "hinge"}},
        "loss": {"choices": ["wgan", "hinge"]},
        "batch_size": {"low": 8, "high": 10},
    }
    experiment = tiny(sampler=sampler, search=search)
    searcher = searcher_of(open_study(folder, experiment), experiment)
    found = run_all(searcher)
    assert len(found) == len({str(params) for params in found}) == 3 * (4 + 1)
    assert searcher.why == "every configuration of the space has been tried"
    assert all("duplicate_of" in t.user_attrs for t in searcher.study.trials if t.state is TrialState.FAIL)
    again = searcher_of(open_study(folder, experiment), experiment)
    assert run_all(again) == []


def test_what_runs_is_not_run_beside_itself(folder, tiny):
    experiment = tiny(search={"loss": {"choices": ["wgan", "hinge"]}})
    searcher = searcher_of(open_study(folder, experiment), experiment)
    assert {searcher.suggest("ray")["params"]["loss"] for _ in range(2)} == {"wgan", "hinge"}
    assert searcher.suggest("ray") == searcher.FINISHED


def test_the_last_updates_wait_for_the_trials_under_way(folder, tiny):
    experiment = tiny(limits={"updates": 240}, replicas=2)  # of 160 a trial
    searcher = searcher_of(open_study(folder, experiment), experiment)
    first, second = searcher.suggest("ray"), searcher.suggest("ray")
    assert searcher.suggest("ray") is None
    searcher.tell(record(first["number"], "pruned", 0.5, 1.0))  # of 40: another fits
    third = searcher.suggest("ray")
    assert isinstance(third, dict)
    assert searcher.suggest("ray") is None
    for config in (second, third):
        searcher.tell(replace(record(config["number"], "complete"), updates=160))
    assert searcher.suggest("ray") == searcher.FINISHED
    assert "240 updates" in searcher.why
