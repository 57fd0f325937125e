import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, load_task
from gansearch.gan.networks import Frozen, Packed, discriminator_of, gradient_norm, parts, scores_are_independent
from gansearch.gan.stacked import refusal
from tests.gan.networks import Normed, everything, same

FAST = {"updates": 60, "batch_size": 16}


def test_reals_and_fakes_pass_together_only_where_their_scores_are_independent():
    assert Trainer(load_task("ring", {"samples": 100}), Training(**FAST))._one_pass
    assert not Trainer(Normed(), Training(**FAST))._one_pass


def spectral():
    """A spectral norm whose power iteration has not converged to these weights."""
    layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
    nn.init.normal_(layer.parametrizations.weight.original)
    return layer


NORMS = {
    "batch norm": lambda: nn.BatchNorm1d(3),
    "instance norm": lambda: nn.InstanceNorm1d(3, track_running_stats=True),
    "spectral norm": spectral,
    "spectral norm, old": lambda: torch.nn.utils.spectral_norm(nn.Linear(3, 3)),
}


@pytest.mark.parametrize("layer", NORMS)
def test_a_frozen_layer_does_not_change_and_does_again_afterwards(layer):
    network = nn.Sequential(NORMS[layer]())
    inputs = torch.randn(5, 3, 4) if "instance" in layer else torch.randn(5, 3)
    before, frozen = everything(network), Frozen(network)
    with frozen:
        output = network(inputs)
    after = everything(network)
    assert all(torch.allclose(before[name], after[name], rtol=1e-6, atol=0) for name in before)
    assert not output.requires_grad
    network(inputs)
    assert not same(before, everything(network))


@pytest.mark.parametrize("layer", NORMS)
def test_a_layer_frozen_without_gradients_keeps_its_state_and_its_parameters_flags(layer):
    network = nn.Sequential(NORMS[layer]())
    before, frozen = everything(network), Frozen(network, gradients=False)
    with torch.no_grad(), frozen:
        network(torch.randn(5, 3, 4) if "instance" in layer else torch.randn(5, 3))
        assert all(parameter.requires_grad for parameter in network.parameters())
    after = everything(network)
    assert all(torch.allclose(before[name], after[name], rtol=1e-6, atol=0) for name in before)


@pytest.mark.parametrize("kind", [nn.Dropout, nn.AlphaDropout])
def test_dropout_is_off_where_a_probe_freezes(kind):
    network, inputs = kind(0.5), torch.randn(100)
    with Frozen(network):
        assert not torch.equal(network(inputs), inputs)
    with Frozen(network, dropout=False):
        assert torch.equal(network(inputs), inputs)


def test_minibatch_statistics_are_no_independent_scores():
    network = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    assert scores_are_independent(network, torch.randn(8, 3))
    assert not scores_are_independent(lambda_module(lambda x: network(x) + x.std()), torch.randn(8, 3))


def lambda_module(function):
    module = nn.Module()
    module.forward = function
    return module


def test_scores_are_taken_out_of_what_d_gives():
    class Heads(Normed):
        def score(self, outputs):
            return outputs[0]

        def discriminator(self):
            return lambda_module(lambda samples: (samples.sum(1), "features"))

    assert discriminator_of(Heads())(torch.ones(2, 3)).tolist() == [3, 3]


def test_the_norm_of_a_gradient_is_that_of_all_parameters():
    network = nn.Linear(2, 1)
    assert gradient_norm(network) is None
    network(torch.tensor([[2.0, 2.0]])).sum().backward()
    assert float(gradient_norm(network)) == pytest.approx(3)


def test_a_pack_shares_its_score_and_the_last_is_filled_up():
    network = Packed(torch.nn.Linear(6, 1), 3)
    x = torch.randn(7, 2)
    scores = network(x)
    assert scores.shape == (7, 1)
    assert torch.equal(scores[0], scores[2])
    assert torch.allclose(scores[6], network.network(x[[6, 0, 1]].flatten()))


def test_a_task_whose_discriminator_takes_no_packs_is_refused():
    with pytest.raises(TaskError, match=r"training\.packing: Ring.*\.discriminator\(\) takes no `packing`"):
        discriminator_of(load_task("ring"), packing=2)


class Lazy(Normed):
    """Lazy layers in both networks."""

    def generator(self):
        return nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))

    def discriminator(self):
        return nn.Sequential(nn.LazyLinear(8), nn.LeakyReLU(0.2), nn.LazyLinear(1))


class Plain(Lazy):
    """The same layers with their sizes."""

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    def discriminator(self):
        return nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def test_lazy_layers_have_their_weights_before_the_first_update():
    lazy, plain = (Trainer(task, Training(**FAST, ema=0.9, spectral_norm=True), 3) for task in (Lazy(), Plain()))
    plain.load_state(lazy.state())
    for trainer in (lazy, plain):
        for _ in range(4):
            trainer.step()
    assert same(everything(lazy.generator), everything(plain.generator))
    assert same(everything(lazy.average), everything(plain.average))
    assert refusal([Trainer(Lazy(), Training(**FAST), seed) for seed in (0, 1)]) == ""


def test_no_part_has_one_sample_alone():
    assert [parts(n) for n in (1, 7, 1000, 1001, 2001, 2500)] == [
        [1],
        [7],
        [1000],
        [999, 2],
        [1000, 999, 2],
        [1000, 1000, 500],
    ]
