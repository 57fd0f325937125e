import numpy as np
import pytest

from gansearch.diagnosis.rules.critic import flat, runaway
from tests.diagnosis.logs import evidence_of, noisy


def test_a_critic_whose_loss_grows_without_end_runs_away():
    (found,) = runaway(evidence_of(loss="wgan", d_loss=-np.geomspace(1, 1e5, 200)))
    assert (found.kind, found.grade) == ("runaway", "likely")
    assert 300 < found.since < 1000


@pytest.mark.parametrize("d_loss", [-noisy(7.0), -np.linspace(30, 3, 200), np.geomspace(1e-4, 1, 200)])
def test_a_critic_that_settles_does_not(d_loss):
    assert list(runaway(evidence_of(loss="wgan", d_loss=d_loss))) == []


def test_a_loss_with_a_boundary_is_judged_by_it():
    assert list(runaway(evidence_of(d_loss=np.geomspace(1, 1e5, 200)))) == []


@pytest.mark.parametrize("penalty", [10.0, 1.0])
def test_a_penalty_of_lambda_beside_a_loss_of_zero_is_a_constant_critic(penalty):
    (found,) = flat(evidence_of(loss="wgan", d_loss=np.zeros(60), penalty=np.full(60, penalty)))
    assert (found.kind, found.grade) == ("not_training", "likely")
    assert list(flat(evidence_of(loss="wgan", d_loss=-noisy(2.0, 60), penalty=np.full(60, penalty)))) == []
    assert list(flat(evidence_of(loss="wgan", d_loss=np.zeros(60), penalty=noisy(0.4, 60)))) == []
