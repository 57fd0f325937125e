"""The bounds, on samples drawn at random: none is broken, and each is reached."""

import math

import numpy as np
import pytest

from gansearch.diagnosis.rules import bounds


def halves(real, fake, loss):
    """D's mean half, by sample scores."""
    if loss == "bce":
        return (np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()) / 2
    if loss == "hinge":
        return (np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()) / 2
    return (((real - 1) ** 2).mean() + (fake**2).mean()) / 2


def draws(seed):
    """Scores of D, of any strength, on 400 reals and fakes."""
    draw = np.random.default_rng(seed)
    centre, spread = draw.normal(0, 4), draw.exponential(3)
    return centre + spread * draw.normal(size=400), -draw.normal(0, 4) + spread * draw.normal(size=400)


@pytest.mark.parametrize("loss", ["bce", "hinge", "lsgan"])
@pytest.mark.parametrize("seed", range(40))
def test_accuracy_and_separability_are_never_under_their_bounds(loss, seed):
    real, fake = draws(seed)
    u = halves(real, fake, loss) / bounds.CHANCE[loss]
    middle = 0.5 if loss == "lsgan" else 0.0
    accuracy = ((real > middle).mean() + (fake < middle).mean()) / 2
    separability = (real[:, None] > fake[None]).mean()
    assert accuracy >= bounds.accuracy_least(u)
    assert separability >= bounds.separability_least(u)


@pytest.mark.parametrize("seed", range(60))
def test_shares_of_saturated_outputs_are_within_their_bounds(seed):
    real, fake = (1 / (1 + np.exp(-np.clip(scores, -30, 30))) for scores in draws(seed))
    right = ((real > 0.95).mean() + (fake < 0.05).mean()) / 2
    wrong = ((real < 0.05).mean() + (fake > 0.95).mean()) / 2
    loss = halves(np.log(real / (1 - real)), np.log(fake / (1 - fake)), "bce")
    assert right >= bounds.right_by_answers(real.mean(), fake.mean()) - 1e-9
    assert right >= bounds.right_by_loss(loss) - 1e-9
    assert right <= bounds.right_at_most(real.mean(), -np.log(fake).mean()) + 1e-9
    assert wrong >= bounds.wrong_by_answers(real.mean(), fake.mean()) - 1e-9


def test_shares_of_saturated_outputs_reach_their_bounds():
    assert bounds.right_by_answers(0.975, 0.025) == pytest.approx(0.5)
    assert bounds.right_by_loss(-math.log(0.95)) == pytest.approx(0)
    assert bounds.right_by_loss(0.0) == 1
    assert bounds.wrong_by_answers(1.0, 0.98) == pytest.approx(0.3)
    assert bounds.wrong_by_answers(0.01, 0.0) == pytest.approx(0.4)
    assert bounds.right_at_most(0.95, -math.log(0.05)) == 1


@pytest.mark.parametrize("seed", range(40))
def test_losses_of_one_game_are_consistent(seed):
    real, fake = (1 / (1 + np.exp(-np.clip(scores, -30, 30))) for scores in draws(seed))
    d_fake, g_loss = -np.log1p(-fake).mean(), -np.log(fake).mean()
    assert bounds.sides(g_loss, d_fake) <= 1 + 1e-9
    assert -np.log(real).mean() + d_fake >= bounds.least_sum(real.mean(), fake.mean()) - 1e-9


def test_chance_is_known_by_loss_and_halves():
    assert bounds.chance("bce", "sum") == pytest.approx(math.log(4))
    assert bounds.chance("hinge", "mean") == 1
    assert bounds.chance("lsgan", "sum") == 0.5
