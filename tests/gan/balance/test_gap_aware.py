import math

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer
from gansearch.gan.balance.gap_aware import GapAwareRate


def test_the_gap_aware_factor_is_the_papers():
    ideal = math.log(4)

    def settled(loss):
        rate = GapAwareRate(ideal)
        return [float(rate.factor(torch.tensor(loss))) for _ in range(400)]

    assert settled(ideal)[-1] == pytest.approx(1)
    assert settled(1.05 * ideal)[-1] == pytest.approx(math.sqrt(2), rel=1e-3)
    assert settled(0.95 * ideal)[-1] == pytest.approx(math.sqrt(0.1), rel=1e-3)
    assert settled(3 * ideal)[-1] == pytest.approx(2)
    assert settled(0.1 * ideal)[-1] == pytest.approx(0.1)
    # The mean starts at the ideal and moves by a twentieth: V − V* = .05·V* at first.
    assert settled(2 * ideal)[0] == pytest.approx(2**0.5, rel=1e-3)


class Dull(Task):
    """D's only parameter is the constant score of every sample, so that its loss is known."""

    latent_dim = 1

    def real(self):
        return torch.zeros(50, 1)

    def generator(self):
        return nn.Linear(1, 1)

    def discriminator(self):
        network = nn.Linear(1, 1)
        nn.init.zeros_(network.weight).requires_grad_(False)
        nn.init.constant_(network.bias, 2.0)
        return network


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_gap_scales_d_s_rate_alone(optimizer):
    training = Training(
        updates=10, batch_size=4, optimizer=optimizer, lr_d=0.01, lr_g=0.02, balance="gap_aware", lr_decay=1.0
    )
    plain = training.with_params({"balance": "fixed"})
    moved = []
    for each in (training, plain):
        trainer = Trainer(Dull(), each)
        trainer.step()
        moved.append(2.0 - trainer.discriminator.bias.item())
        trainer.step()
        assert trainer.optimizer_g.param_groups[0]["lr"] == pytest.approx(0.02 * 0.9)
    loss = nn.functional.softplus(torch.tensor([-2.0, 2.0])).sum().item()
    gap = 0.05 * (loss - math.log(4)) / (0.1 * math.log(4))
    assert moved[0] / moved[1] == pytest.approx(2**gap, rel=1e-3)
