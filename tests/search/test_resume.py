"""What may change in a folder that is gone on with, and what its journal gets back."""

import shutil

import pytest
from optuna.trial import TrialState

from gansearch.experiment import ExperimentError
from gansearch.search.errors import SweepError
from gansearch.search.resume import add_lost, check_folder, end_running, end_waiting
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.stopping import Budget
from gansearch.search.worker.checkpoints import ray_folder, trial_name
from gansearch.store.folder import Folder
from gansearch.store.trial_files import read_records
from tests.search.studies import POINTS, SEARCH


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
    with pytest.raises(SweepError, match="objective: distance → both"):
        check_folder(folder, tiny(search=SEARCH, objective="both"), resume=True, allow_change=True)
    contradictory = {"balance": {"choices": ["held"]}, "lr": SEARCH["lr"]}
    folder, _, _ = swept(name="held", search={"update_ratio": {"low": 0.5, "high": 2}, "lr": SEARCH["lr"]})
    with pytest.raises(ExperimentError, match="update_ratio"):
        check_folder(folder, tiny(search=contradictory), resume=True, allow_change=True)


def test_what_a_dead_driver_left_running_goes_on_once(swept, tiny):
    folder, experiment, study = swept(POINTS[0])
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    config = searcher.suggest("ray")
    saved = ray_folder(folder, trial_name(config["number"])) / "checkpoint_000000"
    saved.mkdir(parents=True)
    for _ in range(2):  # a driver that goes on may die as well
        end_running(study, folder, experiment.objective)
    ended, left, again = study.trials
    assert (ended.state, left.state, again.state) == (TrialState.COMPLETE, TrialState.FAIL, TrialState.WAITING)
    assert left.user_attrs["continued_as"] == again.number
    assert again.user_attrs == {"continues": left.number, "checkpoints": [str(saved)]}
    resumed = StudySearcher(study, SearchSpace(experiment), Budget(experiment)).suggest("ray")
    assert (resumed["number"], resumed["checkpoints"]) == (again.number, [str(saved)])
    end_waiting(study)
    assert study.trials[again.number].state is TrialState.RUNNING, "it is under way"


def test_entries_that_wait_to_go_on_end_with_the_sweep(swept):
    folder, experiment, study = swept(POINTS[0])
    StudySearcher(study, SearchSpace(experiment), Budget(experiment)).suggest("ray")
    end_running(study, folder, experiment.objective)
    study.enqueue_trial({"lr": 1e-3})  # of no trial before it
    end_waiting(study)
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.FAIL, TrialState.WAITING]
    assert study.trials[2].user_attrs["left_out"] == "the sweep has all its trials"


def test_a_folder_whose_name_is_no_text_is_refused_before_anything_is_written(tiny, tmp_path):
    with pytest.raises(SweepError, match=r"caf\\udce9: has a name that is no UTF-8"):
        check_folder(Folder(tmp_path / "caf\udce9"), tiny(), resume=False)
