import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, load_task
from gansearch.gan.networks import gradient_norm
from gansearch.gan.stacked import refusal
from gansearch.gan.updates.forward import Compiled, forward_of, refuse_shape, remark_on, scaler_of
from tests.gan.networks import finish
from tests.gan.reference import Reference

RING = {"samples": 500, "width": 16}
CPU = torch.device("cpu")
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Cast(Reference):
    """Autocast around every forward pass but those of a penalty, and nothing else."""

    rate, dtype, gamma = 1e-2, torch.bfloat16, 0.0

    def cast(self, network, samples):
        with torch.autocast("cpu", self.dtype):
            return network(samples).float()

    def fake(self):
        return self.cast(self.g, torch.randn(self.batch, self.task.latent_dim, generator=self.draws))

    def d_loss(self, real, fake):
        if self.gamma:
            real.requires_grad_()
            scores = self.d(real)
            (gradient,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
            penalty = self.gamma / 2 * gradient.square().sum(1).mean()
            return F.softplus(-scores).mean() + F.softplus(self.d(fake)).mean() + penalty
        return F.softplus(-self.cast(self.d, real)).mean() + F.softplus(self.cast(self.d, fake)).mean()

    def update_g(self):
        d, self.d = self.d, lambda samples: self.cast(d, samples)
        try:
            return super().update_g()
        finally:
            self.d = d


def weights(trainer):
    return [*trainer.discriminator.parameters(), *trainer.generator.parameters()]


def losses(trainer, updates=16):
    return [float(trainer.step()) for _ in range(updates)]


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_bf16_is_autocast_around_the_forward_passes_but_those_of_a_penalty(gamma):
    expected = type("Expected", (Cast,), {"gamma": gamma})(load_task("ring", RING)).losses(16)
    training = Training(batch_size=16, lr=1e-2, r1_gamma=gamma, precision="bf16")
    trainer = Trainer(load_task("ring", RING), training)
    # Real and fake pass through D together, so that sums are rounded in another order.
    assert losses(trainer) == pytest.approx(expected, rel=0.02)
    full = losses(Trainer(load_task("ring", RING), Training(batch_size=16, lr=1e-2, r1_gamma=gamma)))
    assert losses(trainer)[0] != full[0]


@pytest.mark.parametrize("penalty", [{"r1_gamma": 1.0}, {"r2_gamma": 1.0}, {"gp": 1.0}])
def test_d_is_called_under_autocast_but_in_its_updates_with_a_penalty(penalty):
    trainer = Trainer(load_task("ring", RING), Training(batch_size=8, precision="bf16", r1_every=3, **penalty))
    cast = []
    trainer.discriminator.register_forward_pre_hook(lambda *given: cast.append(torch.is_autocast_enabled("cpu")))
    updates = []
    for _ in range(8):  # D and G in turn: the first and the fourth of D's have the penalty
        cast.clear()
        trainer.step()
        updates.append(set(cast))
    assert updates == [{False}, {True}, {True}, {True}, {True}, {True}, {False}, {True}]
    cast.clear()
    trainer.probe()
    assert set(cast) == {False}


def test_the_gradient_that_fp16_clips_is_not_that_of_the_scaled_loss():
    clipped, full = (
        Trainer(load_task("ring", RING), Training(optimizer="sgd", lr=0.2, clip_grad=0.1, precision=precision))
        for precision in ("fp16", "fp32")
    )
    for _ in range(6):
        clipped.step(), full.step()
        changed = [torch.cat([p.flatten() for p in weights(trainer)]) for trainer in (clipped, full)]
        assert torch.allclose(*changed, atol=0.01)
    assert float(gradient_norm(full.discriminator)) == pytest.approx(0.1, rel=1e-3)


def test_fp16_scales_the_loss_and_leaves_steps_with_infinite_gradients_out():
    trainer = Trainer(load_task("ring", RING), Training(batch_size=16, lr=1e-2, precision="fp16"))
    full = Trainer(load_task("ring", RING), Training(batch_size=16, lr=1e-2))
    assert losses(trainer, 20) == pytest.approx(losses(full, 20), rel=0.05)
    assert trainer.scaler_d.get_scale() == 2**16
    for network in (trainer.discriminator, trainer.generator):
        assert {(p.dtype, p.grad.dtype) for p in network.parameters()} == {(torch.float32, torch.float32)}
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in trainer.generator.parameters()))
    assert norm < 10  # the gradient itself, not that of the scaled loss
    # A loss that is too large for float16.
    before = {name: value.clone() for name, value in trainer.discriminator.state_dict().items()}
    trainer.loss = trainer.loss._replace(d=lambda r, f, s: 1e38 * (f.mean(-1) - r.mean(-1)))
    trainer.update_discriminator()
    assert all(torch.equal(before[name], value) for name, value in trainer.discriminator.state_dict().items())
    assert (trainer.scaler_d.get_scale(), trainer.scaler_g.get_scale()) == (2**15, 2**16)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("loss", ["non_saturating", "hinge", "wgan", "relativistic"])
