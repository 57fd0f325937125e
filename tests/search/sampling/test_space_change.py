"""Trials of another space or of another study: kept, and told to the sampler as far as they fit."""

import math
import shutil
from datetime import UTC, datetime

import pytest
from optuna.trial import TrialState

from gansearch.experiment import ExperimentError
from gansearch.search.errors import SweepError
from gansearch.search.resume import add_lost, check_folder, end_running
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import in_space, trained, with_columns, with_columns_of
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.sampling.stopping import Budget
from gansearch.search.sampling.warm_start import warm_trials, warm_up
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.record import trial_record
from gansearch.store.trial_files import read_records, write_trial

SEARCH = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "loss": {"choices": ["non_saturating", "hinge", "wgan"]},
    "r1_gamma": {"choices": [0.0, 1.0], "when": {"loss": "hinge"}},
}


@pytest.fixture
def swept(tiny, tmp_path):
    """Makes a folder with a study of ended trials of the given parameters; the last of two that fail or are pruned."""

    def make(*points, name="out", **fields):
        experiment = tiny(**{"search": SEARCH, **fields})
        folder = Folder(tmp_path / name)
        folder.create(experiment)
        study = in_space(open_study(folder, experiment), folder, SearchSpace(experiment))
        searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
        for i, point in enumerate(points):
            study.enqueue_trial({k: v for k, v in point.items() if k != "status"})
            config = searcher.suggest("ray")
            failed = point.get("status") == "failed"
            seed = SeedResult(
                seed=0,
                status=point.get("status", "complete"),
                verdict="balanced",
                error="it broke" if failed else "",
                stability=0.5 + i / 100,
                distance=math.nan if failed else 1.0 + i,
                updates=80,
                train_seconds=1.0,
            )
            now = datetime.now(UTC)
            record = trial_record(
                config["number"], experiment, config["params"], [seed], started=now, ended=now, node=""
            )
            write_trial(folder, record, [])
            searcher.tell(record)
        return folder, experiment, study

    return make


POINTS = (
    {"lr": 1e-3, "loss": "hinge", "r1_gamma": 1.0},
    {"lr": 2e-4, "loss": "wgan"},
    {"lr": 5e-3, "loss": "non_saturating", "status": "pruned"},
    {"lr": 8e-3, "loss": "non_saturating", "status": "failed"},
)


def moved(folder, tiny, **fields):
    """The folder's study in another space."""
    experiment = check_folder(folder, tiny(**fields), resume=True, allow_change=True)
    return in_space(open_study(folder, experiment), folder, SearchSpace(experiment)), experiment


def test_the_same_space_leaves_the_study_alone(swept, tiny):
    folder, experiment, before = swept(*POINTS)
    study, again = moved(folder, tiny, search=SEARCH)
    assert again == experiment
    assert (study.study_name, study.trials) == (before.study_name, before.trials)


@pytest.mark.parametrize(
    "search",
    [
        {**SEARCH, "lr": {"low": 5e-4, "high": 6e-3}},  # no longer a logarithm
        {**SEARCH, "lr": {"choices": [1e-3, 5e-3]}},
        {"lr_d": {"low": 5e-4, "high": 6e-3}, "lr_g": {"low": 5e-4, "high": 6e-3}, **dict(list(SEARCH.items())[1:])},
        {**SEARCH, "loss": {"choices": ["hinge", "non_saturating", "lsgan"]}, "lr": {"low": 5e-4, "high": 6e-3}},
    ],
)
def test_trials_that_fit_a_changed_space_inform_the_sampler_and_all_are_kept(swept, tiny, search):
    folder, _, study = swept(*POINTS)
    old = study.trials
    study, experiment = moved(folder, tiny, search=search)
    assert [trial.state for trial in study.trials] == [
        TrialState.COMPLETE,
        TrialState.FAIL,
        TrialState.PRUNED,
        TrialState.FAIL,
    ]
    assert study.trials[0].values == old[0].values
    assert study.trials[0].params["loss"] == "hinge"
    assert "0.0002 is not" in study.trials[1].user_attrs["left_out"]
    assert "left_out" not in study.trials[2].user_attrs
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    assert [searcher.suggest("ray")["number"] >= 4 for _ in range(3)] == [True] * 3
    assert len(read_records(folder)) == 4


def test_what_is_left_out_comes_back_with_the_space(swept, tiny):
    folder, _, study = swept(*POINTS)
    old = study.trials
    narrow = {**SEARCH, "lr": {"low": 5e-4, "high": 6e-3}}
    study, _ = moved(folder, tiny, search=narrow)
    (folder.experiment).write_text(tiny(search=narrow).to_yaml())
    study, _ = moved(folder, tiny, search=SEARCH)
    for before, after in zip(old, study.trials, strict=True):
        assert (before.state, before.values, before.constraints) == (after.state, after.values, after.constraints)
        assert before.params == pytest.approx(after.params)


