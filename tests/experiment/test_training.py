import math

import pytest

from gansearch.experiment import ExperimentError, Training
from gansearch.experiment.training import LATER


def test_the_defaults_are_the_contracts(load):
    training = load("name: a\ntask: digits").training
    assert (training.lr, training.lr_ratio, training.pretrain_steps, training.update_ratio) == (2e-4, 1, 0, 1)
    assert training.betas == (0.5, 0.999)


def test_rates_keep_their_product_and_quotient():
    lr_d, lr_g = Training(lr=3e-4, lr_ratio=4).rates
    assert math.sqrt(lr_d * lr_g) == pytest.approx(3e-4)
    assert lr_d / lr_g == pytest.approx(4)


def test_a_searched_pair_of_rates_replaces_the_fixed_one():
    assert Training(lr=1e-3).with_params({"lr_d": 1e-4, "lr_g": 2e-4}).rates == (1e-4, 2e-4)
    assert Training(lr_d=1e-4, lr_g=2e-4).with_params({"lr": 1e-3, "lr_ratio": 1.0}).rates == (1e-3, 1e-3)


def test_wgan_has_its_penalty_by_default():
    assert Training(loss="wgan").gp_lambda == 10
    assert Training(loss="wgan", gp=0).gp_lambda == 0
    assert Training().with_params({"loss": "wgan"}).gp_lambda == 10
    assert Training().gp_lambda == 0


def test_used_values_are_never_null():
    fixed = Training(lr_d=4e-4, lr_g=1e-4, beta1=0.0, loss="wgan")
    assert fixed.used("lr") == pytest.approx(2e-4)
    assert fixed.used("lr_ratio") == pytest.approx(4)
    assert (fixed.used("betas"), fixed.used("beta1"), fixed.used("gp")) == ([0.0, 0.999], 0.0, 10.0)
    assert (Training(lr=3e-4).used("lr"), Training(lr=3e-4).used("lr_g")) == (3e-4, 3e-4)


def test_either_beta_may_be_given_alone():
    assert Training(beta1=0.0).adam_betas == (0.0, 0.999)
    assert Training(beta2=0.9).adam_betas == (0.5, 0.9)
    assert Training(betas=(0.1, 0.2), beta1=0.3, beta2=0.4).used("betas") == [0.3, 0.4]
    assert Training(beta2=0.9).used("beta2") == 0.9


def test_what_a_schedule_may_bring_is_known_at_the_start():
    later = Training(schedule=[{"after": 9, "r1_gamma": 1.0, "ema": 0.9}])
    assert (Training().penalised, Training().averages) == (False, False)
    assert (later.penalised, later.averages) == (True, True)


def test_files_do_not_name_later_fields_that_have_their_defaults(load):
    plain = load(load("{name: a, task: digits}").to_yaml())
    assert not set(LATER) & plain.training.model_fields_set
    for name, value in {"clip_grad": 1.0, "precision": "bf16", "augment": "ada", "weight_decay": 0.0}.items():
        text = load(f"{{name: a, task: digits, training: {{{name}: {value}}}}}").to_yaml()
        assert getattr(load(text).training, name) == value


def test_weight_decay_is_torchs_unless_given():
    assert [Training(optimizer=name).decay for name in ("adam", "adamw", "rmsprop", "sgd")] == [0, 0.01, 0, 0]
    assert Training(optimizer="adamw", weight_decay=0).decay == 0
    assert Training(optimizer="adamw").used("weight_decay") == 0.01


def test_a_reconstruction_may_be_a_section(load):
    given = load("name: a\ntask: digits\ntraining: {reconstruction: {loss: l2, weight: 50}}").training
    assert (given.reconstruction, given.reconstruction_weight) == ("l2", 50)
    with pytest.raises(ExperimentError, match="reconstruction has loss and weight, no wieght"):
        load("name: a\ntask: digits\ntraining: {reconstruction: {loss: l2, wieght: 50}}")
