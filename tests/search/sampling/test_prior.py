"""The centres of the prior: recorded runs of other tasks, sweeps that are named, and the user's belief."""

import json
from importlib.resources import files

import pytest

from gansearch.experiment import Experiment, ExperimentError
from gansearch.search.errors import SweepError
from gansearch.search.sampling.prior import prior_centres
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.searcher import open_study
from gansearch.store.folder import Folder
from tests.search.studies import POINTS, SEARCH

LR = {"low": 1e-4, "high": 1e-2, "log": True}
RUNS = json.loads(files("gansearch.search.sampling").joinpath("prior.json").read_text())


def experiment(task="ring", **fields):
    return Experiment.parse({"name": "a", "task": task, **fields})


def test_recorded_runs_of_other_tasks_give_the_names_that_are_searched():
    search = {"lr": LR, "ema": {"choices": [0.0, 0.9]}}
    of_ring = prior_centres(experiment(search=search))
    assert of_ring == [{"lr": run["params"]["lr"]} for run in RUNS if run["task"] != "ring"]
    assert len(prior_centres(experiment("grid", search=search))) == sum(run["task"] != "grid" for run in RUNS)
    assert prior_centres(experiment(search={"ema": {"choices": [0.0, 0.9]}})) == []
    assert prior_centres(experiment(search={"lr": 1e-3, "ema": {"choices": [0.0, 0.9]}})) == []


def test_a_belief_takes_the_place_of_recorded_values():
    belief = {**LR, "prior": 2e-3}
    centres = prior_centres(experiment(search={"lr": belief, "lr_ratio": {"low": 0.1, "high": 10}}))
    assert {centre["lr"] for centre in centres} == {2e-3}
    assert len({centre["lr_ratio"] for centre in centres}) > 5
    rate = {"low": 0.1, "high": 1, "prior": 0.5}
    assert prior_centres(experiment("./mine.py:train", search={"dropout": rate}, params={})) == [{"dropout": 0.5}]
    with pytest.raises(ExperimentError, match=r"search.lr.*prior 0.5 is not from low 0.0001 to high 0.01"):
        experiment(search={"lr": {**LR, "prior": 0.5}})


def test_a_sweep_of_another_task_is_the_prior_and_one_of_this_task_is_not(swept, tiny):
    earlier, own, _ = swept(*POINTS)
    assert prior_centres(experiment(search={"lr": LR}, warm_start=[str(earlier.path)])) == [{"lr": pytest.approx(1e-3)}]
    same = tiny(search=own.model_dump()["search"], warm_start=str(earlier.path))
    assert len(prior_centres(same)) == len(RUNS)


def test_a_choice_is_a_centre_only_where_it_is_offered(swept):
    earlier, _, _ = swept(POINTS[0], search={**SEARCH, "betas": {"choices": [[0.0, 0.9]]}})
    betas, loss = {"choices": [[0.5, 0.9], [0, 0.9]]}, {"choices": ["wgan", "non_saturating"]}
    given = experiment(search={"lr": LR, "betas": betas, "loss": loss}, warm_start=str(earlier.path))
    (centre,) = prior_centres(given)
    assert centre == {"lr": pytest.approx(1e-3), "betas": "[0.0, 0.9]"}


def test_a_sweep_of_another_task_that_gives_nothing_is_refused(swept):
    earlier, _, _ = swept(POINTS[3])
    for search in ({"lr": LR}, {"ema": {"choices": [0.0, 0.9]}}):
        with pytest.raises(SweepError, match=r"warm_start: no balanced trial of .*out, a sweep of another task"):
            prior_centres(experiment(search=search, warm_start=str(earlier.path)))


def test_a_belief_needs_the_sampler_that_reads_it():
    with pytest.raises(ExperimentError, match=r"search.lr.prior: is of sampler: balance; tpe has no prior"):
        make_sampler(experiment(search={"lr": {**LR, "prior": 2e-3}}, sampler="tpe"))


def test_a_driver_that_died_before_it_stored_the_prior_loses_none(tmp_path, monkeypatch):
    folder, given = Folder(tmp_path), experiment(search={"lr": LR})
    folder.create(given)

    def dies(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gansearch.search.sampling.searcher.prior_centres", dies)
        with pytest.raises(KeyboardInterrupt):
            open_study(folder, given)
    assert open_study(folder, given).sampler._centres == prior_centres(given)


def test_a_study_keeps_its_prior(tmp_path, monkeypatch):
    folder, given = Folder(tmp_path), experiment(search={"lr": LR})
    folder.create(given)
    before = open_study(folder, given).user_attrs["prior"]
    monkeypatch.setattr("gansearch.search.sampling.searcher.prior_centres", lambda _: [{"lr": 1e-4}])
    assert open_study(folder, given).sampler._centres == before
    assert make_sampler(given)._centres == []
