"""Trials of another study, as far as they fit."""

import shutil

import pytest

from gansearch.search.errors import SweepError
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.stopping import Budget
from gansearch.search.sampling.warm_start import warm_trials, warm_up
from gansearch.store.folder import Folder
from gansearch.store.trial_files import read_records
from tests.search.studies import POINTS, SEARCH


def test_an_earlier_study_warms_up_a_new_one(swept, tiny, tmp_path):
    earlier, _, _ = swept(*POINTS)
    search = {"lr": {"low": 1e-4, "high": 6e-3}, "loss": SEARCH["loss"], "r1_gamma": {"choices": [0.0, 1.0]}}
    experiment = tiny(search=search, warm_start=str(earlier.path), objective="distance")
    folder = Folder(tmp_path / "new")
    folder.create(experiment)
    study = open_study(folder, experiment)
    for _ in range(2):
        warm_up(study, SearchSpace(experiment))
    assert [trial.values for trial in study.trials] == [[1.0], [2.0], [3.0]]
    assert [trial.params["lr"] for trial in study.trials] == pytest.approx([1e-3, 2e-4, 5e-3])
    assert study.trials[1].params["r1_gamma"] == 0.0
    assert study.trials[0].user_attrs["warm_start"] == f"{earlier.path}, trial 0"
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    study.enqueue_trial(study.trials[0].params)
    assert searcher.suggest("ray")["params"]["lr"] == pytest.approx(1e-3), "no trial of this study had it"
    assert read_records(folder) == []


def test_several_studies_warm_up_one_and_those_of_other_tasks_give_no_trials(swept, tiny):
    one, _, _ = swept(*POINTS[:2])
    other, _, _ = swept(POINTS[0], name="other")
    paths = [str(one.path), str(other.path)]
    assert len(warm_trials(SearchSpace(tiny(search=SEARCH, warm_start=paths)))) == 3
    of_ring = {"search": SEARCH, "warm_start": paths, "task": "ring", "task_options": {}}
    assert warm_trials(SearchSpace(tiny(**of_ring, sampler="balance"))) == []
    with pytest.raises(SweepError, match=r"out is a sweep of another task, which informs sampler: balance alone"):
        warm_trials(SearchSpace(tiny(**of_ring)))


def test_a_sweep_that_began_needs_the_folders_that_warmed_it_up_no_more(swept, tiny, tmp_path):
    own, _, _ = swept(POINTS[0])
    other, _, _ = swept(POINTS[0], name="other", task="ring", task_options={})
    paths = [str(own.path), str(other.path)]
    experiment = tiny(search=SEARCH, warm_start=paths, sampler="balance", objective="distance")
    folder = Folder(tmp_path / "new")
    folder.create(experiment)
    warm_up(open_study(folder, experiment), SearchSpace(experiment))
    for path in paths:
        shutil.rmtree(path)
    study = open_study(folder, experiment)
    warm_up(study, SearchSpace(experiment))
    assert len(study.trials) == 1
    assert study.sampler._centres == [{"lr": pytest.approx(1e-3), "loss": "hinge", "r1_gamma": 1.0}]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"warm_start": "/nowhere"}, "no such results folder"),
        ({"training": {"updates": 160, "batch_size": 8}}, "of trial 3 updates 80 is not 160"),
        ({"search": {"lr": {"low": 1e-6, "high": 1e-5}}}, "is not from 1e-06 to 1e-05"),
    ],
)
def test_a_study_that_cannot_warm_up_another_is_refused(swept, tiny, fields, part):
    earlier, _, _ = swept(*POINTS)
    with pytest.raises(SweepError, match=part):
        warm_trials(SearchSpace(tiny(**{"search": SEARCH, "warm_start": str(earlier.path), **fields})))


def test_a_sweep_that_died_while_it_was_warmed_up_gets_the_rest(swept, tiny, tmp_path, monkeypatch):
    earlier, _, _ = swept(*POINTS)
    experiment = tiny(search=SEARCH, warm_start=str(earlier.path), objective="distance")
    folder = Folder(tmp_path / "new")
    folder.create(experiment)
    space = SearchSpace(experiment)
    study = open_study(folder, experiment)

    def dies(trials):
        study.add_trial(trials[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "add_trials", dies)
    with pytest.raises(KeyboardInterrupt):
        warm_up(study, space)
    for _ in range(2):
        warm_up(open_study(folder, experiment), space)
    labels = [trial.user_attrs["warm_start"] for trial in open_study(folder, experiment).trials]
    assert labels == [f"{earlier.path}, trial {number}" for number in range(len(POINTS))]
