"""What the Optuna study is told, by every sampler, and that it outlives a torn journal."""

import math
from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState

from gansearch.experiment import ExperimentError
from gansearch.search.sampling.samplers import SAMPLERS, make_sampler
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.stopping import Budget
from gansearch.store.folder import Folder
from tests.synthetic import a_record


def record(number, status, stability=0.5, distance=1.0):
    error = "it broke" if status == "failed" else ""
    return a_record(number, status, "balanced", stability, distance, updates=40, error=error)


def searcher_of(study, experiment):
    return StudySearcher(study, SearchSpace(experiment), Budget(experiment))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "pbt"])  # test_pbt.py
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


def test_only_complete_trials_can_be_best(folder, tiny):
    searcher = searcher_of(open_study(folder, tiny()), tiny())
    for number, ending in enumerate(
        [("complete", 0.4, 2.0), ("pruned", 1.0, 0.0), ("failed", 1.0, 0.0), ("complete", 0.3, math.nan)]
    ):
        searcher.suggest("ray")
        searcher.tell(record(number, *ending))
    study = optuna.load_study(study_name=None, storage=searcher.study._storage)
    assert study.metric_names == ["stability", "distance"]
    assert study.directions == [optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE]
    assert [trial.number for trial in study.best_trials] == [0]
    failed = study.trials[2]
    assert failed.values == [0.0, 2.0]  # the worst distance seen
    assert failed.constraints == {"failed": 1.0}
    assert failed.user_attrs["error"] == "it broke"
    assert study.trials[1].user_attrs["status"] == "pruned"
    assert study.trials[3].values == [0.3, 2.0]


def test_no_more_is_suggested_after_the_deadline(folder, tiny):
    experiment = tiny(limits={"hours": 1e-9})
    searcher = searcher_of(open_study(folder, experiment), experiment)
    assert searcher.suggest("ray") == searcher.FINISHED
    assert "hours are over" in searcher.why
    assert searcher.study.trials == []


def test_a_torn_journal_is_cut_to_its_last_whole_line(folder, tiny):
    searcher = searcher_of(open_study(folder, tiny()), tiny())
    searcher.suggest("ray")
    searcher.tell(record(0, "complete"))
    with folder.journal.open("ab") as journal:
        journal.write(b'{"op_code": 4, "worker_id": "x", "study_')
    study = open_study(folder, tiny())
    searcher_of(study, tiny()).suggest("ray")
    again = open_study(folder, tiny())
    assert [trial.state for trial in again.trials] == [TrialState.COMPLETE, TrialState.RUNNING]


def test_a_sampler_that_starts_again_draws_other_points(folder, tiny):
    first = searcher_of(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
    second = searcher_of(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
    assert first != second


def test_the_journal_keeps_one_study_when_the_experiment_gets_another_name(folder, tiny):
    open_study(folder, tiny())
    study = open_study(folder, tiny(name="renamed"))
    assert [s.study_name for s in optuna.get_all_study_summaries(study._storage)] == ["tiny"]


@pytest.mark.parametrize(
    ("objective", "metrics", "values"),
    [("stability", ["stability"], [0.4]), ("distance", ["distance"], [2.0]), ("balanced", ["distance"], [2.0])],
)
def test_one_objective_is_told_alone_and_the_other_number_is_kept_beside(folder, tiny, objective, metrics, values):
    experiment = tiny(objective=objective)
    searcher = searcher_of(open_study(folder, experiment), experiment)
    for number, ending in enumerate([("complete", 0.4, 2.0), ("pruned", 1.0, 0.5), ("failed", math.nan, math.nan)]):
        searcher.suggest("ray")
        searcher.tell(record(number, *ending))
    study = optuna.load_study(study_name=None, storage=searcher.study._storage)
    complete, pruned, failed = study.trials
    assert study.metric_names == metrics
    assert complete.values == values
    assert study.best_trial.number == 0
    assert ("stability" if metrics == ["distance"] else "distance") in complete.user_attrs
    assert pruned.intermediate_values == {40: 1.0 if objective == "stability" else 0.5}
    assert not any(complete.constraints.values())
    assert failed.constraints["failed"] == 1
    assert failed.values == ([0.0] if objective == "stability" else [2.0])


def test_with_the_objective_balanced_nothing_unhealthy_can_be_best(folder, tiny):
    experiment = tiny(objective="balanced")
    searcher = searcher_of(open_study(folder, experiment), experiment)
    for number, (verdict, stability, distance) in enumerate(
        [("balanced", 0.8, 2.0), ("collapsed", 0.3, 0.1), ("oscillating", 1.0, 0.1)]
    ):
        searcher.suggest("ray")
        searcher.tell(replace(record(number, "complete", stability, distance), verdict=verdict))
    assert searcher.study.best_trial.number == 0
    violations = [trial.constraints["unhealthy"] for trial in searcher.study.trials]
    assert violations == [0.0, pytest.approx(0.7), pytest.approx(0.01)]


def test_a_sampler_takes_its_own_options(tiny):
    sampler = make_sampler(tiny(sampler={"name": "tpe", "n_startup_trials": 3, "multivariate": True}))
    asked = sampler._sampler  # behind the bound
    assert (asked._n_startup_trials, asked._multivariate) == (3, True)
    assert make_sampler(tiny(sampler={"name": "nsgaii", "mutation_prob": 1}))._population_size == 50


@pytest.mark.parametrize(
    ("sampler", "path", "part"),
    [
        ({"name": "tpe", "n_startup_trails": 3}, "sampler.n_startup_trails", 'did you mean "n_startup_trials"'),
        ({"name": "tpe", "n_startup_trials": 2.5}, "sampler.n_startup_trials", "must be int, not 2.5"),
        ({"name": "tpe", "n_startup_trials": True}, "sampler.n_startup_trials", "must be int, not True"),
        ({"name": "tpe", "seed": 1}, "sampler.seed", "not an option of tpe"),
        ({"name": "tpe", "gamma": "os.system"}, "sampler.gamma", "not an option of tpe"),
        ({"name": "random", "x": 1}, "sampler.x", "it has none"),
        ({"name": "nsgaii", "population_size": 1}, "sampler", "population_size"),
        ({"name": "qmc", "qmc_type": "sobel"}, "sampler", "sobel"),
    ],
)
def test_wrong_options_of_a_sampler_are_named(tiny, sampler, path, part):
    with pytest.raises(ExperimentError) as error:
        make_sampler(tiny(sampler=sampler))
    assert list(error.value.errors) == [path]
    assert part in error.value.errors[path]


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


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "pbt"])  # test_pbt.py
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
