import io
import math

import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import TaskError, Trainer, load_task
from gansearch.gan.stacked import refusal
from gansearch.gan.updates.augment import Augmentation, ada, diffaugment
from gansearch.gan.updates.losses import LOSSES
from tests.gan.networks import finish
from tests.gan.reference import Reference

CPU = torch.device("cpu")
# The columns of ada's random numbers: what is drawn, then the chance of each transformation.
FLIP, QUARTERS, PIXELS, SCALE, TURN, STRETCH, _TURN, SHIFT = 0, 2, 4, 7, 9, 11, 13, 15
BRIGHTNESS, CONTRAST, LUMA, HUE, SATURATION = 18, 20, 22, 24, 26


def pictures(n=3, channels=3, height=8, width=8):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def only(at, *values):
    """Random numbers by which of all transformations one is applied, at p = .5."""
    draws = torch.full((3, 28), 0.999)
    draws[:, at : at + len(values)] = torch.tensor(values)
    draws[:, at + len(values)] = 0.0
    return draws


def digits():
    return load_task("digits", {"width": 8})


def reference_diffaugment(x, draws):
    """As the paper's code words it: padding, a grid of rows and columns, and a mask."""
    n, _, h, w = x.shape
    brightness, saturation, contrast, down, across, top, left = (column.view(n, 1, 1, 1) for column in draws.unbind(1))
    x = x + (brightness - 0.5)
    x = (x - x.mean(1, keepdim=True)) * (saturation * 2) + x.mean(1, keepdim=True)
    x = (x - x.mean((1, 2, 3), keepdim=True)) * (contrast + 0.5) + x.mean((1, 2, 3), keepdim=True)
    padded = torch.nn.functional.pad(x, (w, w, h, h))
    moved = torch.zeros_like(x)
    for i in range(n):
        y = int(down[i] * (2 * round(h / 8) + 1)) - round(h / 8)
        z = int(across[i] * (2 * round(w / 8) + 1)) - round(w / 8)
        moved[i] = padded[i, :, h + y : 2 * h + y, w + z : 2 * w + z]
        y, z = int(top[i] * (h + 1)) - h // 4, int(left[i] * (w + 1)) - w // 4
        moved[i, :, max(0, y) : max(0, y + h // 2), max(0, z) : max(0, z + w // 2)] = 0
    return moved


@pytest.mark.parametrize("seed", range(5))
def test_diffaugment_is_the_papers(seed):
    x, draws = pictures(6, height=16, width=8), torch.rand(6, 7, generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(diffaugment(x, draws), reference_diffaugment(x, draws), atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("width", [8, 12])
def test_with_probability_0_ada_changes_nothing(channels, width):
    x, draws = pictures(channels=channels, width=width), torch.rand(3, 28)
    assert torch.allclose(ada(x, draws, torch.tensor(0.0)), x, atol=1e-5)
    assert not torch.allclose(ada(x, draws, torch.tensor(1.0)), x, atol=0.1)


def hue_of_120_degrees(x):
    return x[:, [2, 0, 1]]  # red to green to blue


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        (only(FLIP, 0.7), lambda x: x.flip(3)),
        (only(FLIP, 0.3), lambda x: x),
        (only(QUARTERS, 0.3), lambda x: torch.rot90(x, 1, (2, 3))),
        (only(QUARTERS, 0.6), lambda x: torch.rot90(x, 2, (2, 3))),
        (only(TURN, 0.75), lambda x: torch.rot90(x, 1, (2, 3))),
        (only(PIXELS, 1.0, 0.5), lambda x: torch.cat([x[..., 1:], x[..., -1:]], -1)),  # reflected at the edge
        (only(PIXELS, 0.5, 0.0), lambda x: torch.cat([x[:, :, :1], x[:, :, :-1]], 2)),
        (only(BRIGHTNESS, 0.8413447), lambda x: x + 0.2),  # one standard deviation up
        (only(CONTRAST, 0.8413447), lambda x: x * 2**0.5),
        (only(LUMA, 0.7), lambda x: x - 2 * x.mean(1, keepdim=True)),
        (only(HUE, 5 / 6), hue_of_120_degrees),
        (only(SATURATION, 0.8413447), lambda x: x.mean(1, keepdim=True) + 2 * (x - x.mean(1, keepdim=True))),
    ],
)
def test_each_transformation_of_ada_by_hand(draws, expected):
    x = pictures()
    assert torch.allclose(ada(x, draws, torch.tensor(0.5)), expected(x), atol=1e-4)
    closed = draws.clone()
    closed[draws == 0] = 0.5  # the chance is not below p any more
    if draws[0, PIXELS + 1] != 0:
        assert torch.allclose(ada(x, closed, torch.tensor(0.5)), x, atol=1e-4)


def test_scaling_stretching_and_fractions_move_a_spot_by_as_much_as_drawn():
    x = torch.zeros(1, 1, 64, 64)
    x[:, :, 30:34, 44:48] = 1.0  # its centre is 14 right of the middle

    def centre(at, *values):
        y = ada(x, only(at, *values)[:1], torch.tensor(0.5))[0, 0].clamp(0)
        places = torch.arange(64) - 31.5
        return float((y.sum(0) * places).sum() / y.sum()), float((y.sum(1) * places).sum() / y.sum())

    assert centre(SCALE, 0.8413447) == pytest.approx((14 / 2**0.2, 0), abs=0.1)
    assert centre(STRETCH, 0.8413447) == pytest.approx((14 / 2**0.2, 0), abs=0.1)
    assert centre(SHIFT, 0.8413447, 0.5) == pytest.approx((14 - 8, 0), abs=0.1)  # an eighth of the width


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_both_have_gradients_and_no_nan_at_the_ends_of_the_draws(kind):
    for ends in (torch.zeros(2, 28), torch.full((2, 28), 1 - 2**-24), torch.rand(2, 28)):
        x = pictures(2).requires_grad_()
        y = diffaugment(x, ends[:, :7]) if kind == "diffaugment" else ada(x, ends, torch.tensor(1.0))
        (gradient,) = torch.autograd.grad(y.square().sum(), x)
        assert y.isfinite().all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic"])
def test_d_sees_augmented_reals_and_fakes_in_both_updates(loss):
    class Expected(Reference):
        rate = 1e-2

        def changed(self, x):
            return reference_diffaugment(x, torch.rand(self.batch, 7, generator=self.draws))

        def update_d(self):
            real, fake = self.real(), self.fake().detach()
            real, fake = self.changed(real), self.changed(fake)
            self.optimizer_d.zero_grad()
            value = LOSSES[loss].d(self.d(real).flatten(), self.d(fake).flatten(), 0)
            value.backward()
            self.optimizer_d.step()
            return value.item()

        def update_g(self):
            self.optimizer_g.zero_grad()
            fake = self.d(self.changed(self.fake())).flatten()
            real = self.d(self.changed(self.real())).flatten() if loss == "relativistic" else None
            value = LOSSES[loss].g(fake, real)
            value.backward()
            self.optimizer_g.step()
            return value.item()

    training = Training(batch_size=8, lr=1e-2, loss=loss, augment="diffaugment")
    trainer = Trainer(digits(), training)
    ours = [float(trainer.step()) for _ in range(6)]
    assert ours == pytest.approx(Expected(digits(), batch=8).losses(6), rel=1e-3)


def test_p_follows_the_sign_of_r_t_less_its_target():
    training = Training(augment="ada", batch_size=50, accumulate=2, updates=4000)
    augmentation, p, seen = Augmentation(training, CPU), 0.0, []
    draws = torch.Generator().manual_seed(0)
    for update in range(1, 41):
        certainty = torch.randn(100, generator=draws) + (2 if update <= 24 else -1)
        seen.append(float(certainty.sign().mean()))
        augmentation.update(certainty)
        if update % 4 == 0:
            r_t = sum(seen[-4:]) / 4
            # 4 batches of 100 pictures; all in a tenth of 4000 updates, which are fewer than 500,000 pictures.
            p = min(1.0, max(0.0, p + math.copysign(400 / 40_000, r_t - 0.6)))
            assert float(augmentation.r_t) == pytest.approx(r_t)
        assert float(augmentation.p) == pytest.approx(p, abs=1e-6)
    assert p == pytest.approx(0.02)  # six steps up, four down
    long = Augmentation(Training(augment="ada", batch_size=100, updates=1_000_000), CPU)
    for _ in range(4):
        long.update(torch.ones(100))
    assert float(long.p) == pytest.approx(400 / 500_000)


@pytest.mark.parametrize("loss", LOSSES)
def test_r_t_is_of_training_reals_beyond_the_middle_of_each_loss(loss):
    trainer = Trainer(digits(), Training(loss=loss, gp=0, augment="ada", ada_target=0.3, batch_size=8, updates=40))
    certain = {"lsgan": (2.0, -1.0), "wgan": (-5.0, -9.0), "relativistic": (-5.0, -9.0)}.get(loss, (4.0, -4.0))
    real, fake = (torch.full((8,), score) for score in certain)
    assert (real - trainer.loss.middle(real, fake) > 0).all()
    assert math.isnan(trainer.augmentation.r_t)
    for _ in range(16):
        trainer.step()
    assert -1 <= float(trainer.augmentation.r_t) <= 1


def test_probes_have_r_t_and_p():
    fields = {"batch_size": 8, "updates": 20}
    probes, _ = finish(Trainer(digits(), Training(augment="ada", ada_target=0.0, **fields)))
    assert (math.isnan(probes[0].r_t), probes[0].augment_p) == (True, 0)
    assert -1 <= probes[-1].r_t <= 1
    assert probes[-1].augment_p in (0, 1)  # one step is larger than all that so short a run may have
    for kind in ("none", "diffaugment"):
        probe = next(Trainer(digits(), Training(augment=kind, **fields)).run())
        assert math.isnan(probe.r_t + probe.augment_p)


@pytest.mark.slow
def test_ada_holds_r_t_at_its_target_where_d_overfits():
    class Few(type(digits())):
        def real(self):
            return super().real()[:60]

    held, free = (
        [p.r_t for p in finish(Trainer(Few(width=8), Training(updates=800, batch_size=16, lr=2e-3, **fields)))[0]]
        for fields in ({"augment": "ada", "ada_target": 0.2}, {"augment": "ada", "ada_target": 0.999})
    )
    held, free = (sum(r_t[-15:]) / 15 for r_t in (held, free))
    assert held < free - 0.1


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_a_saved_run_goes_on_as_an_unbroken_one(kind):
    training = Training(batch_size=8, updates=60, augment=kind, ada_target=0.1, lr=1e-3, r1_gamma=0.1, ema=0.9)
    whole, first, second = (Trainer(digits(), training) for _ in range(3))
    losses = [float(whole.step()) for _ in range(40)]
    begun = [float(first.step()) for _ in range(21)]
    file = io.BytesIO()
    torch.save(first.state(), file)
    second.load_state(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    assert begun + [float(second.step()) for _ in range(19)] == losses
    assert kind == "diffaugment" or float(whole.augmentation.p) > 0


def test_seeds_at_once_have_what_they_have_in_turn_but_for_ada():
    fields = {"batch_size": 8, "augment": "diffaugment"}
    assert refusal([Trainer(digits(), Training(**fields), seed) for seed in range(2)]) == ""
    fields["augment"] = "ada"
    assert "ada" in refusal([Trainer(digits(), Training(**fields), seed) for seed in range(2)])


@pytest.mark.parametrize("kind", ["diffaugment", "ada"])
def test_other_samples_than_pictures_are_refused_by_name(kind):
    with pytest.raises(TaskError, match=rf"training.augment: {kind} is for pictures \(B, C, H, W\), .* are \(B, 2\)"):
        Trainer(load_task("ring", {"samples": 100}), Training(augment=kind))