def test_losses_scores_and_the_gradients_of_penalties_are_in_full_precision(precision, loss):
    seen = set()
    options = {"accumulate": 2, "clip_grad": 1.0, "ema": 0.9, "instance_noise": 0.1}
    training = Training(loss=loss, batch_size=8, updates=30, precision=precision, r1_every=3, r2_gamma=0.1, **options)
    trainer = Trainer(load_task("ring", RING), training)
    own = trainer.loss
    trainer.loss = own._replace(
        d=lambda r, f, s: seen.update((r.dtype, f.dtype)) or own.d(r, f, s),
        g=lambda f, r: seen.update((r.dtype, f.dtype)) or own.g(f, r),
    )
    _, result = finish(trainer)
    assert seen == {torch.float32}
    assert result.status == "complete"
    assert result.samples.dtype == "float32"


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_saved_run_goes_on_as_an_unbroken_one(precision):
    training = Training(batch_size=8, updates=60, precision=precision, lr=1e-2)
    whole, first, second = (Trainer(load_task("ring", RING), training) for _ in range(3))
    if precision == "fp16":
        for trainer in (whole, first):
            trainer.scaler_d = torch.amp.GradScaler("cpu", growth_interval=5)
        second.scaler_d = torch.amp.GradScaler("cpu", growth_interval=5)
    expected, begun = losses(whole, 40), losses(first, 17)
    second.load_state(first.state())
    assert begun + losses(second, 23) == expected
    if precision == "fp16":
        assert second.scaler_d.state_dict() == whole.scaler_d.state_dict()
    assert ("scaler_d" in first.state()) == (precision == "fp16")


def test_without_them_a_network_is_called_as_it_is():
    network = nn.Linear(1, 1)
    assert forward_of(network, Training(), CPU) is network
    assert scaler_of(Training(precision="bf16"), CPU) is None


@pytest.mark.parametrize("field", [{"precision": "bf16"}, {"precision": "fp16"}, {"compile": True}])
def test_seeds_take_turns(field):
    trainers = [Trainer(load_task("ring", RING), Training(batch_size=8, **field), seed) for seed in range(2)]
    assert "is of one network at a time" in refusal(trainers)


def test_channels_last_is_another_order_in_memory_of_the_same_numbers():
    task = load_task("digits", {"width": 8})
    fields = {"batch_size": 8, "r1_gamma": 0.1, "ema": 0.9}
    last, first = (Trainer(task, Training(channels_last=on, **fields)) for on in (True, False))
    assert losses(last, 12) == pytest.approx(losses(first, 12), rel=1e-3)
    convolutions = [m for m in last.discriminator.modules() if isinstance(m, nn.Conv2d)]
    assert any(m.weight.is_contiguous(memory_format=torch.channels_last) for m in convolutions)
    assert not convolutions[1].weight.is_contiguous()
    again = Trainer(task, Training(channels_last=True, **fields))
    again.load_state(last.state())
    assert losses(again, 6) == losses(last, 6)


def test_fields_of_pictures_are_refused_for_other_samples():
    with pytest.raises(TaskError, match=r"^training.channels_last: true is for pictures \(B, C, H, W\), .* \(B, 2\)$"):
        Trainer(load_task("ring", RING), Training(channels_last=True))
    refuse_shape(Training(channels_last=True), (3, 8, 8))
    refuse_shape(Training(), (2,))


@pytest.mark.slow
def test_compiled_networks_train_alike():
    task, fields = load_task("ring", RING), {"batch_size": 16, "r1_gamma": 1.0, "r1_every": 4, "ema": 0.9}
    compiled, plain = (Trainer(task, Training(compile=on, updates=60, **fields)) for on in (True, False))
    called = []
    compiled.discriminator.register_forward_pre_hook(lambda *given: called.append(torch.compiler.is_compiling()))
    assert losses(compiled, 20) == pytest.approx(losses(plain, 20), rel=1e-3)
    assert False in called  # the updates with a penalty
    assert compiled.state()["generator"].keys() == plain.state()["generator"].keys()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("InvalidCxxCompiler: No working C++ compiler found", "finds no compiler: install g"),
        ("Unsupported: a thing\nwith details", r"cannot compile the networks \(Unsupported: a thing\)"),
    ],
)
def test_what_torch_cannot_compile_is_said_in_one_sentence(monkeypatch, error, told):
    def compiled(network, **options):
        def call(inputs):
            raise torch._dynamo.exc.TorchDynamoException(error)

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.raises(TaskError, match=f"^training.compile: torch.compile {told}.* or set compile: false$") as raised:
        Compiled(nn.Linear(1, 1))(torch.ones(1, 1))
    assert "\n" not in str(raised.value)


def test_what_is_not_compiled_is_said():
    assert remark_on(Training(compile=True)) == remark_on(Training(r1_gamma=1.0)) == ""
    assert "one in 16 of D's updates has a penalty" in remark_on(Training(compile=True, gp=1.0, r1_every=16))
    assert "D is called as it is" in remark_on(Training(compile=True, loss="wgan"))


def test_a_networks_own_error_is_its_own():
    class Broken(Task):
        latent_dim = 2

        def real(self):
            return torch.randn(50, 2)

        def generator(self):
            return nn.Linear(2, 2)

        def discriminator(self):
            return nn.Linear(2, 1)

    trainer = Trainer(Broken(), Training(precision="bf16", batch_size=4))
    trainer.generator.register_forward_pre_hook(lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trainer.step()