def test_an_unfinished_copy_counts_for_nothing(swept, tiny, monkeypatch):
    folder, experiment, study = swept(*POINTS)
    old, name = study.trials, study.study_name
    with monkeypatch.context() as patch:
        patch.setattr("optuna.delete_study", lambda **_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            moved(folder, tiny, search={**SEARCH, "lr": {"low": 5e-4, "high": 6e-3}})
    study = open_study(folder, experiment)
    assert study.study_name == name
    assert [trial.params for trial in study.trials] == [trial.params for trial in old]


def test_what_is_no_longer_searched_keeps_its_column(swept, tiny):
    folder, _, _ = swept(*POINTS)
    search = {"lr": SEARCH["lr"], "ema": {"choices": [0.0, 0.9]}}
    study, experiment = moved(folder, tiny, search=search)
    assert experiment.search["loss"] == "non_saturating"
    assert experiment.search["r1_gamma"] == 0.0
    records = [with_columns(experiment, record) for record in read_records(folder)]
    assert [record.params["ema"] for record in records] == [0.0] * 4
    assert trained(SearchSpace(experiment), study, records[0]) == pytest.approx(
        {"lr": 1e-3, "ema": 0.0, "loss": "hinge", "r1_gamma": 1.0}
    )
    assert with_columns_of(experiment, tiny(search=search)) == experiment


def test_what_waited_or_was_cut_off_is_asked_in_the_new_space_if_it_fits(swept, tiny):
    folder, experiment, study = swept(POINTS[0], start_from=[{"lr": 2e-3}, {"lr": 3e-3}])
    enqueue(study, SearchSpace(experiment))
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    first = searcher.suggest("ray")  # a start point, and cut off
    study.enqueue_trial({"lr": 9e-3, "loss": "wgan"})
    end_running(open_study(folder, experiment), folder, experiment.objective)
    wider = {**SEARCH, "lr": {"low": 1e-5, "high": 5e-3}}
    study, experiment = moved(folder, tiny, search=wider, start_from=[{"lr": 2e-3}, {"lr": 3e-3}])
    enqueue(study, SearchSpace(experiment))
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    again = [searcher.suggest("ray")["params"]["lr"] for _ in range(3)]
    assert again[:2] == pytest.approx([first["params"]["lr"], 3e-3])
    assert again[2] not in (9e-3, 2e-3)


def test_a_journal_that_knows_less_than_the_records_takes_them_in(swept):
    folder, experiment, before = swept(*POINTS)
    shutil.rmtree(folder.record(1))  # it was running
    folder.journal.unlink()
    study = open_study(folder, experiment)
    add_lost(study, read_records(folder), SearchSpace(experiment))
    end_running(study, folder, experiment.objective)
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE]
    assert [trial.state for trial in study.trials] == states
    for number in (0, 2):
        known, was = study.trials[number], before.trials[number]
        assert (known.params, known.values) == (pytest.approx(was.params), was.values)


def test_only_the_space_may_change_and_only_if_it_is_said(swept, tiny):
    folder, _, _ = swept(*POINTS)
    wider = {**SEARCH, "lr": {"low": 1e-5, "high": 1e-2, "log": True}}
    with pytest.raises(SweepError, match=r"--allow-change.*(\n.*)*search.lr.low: 0.0001 → 1e-05"):
        check_folder(folder, tiny(search=wider), resume=True)
    longer = {"updates": 160, "batch_size": 8}
    with pytest.raises(SweepError, match="choose another --out") as error:
        check_folder(folder, tiny(search=wider, training=longer), resume=True, allow_change=True)
    assert "--allow-change" not in str(error.value)
    with pytest.raises(SweepError, match="objective: both → distance"):
        check_folder(folder, tiny(search=SEARCH, objective="distance"), resume=True, allow_change=True)
    contradictory = {"balance": {"choices": ["held"]}, "lr": SEARCH["lr"]}
    folder, _, _ = swept(name="held", search={"update_ratio": {"low": 0.5, "high": 2}, "lr": SEARCH["lr"]})
    with pytest.raises(ExperimentError, match="update_ratio"):
        check_folder(folder, tiny(search=contradictory), resume=True, allow_change=True)


def test_an_earlier_study_warms_up_a_new_one(swept, tiny, tmp_path):
    earlier, _, _ = swept(*POINTS)
    search = {"lr": {"low": 1e-4, "high": 6e-3}, "loss": SEARCH["loss"], "r1_gamma": {"choices": [0.0, 1.0]}}
    experiment = tiny(search=search, warm_start=str(earlier.path), objective="distance")
    folder = Folder(tmp_path / "new")
    folder.create(experiment)
    study = open_study(folder, experiment)
    for _ in range(2):
        warm_up(study, SearchSpace(experiment))
    assert [trial.values for trial in study.trials] == [[1.0], [2.0], None]
    assert [trial.params["lr"] for trial in study.trials] == pytest.approx([1e-3, 2e-4, 5e-3])
    assert study.trials[1].params["r1_gamma"] == 0.0
    assert study.trials[0].user_attrs["warm_start"] == f"{earlier.path}, trial 0"
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    study.enqueue_trial(study.trials[0].params)
    assert searcher.suggest("ray")["params"]["lr"] == pytest.approx(1e-3), "no trial of this study had it"
    assert read_records(folder) == []


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"warm_start": "/nowhere"}, "no such results folder"),
        ({"task": "ring", "task_options": {}}, "has the task .*tasks.py:Tiny, not ring: its distance is another"),
        ({"training": {"updates": 160, "batch_size": 8}}, "of trial 3 updates 80 is not 160"),
        ({"search": {"lr": {"low": 1e-6, "high": 1e-5}}}, "is not from 1e-06 to 1e-05"),
    ],
)
def test_a_study_that_cannot_warm_up_another_is_refused(swept, tiny, fields, part):
    earlier, _, _ = swept(*POINTS)
    with pytest.raises(SweepError, match=part):
        warm_trials(SearchSpace(tiny(**{"search": SEARCH, "warm_start": str(earlier.path), **fields})))
