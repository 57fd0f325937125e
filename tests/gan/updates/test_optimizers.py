import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.updates.optimizers import clip_weights, optimizer_of
from tests.gan.reference import Reference

RING = {"samples": 500, "width": 16}
CPU = torch.device("cpu")


def ours(updates=20, **training):
    trainer = Trainer(load_task("ring", RING), Training(batch_size=16, **training))
    return [float(trainer.step()) for _ in range(updates)]


@pytest.mark.parametrize(
    ("training", "kind", "options"),
    [
        ({"optimizer": "adamw"}, torch.optim.AdamW, {"betas": (0.5, 0.999)}),  # torch's own decay of .01
        ({"optimizer": "adamw", "weight_decay": 3.0}, torch.optim.AdamW, {"betas": (0.5, 0.999), "weight_decay": 3.0}),
        ({"weight_decay": 3.0}, torch.optim.Adam, {"betas": (0.5, 0.999), "weight_decay": 3.0}),
        ({"optimizer": "rmsprop"}, torch.optim.RMSprop, {}),
        ({"optimizer": "rmsprop", "weight_decay": 3.0}, torch.optim.RMSprop, {"weight_decay": 3.0}),
        ({"optimizer": "sgd", "weight_decay": 3.0}, torch.optim.SGD, {"weight_decay": 3.0}),
    ],
)
def test_each_optimizer_is_torchs_with_its_decay(training, kind, options):
    class Expected(Reference):
        rate = 1e-2

        def optimizer(self, parameters):
            return kind(parameters, self.rate, **options)

    expected = Expected(load_task("ring", RING)).losses(20)
    assert ours(lr=1e-2, **training) == pytest.approx(expected, rel=1e-5)
    if options.get("weight_decay"):
        assert ours(lr=1e-2, **{**training, "weight_decay": 0}) != pytest.approx(expected, rel=1e-3)


def test_adam_without_decay_is_adamw_without_decay():
    assert ours() == ours(optimizer="adamw", weight_decay=0)


def test_a_gradient_is_shortened_to_the_given_norm():
    class Expected(Reference):
        def optimizer(self, parameters):
            return torch.optim.SGD(parameters, self.rate)

        rate = 0.5

        def before_step(self, network):
            nn.utils.clip_grad_norm_(network.parameters(), 0.05)

    expected = Expected(load_task("ring", RING)).losses(20)
    assert ours(optimizer="sgd", lr=0.5, clip_grad=0.05) == pytest.approx(expected, rel=1e-5)
    assert ours(optimizer="sgd", lr=0.5) != pytest.approx(expected, rel=1e-2)


@pytest.mark.usefixtures("double")
def test_d_s_weights_are_cut_off_after_its_updates_as_in_the_first_wgan():
    """A loss is the difference of two means, and may be a thousandth of them: in float32 their rounding is seen."""

    class Expected(Reference):
        rate = 5e-3

        def optimizer(self, parameters):
            return torch.optim.RMSprop(parameters, self.rate)

        def d_loss(self, real, fake):
            return self.d(fake).mean() - self.d(real).mean()

        def g_loss(self, scores):
            return -scores.mean()

        def after_d(self):
            for parameter in self.d.parameters():
                parameter.data.clamp_(-0.01, 0.01)

    expected = Expected(load_task("ring", RING)).losses(20)
    training = {"loss": "wgan", "optimizer": "rmsprop", "lr": 5e-3}
    assert ours(**training, weight_clip=0.01) == pytest.approx(expected, rel=1e-3)
    assert Training(loss="wgan", weight_clip=0.01).gp_lambda == 0
    assert Training(loss="wgan", weight_clip=0.01, gp=1.0).gp_lambda == 1


def test_weights_that_are_not_trained_are_not_cut_off():
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, 3.0)
    nn.init.constant_(network.bias, 3.0)
    network.weight.grad = torch.ones(1, 1)
    clip_weights(torch.optim.SGD(network.parameters(), 0.1), 0.5)
    assert (network.weight.item(), network.bias.item()) == (0.5, 3.0)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_a_rate_may_be_a_tensor(optimizer):
    training = Training(optimizer=optimizer, balance="gap_aware")
    parameter = nn.Parameter(torch.ones(2))
    made = optimizer_of(training, [parameter], 1e-3, CPU)
    made.param_groups[0]["lr"] = torch.tensor(0.1)
    parameter.grad = torch.ones(2)
    made.step()
    assert (parameter < 0.95).all()
