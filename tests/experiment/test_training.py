import math

import pytest

from gansearch.experiment import Training


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
