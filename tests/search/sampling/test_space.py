"""The search space: what Optuna is told, and what a trial gets."""

import json

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from gansearch.experiment import Experiment, ExperimentError, Training
from gansearch.search.sampling.space import SearchSpace, key


def experiment(**search):
    return Experiment.parse({"name": "space", "task": "ring", "search": search})


def test_ranges_follow_the_type_of_the_field():
    space = SearchSpace(
        experiment(
            lr={"low": 1e-4, "high": 1e-2, "log": True},
            pretrain_steps={"low": 0, "high": 1000},
            batch_size={"low": 16, "high": 130, "step": 16},
            ema={"low": 0.0, "high": 0.95, "step": 0.1},
        )
    )
    assert space.distributions["lr"] == FloatDistribution(1e-4, 1e-2, log=True)
    assert space.distributions["pretrain_steps"] == IntDistribution(0, 1000)
    assert space.distributions["batch_size"] == IntDistribution(16, 128, step=16)
    assert space.distributions["ema"].high == pytest.approx(0.9)


def test_choices_that_are_lists_come_back_as_lists():
    chosen = experiment(betas={"choices": [[0.5, 0.999], [0.0, 0.9]]}, loss={"choices": ["hinge", "wgan"]})
    space = SearchSpace(chosen)
    assert space.distributions["betas"] == CategoricalDistribution(["[0.5, 0.999]", "[0.0, 0.9]"])
    trial = optuna.create_study().ask(space.distributions)
    found = space.params(trial.params)
    assert found["betas"] == json.loads(trial.params["betas"])
    assert chosen.training.with_params(found).betas == tuple(found["betas"])


def test_plain_values_are_fixed_but_belong_to_the_params():
    fixed = experiment(lr=3e-4, update_ratio={"low": 0.2, "high": 5, "log": True})
    assert list(SearchSpace(fixed).distributions) == ["update_ratio"]
    assert SearchSpace(fixed).params({"update_ratio": 2.0}) == {"lr": 3e-4, "update_ratio": 2.0}


@pytest.mark.parametrize(
    ("search", "path"),
    [
        ({"batch_size": {"low": 16, "high": 64, "step": 0.5}}, "search.batch_size.step"),
        ({"spectral_norm": {"low": 0, "high": 1}}, "search.spectral_norm"),
    ],
)
def test_ranges_that_make_no_sense_name_their_path(search, path):
    with pytest.raises(ExperimentError) as error:
        SearchSpace(experiment(**search))
    assert list(error.value.errors) == [path]


def test_the_grid_holds_every_configuration_once():
    searched = experiment(
        r1_gamma={"choices": [0.1, 1.0], "when": {"loss": "hinge"}}, loss={"choices": ["hinge", "wgan"]}
    )
    found = list(SearchSpace(searched).grid())
    assert sorted(map(key, found)) == sorted(
        map(key, [{"loss": "hinge", "r1_gamma": 0.1}, {"loss": "hinge", "r1_gamma": 1.0}, {"loss": "wgan"}])
    )
    steps = experiment(ema={"low": 0.0, "high": 0.3, "step": 0.1})
    assert {key(c) for c in SearchSpace(steps).grid()} == {key({"ema": v}) for v in (0.0, 0.1, 0.2, 0.3)}
    continuous = experiment(lr={"low": 1e-4, "high": 1e-2}, loss={"choices": ["hinge", "wgan"]})
    assert SearchSpace(continuous).grid() is None


def test_a_configuration_is_placed_in_the_space_or_it_is_said_why_not():
    searched = experiment(
        lr={"low": 1e-4, "high": 1e-2, "log": True},
        lr_ratio={"low": 0.1, "high": 10, "log": True},
        batch_size={"low": 16, "high": 64, "step": 16},
        betas={"choices": [[0.5, 0.999], [0.0, 0.9]]},
        r1_gamma={"choices": [0.1, 1.0], "when": {"loss": "hinge"}},
        loss={"choices": ["hinge", "wgan"]},
    )
    inside = Training(lr_d=2e-4, lr_g=5e-5, batch_size=32, loss="wgan", betas=(0, 0.9))
    found, outside = SearchSpace(searched).encode(inside)
    assert outside == {}
    assert found == pytest.approx(
        {"lr": 1e-4, "lr_ratio": 4.0, "batch_size": 32, "betas": "[0.0, 0.9]", "loss": "wgan"}
    )
    assert found["lr"] >= 1e-4  # although the square root of lr_d lr_g may be a little less
    assert SearchSpace(searched).fit(inside) == (found, "")
    outside = SearchSpace(searched).encode(Training(lr=1, batch_size=20, loss="hinge"))[1]
    assert set(outside) == {"lr", "batch_size", "r1_gamma"}
    assert outside["batch_size"] == "20 is not from 16 to 64 in steps of 16"
    assert SearchSpace(searched).fit(Training(loss="wgan", ema=0.5))[1] == "ema 0.5 is not 0"
