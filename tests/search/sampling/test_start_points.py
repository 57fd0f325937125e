"""Known good points are tried first, as far as they are searched, and once."""

import pytest

from gansearch.experiment import Experiment, ExperimentError
from gansearch.search.sampling.searcher import StudySearcher, open_study
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.start_points import PUBLISHED, enqueue, start_points
from gansearch.search.sampling.stopping import Budget
from gansearch.store.folder import Folder

WIDE = {
    "lr": {"low": 1e-5, "high": 1e-2, "log": True},
    "lr_ratio": {"low": 0.01, "high": 100, "log": True},
    "update_ratio": {"low": 0.2, "high": 5, "log": True},
}


def test_the_default_settings_are_the_first_trial_where_the_space_holds_them(tiny, folder):
    search = {"lr": {"low": 1e-4, "high": 1e-2, "log": True}}
    for number, (fields, first) in enumerate(
        [
            ({"training": {"updates": 80, "lr": 2e-3}, "start_from": [{"lr": 2e-3}, {"lr": 5e-3}]}, [2e-3, 5e-3]),
            ({"training": {"updates": 80, "lr": 1e-5}}, []),
            ({"confirm": {"default": False}}, []),
        ]
    ):
        experiment = tiny(**{"search": search, "confirm": {}, **fields})
        own = Folder(folder.path / str(number))
        own.create(experiment)
        study = open_study(own, experiment)
        for _ in range(2):
            enqueue(study, SearchSpace(experiment))
        assert [trial.system_attrs["fixed_params"]["lr"] for trial in study.trials] == pytest.approx(first)
        assert [trial.user_attrs["source"] for trial in study.trials] == ["default", "start_from"][: len(first)]


@pytest.mark.parametrize(
    ("name", "lr_d", "lr_g", "ratio"),
    [
        *(("dcgan", 2e-4, 2e-4, 1), ("ttur", 1e-5, 5e-4, 1)),
        *(("biggan", 4e-4, 1e-4, 2), ("r3gan", 2e-4, 2e-4, 1)),
    ],
)
def test_published_points_have_their_published_rates(tiny, name, lr_d, lr_g, ratio):
    (point,) = start_points(SearchSpace(tiny(search=WIDE, start_from=[name]))).values()
    assert point["lr"] ** 2 == pytest.approx(lr_d * lr_g)
    assert point["lr_ratio"] == pytest.approx(lr_d / lr_g)
    assert point["update_ratio"] == ratio
    rates = {"lr_d": {"low": 1e-6, "high": 1e-2}, "lr_g": {"low": 1e-6, "high": 1e-2}}
    (point,) = start_points(SearchSpace(tiny(search=rates, start_from=[name]))).values()
    assert point == pytest.approx({"lr_d": lr_d, "lr_g": lr_g})


def test_r3gan_is_relativistic_with_both_penalties(tiny):
    search = {
        "loss": {"choices": ["hinge", "relativistic"]},
        **{name: {"low": 0.01, "high": 20, "log": True} for name in ("r1_gamma", "r2_gamma")},
        **{"beta1": {"choices": [0.0, 0.5]}, "beta2": {"low": 0.9, "high": 0.999}},
    }
    (point,) = start_points(SearchSpace(tiny(search=search, start_from=["r3gan"]))).values()
    assert point == {"loss": "relativistic", "r1_gamma": 2.0, "r2_gamma": 2.0, "beta1": 0.0, "beta2": 0.9}


def test_only_searched_fields_are_taken_and_the_rest_is_trainings_own(tiny):
    search = {
        "loss": {"choices": ["hinge", "non_saturating"]},
        "beta1": {"choices": [0.0, 0.5]},
        "ema": {"choices": [0.0, 0.9]},
        "r1_gamma": {"low": 0.1, "high": 1},  # training's own 0 is not in it: the sampler's choice
        "r2_gamma": {"choices": [0.5, 1.0], "when": {"loss": "non_saturating"}},
    }
    experiment = tiny(search=search, start_from=["biggan"], training={"updates": 80, "ema": 0.9})
    assert start_points(SearchSpace(experiment)) == {"biggan": {"loss": "hinge", "beta1": 0.0, "ema": 0.9}}


def test_own_settings_come_from_a_mapping_or_a_file(tiny, tmp_path):
    (tmp_path / "mine.yaml").write_text("{name: mine, task: ring, training: {lr_d: 4e-4, lr_g: 1e-4, ema: 0.5}}")
    data = {"name": "a", "task": "ring", "search": WIDE, "start_from": ["mine.yaml", {"lr": 1e-3}]}
    file, mapping = start_points(SearchSpace(Experiment.parse(data, base=tmp_path))).values()
    assert file == pytest.approx({"lr": 2e-4, "lr_ratio": 4.0, "update_ratio": 1.0})
    assert mapping == pytest.approx({"lr": 1e-3, "lr_ratio": 1.0, "update_ratio": 1.0})


@pytest.mark.parametrize(
    ("point", "path", "part"),
    [
        ("dcgn", "start_from[0]", 'did you mean "dcgan"'),
        ({"lrr": 1}, "start_from[0].lrr", "not a field of training"),
        ({"lr": -1}, "start_from[0].lr", "-1"),
        ({"lr_d": 1e-3}, "start_from[0]", "one of them is missing"),
        ({"lr": 0.5}, "start_from[0].lr", "0.5 is not from 1e-05 to 0.01 (search.lr)"),
        ({"lr_d": 1e-3, "lr_g": 1e-6}, "start_from[0].lr_ratio", "1000 is not from 0.01 to 100"),
        (7, "start_from[0]", "must hold fields, not 7"),
    ],
)
def test_what_cannot_be_a_point_is_named(tiny, point, path, part):
    with pytest.raises(ExperimentError) as error:
        start_points(SearchSpace(tiny(search=WIDE, start_from=[point])))
    assert list(error.value.errors) == [path]
    assert part in error.value.errors[path]


def test_a_missing_file_is_named(tiny, tmp_path):
    with pytest.raises(ExperimentError, match=r"gone\.yaml: no such file"):
        start_points(SearchSpace(tiny(search=WIDE, start_from=[str(tmp_path / "gone.yaml")])))


def test_points_are_asked_first_and_once(tiny, tmp_path):
    experiment = tiny(search=WIDE, start_from=["dcgan", "biggan", {"lr": 2e-4}])
    study = open_study(Folder(tmp_path), experiment)
    enqueue(study, SearchSpace(experiment))
    enqueue(open_study(Folder(tmp_path), experiment), SearchSpace(experiment))
    assert [trial.user_attrs["start_from"] for trial in study.trials] == ["dcgan", "biggan", '{"lr": 0.0002}']
    searcher = StudySearcher(study, SearchSpace(experiment), Budget(experiment))
    given = [searcher.suggest("ray")["params"] for _ in range(3)]
    assert given[0]["lr"] == given[1]["lr"] == pytest.approx(2e-4)
    assert [params["update_ratio"] for params in given[:2]] == [1, 2]
    assert given[2]["lr"] != pytest.approx(2e-4), "the last of the points is the first one again"


def test_every_published_point_is_a_training(tiny):
    assert set(PUBLISHED) == {"dcgan", "ttur", "biggan", "r3gan"}
    for point in PUBLISHED.values():
        tiny().training.with_params(point)
