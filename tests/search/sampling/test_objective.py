"""What the study stores of each ending under each objective."""

import math
from dataclasses import replace

import optuna
import pytest

from gansearch.search.sampling.searcher import open_study
from tests.search.studies import record, searcher_of


def test_only_complete_trials_can_be_best(folder, tiny):
    experiment = tiny(objective="both")
    searcher = searcher_of(open_study(folder, experiment), experiment)
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
