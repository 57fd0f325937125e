"""A study in another space: its trials are kept, and inform the sampler as far as they fit."""

import pytest
from optuna.trial import TrialState

from gansearch.search.resume import check_folder, end_running
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.space_change import in_space, trained, with_columns, with_columns_of
from gansearch.search.sampling.start_points import enqueue
from gansearch.search.sampling.stopping import Budget
from gansearch.store.trial_files import read_records
from tests.search.studies import POINTS, SEARCH


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
