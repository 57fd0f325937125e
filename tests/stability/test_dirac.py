"""What becomes of the Dirac-GAN is known exactly; the real trainer and the real verdict have to say the same."""

import random

import pytest

from gansearch.gan import Trainer
from tests.stability.dirac import Dirac, radius, settings, stable_by_formula, training

SETTINGS = 140
PARTS = 28  # of some seconds each


def finish(setting, size):
    """The run's result and (θ, ψ) at its end."""
    trainer = Trainer(Dirac(), training(setting, size))
    for _ in trainer.run():
        pass
    return trainer.result(), abs(trainer.generator.theta.item()), abs(trainer.discriminator.psi.item())


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_verdict_agrees_with_the_eigenvalues(part):
    found = settings(SETTINGS)
    mismatches = []
    for setting, size in found[part::PARTS]:
        result, theta, psi = finish(setting, size)
        if size < 1:
            agrees = result.verdict == "balanced" and max(theta, psi) < 0.01
        else:
            agrees = result.verdict in ("oscillating", "diverged")
        if not agrees:
            mismatches.append((setting, round(size, 3), result.verdict, theta, psi))
    assert not mismatches
    assert {size < 1 for _, size in found} == {True, False}
    assert {setting[0] for setting, _ in found} == {"non_saturating", "wgan"}


def test_the_closed_forms_are_those_of_the_matrix():
    draw = random.Random(1)
    for _ in range(2000):
        simultaneous = draw.random() < 0.5
        blocks = (1, 1) if simultaneous else draw.choice([(1, 1), (3, 1), (1, 4)])
        rates = [10 ** draw.uniform(-1.3, 0.6) for _ in range(2)]
        setting = (
            draw.choice(["non_saturating", "wgan"]),
            *rates,
            *blocks,
            10 ** draw.uniform(-1.3, 0.7),
            simultaneous,
        )
        size = radius(*setting)
        if abs(size - 1) > 1e-6:
            assert stable_by_formula(*setting) == (size < 1), setting


@pytest.mark.parametrize("product", [0.2, 1.0, 3.0])
def test_without_a_regulariser_no_ratio_of_rates_converges(product):
    for ratio in (0.04, 1.0, 25.0):
        h_d, h_g = (product * ratio) ** 0.5, (product / ratio) ** 0.5
        setting = ("wgan", h_d, h_g, 1, 1, 0.0, False)
        assert radius(*setting) == pytest.approx(1)
        result, theta, psi = finish(setting, 1.05)
        assert result.verdict == "oscillating"
        assert max(theta, psi) > 0.01


def test_the_textbooks_loss_vanishes_where_d_is_sure():
    # Minimax, far out: D's score of the fakes is so low that neither network has a gradient left.
    result, theta, psi = finish(("minimax", 1.38, 3.82, 1, 4, 0.0, False), 2.93)
    assert theta * psi > 20
    assert result.verdict == "discriminator_saturated"
