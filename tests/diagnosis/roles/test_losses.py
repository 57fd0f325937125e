"""Losses and halves by configuration and by values."""

import numpy as np
import pytest

from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.roles.formats import FORMATS
from gansearch.diagnosis.roles.losses import checked, configured, known_halves, known_loss

RNG = np.random.default_rng(0)


def cross_entropies(factor):
    logits_real, logits_fake = RNG.normal(1, 1, (50, 64)), RNG.normal(-1, 1, (50, 64))
    d = factor * (np.logaddexp(0, -logits_real).mean(1) + np.logaddexp(0, logits_fake).mean(1))
    p = [(1 / (1 + np.exp(-logits))).mean(1) for logits in (logits_real, logits_fake)]
    return {"d_loss": d, "p_real": p[0], "p_fake": p[1]}


def known(values, **columns):
    return known_loss({name: np.array(one, float) for name, one in values.items()}, columns, None, {}, None)


def test_a_loss_is_checked():
    assert checked("WGAN-GP") == "wgan"
    assert checked("vanilla") == "bce"
    with pytest.raises(LogError, match="Did you mean 'hinge'"):
        checked("hinj")


def test_configurations():
    assert configured({"gan_mode": "lsgan", "lr": 0.1}) == ("lsgan", "gan_mode: lsgan")
    assert configured({"loss_kwargs.class_name": "training.loss.StyleGAN2Loss"})[0] == "bce"
    assert configured({"disc_loss": "hinge", "gan_type": "lsgan"}) is None
    assert configured({"model": "gan"}) is None


def test_losses_of_other_terms_are_not_the_gans():
    assert configured({"reconstruction.loss": "mse", "cycle.criterion": "hinge"}) is None
    assert configured({"loss": "mse", "criterion": "torch.nn.MSELoss", "loss_type": "l2"}) is None
    assert configured({"gan_loss": "mse"})[0] == "lsgan"
    assert configured({"discriminator.criterion": "MSELoss", "reconstruction.loss": "bce"})[0] == "lsgan"


def test_values_speak_against_a_configuration():
    critic = {"d_loss": np.array([-1.2, -1]), "g_loss": np.array([0.5, 0.1])}
    assert known_loss(critic, {}, None, {"gan_mode": "vanilla"}, None)[0] == "wgan"
    assert known_loss(critic, {}, None, {"gan_mode": "wgangp"}, None)[1].startswith("the configuration")


def test_values():
    assert known({"d_loss": [-1, -2, -3], "g_loss": [1, 2, 3]})[0] == "wgan"
    assert known({"d_loss": [1.2, 1, 3], "g_loss": [-1, -2, 3]})[0] == "hinge"
    assert known({"d_loss": [1.2, 1, 3], "g_loss": [1, 15.424948, 15.424948, 15.424948]})[0] == "bce"
    assert known({"d_loss": [1.39, 1, 0.5], "g_loss": [0.70, 2, 3]})[0] == "bce"
    assert known({"d_loss": [0.4, 1, 0.5], "g_loss": [0.70, 2, 3]}) == (None, "")
    assert known(cross_entropies(1))[0] == "bce"
    assert known({"d_loss": [1.2, 1, 3]}, d_loss="critic loss")[0] == "wgan"
    scores = {"score_real": [-1, -1.5, -1.2], "score_fake": [0.5, 0.4, 0.3]}
    assert known({"d_loss": [1.5, 1.9, 1.5], **scores})[0] == "wgan"
    assert known({"d_loss": [0.5, 0.6, 0.7], **scores}) == (None, "")


def test_values_speak_against_the_default_of_a_format():
    lucidrains = next(one for one in FORMATS if "lucidrains" in one.name)
    values = {"d_loss": np.array([1.2, 1]), "g_loss": np.array([0.5, 0.1])}
    assert known_loss(values, {}, None, {}, lucidrains)[0] == "hinge"
    assert known_loss(values, {}, "wgan", {}, lucidrains) == ("wgan", "--loss")
    assert known_loss({"d_loss": np.array([-1.2, -1])}, {}, None, {}, lucidrains)[0] == "wgan"


def test_halves():
    assert known_halves(cross_entropies(1), "bce", None, False) == "sum"
    assert known_halves(cross_entropies(0.5), "bce", None, False) == "mean"
    real, fake = RNG.uniform(0.1, 1, (2, 20))
    assert known_halves({"d_loss": real + fake, "d_loss_real": real, "d_loss_fake": fake}, None, None, False) == "sum"
    assert (
        known_halves({"d_loss": (real + fake) / 2, "d_loss_real": real, "d_loss_fake": fake}, None, None, False)
        == "mean"
    )
    plateau = {"d_loss": np.array([0.69, 0.5]), "g_loss": np.array([0.69, 2])}
    assert known_halves(plateau, "bce", None, False) == "mean"
    assert known_halves({"d_loss": real, "g_loss": fake}, "lsgan", None, False) is None
