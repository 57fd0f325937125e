"""What the Optuna study is told, by every sampler, and that it outlives a torn journal."""

import math

import optuna
import pytest
from optuna.trial import TrialState

from gansearch.experiment import ExperimentError
from gansearch.search.samplers import SAMPLERS, make_sampler
from gansearch.search.searcher import StudySearcher, open_study
from gansearch.study.folder import Folder


def row(number, status, stability=0.5, distance=1.0):
    return {
        "number": number,
        "status": status,
        "verdict": "balanced",
        "stability": stability,
        "distance": distance,
        "updates": 40,
        "train_seconds": 1.0,
        "node": "here",
        "error": "it broke" if status == "failed" else "",
    }


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_sampler_asks_and_is_told_every_ending(folder, tiny, sampler):
    study = open_study(folder, tiny(sampler=sampler))
    searcher = StudySearcher(study, tiny(sampler=sampler))
    endings = ["complete", "failed", "pruned"] * 5
    for number, status in enumerate(endings):
        config = searcher.suggest(f"ray{number}")
        assert config["number"] == number
        assert config["params"]["betas"] in ([0.5, 0.9], [0, 0.9])
        values = (math.nan, math.nan) if status == "failed" else (number / 10, 10.0 - number)
        searcher.tell(row(number, status, *values))
    states = [trial.state for trial in study.trials]
    expected = {"complete": TrialState.COMPLETE, "failed": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
    assert states == [expected[status] for status in endings]
    assert len({trial.params["lr"] for trial in study.trials}) == len(endings)


def test_only_complete_trials_can_be_best(folder, tiny):
    searcher = StudySearcher(open_study(folder, tiny()), tiny())
    for number, ending in enumerate(
        [("complete", 0.4, 2.0), ("pruned", 1.0, 0.0), ("failed", 1.0, 0.0), ("complete", 0.3, math.nan)]
    ):
        searcher.suggest("ray")
        searcher.tell(row(number, *ending))
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
    searcher = StudySearcher(open_study(folder, tiny()), tiny(), deadline=0.0)
    assert searcher.suggest("ray") == searcher.FINISHED
    assert searcher.study.trials == []


def test_a_torn_journal_is_cut_to_its_last_whole_line(folder, tiny):
    searcher = StudySearcher(open_study(folder, tiny()), tiny())
    searcher.suggest("ray")
    searcher.tell(row(0, "complete"))
    with folder.journal.open("ab") as journal:
        journal.write(b'{"op_code": 4, "worker_id": "x", "study_')
    study = open_study(folder, tiny())
    StudySearcher(study, tiny()).suggest("ray")
    again = open_study(folder, tiny())
    assert [trial.state for trial in again.trials] == [TrialState.COMPLETE, TrialState.RUNNING]


def test_a_sampler_that_starts_again_draws_other_points(folder, tiny):
    first = StudySearcher(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
    second = StudySearcher(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
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
    searcher = StudySearcher(open_study(folder, experiment), experiment)
    for number, ending in enumerate([("complete", 0.4, 2.0), ("pruned", 1.0, 0.5), ("failed", math.nan, math.nan)]):
        searcher.suggest("ray")
        searcher.tell(row(number, *ending))
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
    searcher = StudySearcher(open_study(folder, experiment), experiment)
    for number, (verdict, stability, distance) in enumerate(
        [("balanced", 0.8, 2.0), ("collapsed", 0.3, 0.1), ("oscillating", 1.0, 0.1)]
    ):
        searcher.suggest("ray")
        searcher.tell({**row(number, "complete", stability, distance), "verdict": verdict})
    assert searcher.study.best_trial.number == 0
    violations = [trial.constraints["unhealthy"] for trial in searcher.study.trials]
    assert violations == [0.0, pytest.approx(0.7), pytest.approx(0.01)]


def test_a_sampler_takes_its_own_options(tiny):
    sampler = make_sampler(tiny(sampler={"name": "tpe", "n_startup_trials": 3, "multivariate": True}))
    assert (sampler._n_startup_trials, sampler._multivariate) == (3, True)
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
