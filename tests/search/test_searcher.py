"""What the Optuna study is told, by every sampler, and that it outlives a torn journal."""

import math

import optuna
import pytest
from optuna.trial import TrialState

from gansearch.search.searcher import SAMPLERS, StudySearcher, open_study
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
