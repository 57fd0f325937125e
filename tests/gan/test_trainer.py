import io
import math

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Trainer, load_task
from gansearch.gan.tasks.mixtures import Ring
from tests.gan.networks import Normed, everything, finish, same

FAST = {"updates": 60, "batch_size": 16}


def test_a_probe_changes_nothing():
    trainer = Trainer(Normed(), Training(**FAST))
    for _ in range(6):
        trainer.step()
    before = everything(trainer.discriminator), everything(trainer.generator), trainer.draws.get_state()
    trainer.probe()
    after = everything(trainer.discriminator), everything(trainer.generator), trainer.draws.get_state()
    assert same(before[0], after[0])
    assert same(before[1], after[1])
    assert torch.equal(before[2], after[2])


@pytest.mark.parametrize("options", [{}, {"loss": "relativistic", "ema": 0.9, "r1_gamma": 0.1, "instance_noise": 0.1}])
@pytest.mark.parametrize("task", [load_task("ring", {"samples": 500, "width": 16}), Normed()], ids=["ring", "normed"])
def test_a_seed_reproduces_a_run_and_another_does_not(task, options):
    training = Training(**FAST, **options)
    one, two, other = (finish(Trainer(task, training, seed))[1] for seed in (3, 3, 4))
    assert (one.samples == two.samples).all()
    assert one.distance == two.distance
    assert not (one.samples == other.samples).all()


def test_runs_in_turn_do_not_disturb_each_other():
    alone = finish(Trainer(Normed(), Training(**FAST), seed=1))[1]
    both = [Trainer(Normed(), Training(**FAST), seed=seed) for seed in (1, 2)]
    for _ in zip(*(trainer.run() for trainer in both), strict=True):
        torch.rand(3)
    assert (both[0].result().samples == alone.samples).all()


@pytest.mark.parametrize(
    "options", [{"pretrain_steps": 10}, {"ema": 0.9, "update_ratio": 2.5, "lr_decay": 0.5}, {"spectral_norm": True}]
)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(options):
    training = Training(**FAST, **options)
    probes, unbroken = finish(Trainer(Normed(), training, seed=1))
    first = Trainer(Normed(), training, seed=1)
    seen = [probe for _, probe in zip(range(23), first.run(), strict=False)]
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second = Trainer(Normed(), training, seed=1)
    second.load_state(torch.load(file, weights_only=True))
    rest, resumed = finish(second)
    assert [repr(p) for p in seen + rest] == [repr(p) for p in probes]
    assert (resumed.samples == unbroken.samples).all()
    assert (resumed.stability, resumed.distance) == (unbroken.stability, unbroken.distance)


def test_a_run_that_turns_nan_is_failed_and_says_so():
    class Broken(Normed):
        def generator(self):
            class Bad(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.inner = nn.Linear(4, 3)
                    self.calls = 0

                def forward(self, z):
                    self.calls += 1
                    return self.inner(z) * (math.nan if self.calls > 40 else 1)

            return Bad()

    probes, result = finish(Trainer(Broken(), Training(**FAST)))
    assert (result.status, result.verdict, result.stability) == ("failed", "diverged", 0.0)
    assert result.error
    assert math.isnan(result.distance)
    assert len(probes) < 60


def test_a_run_beyond_hope_is_pruned():
    training = Training(updates=800, lr_d=0.01, lr_g=1e-7, batch_size=32)
    _, result = finish(Trainer(load_task("ring"), training, prune=True))
    assert result.status == "pruned"
    assert result.verdict == "discriminator_saturated"
    assert result.updates < 800
    assert "Stopped after" in result.sentence


def test_a_pretrained_discriminator_is_no_reason_to_stop():
    training = Training(updates=400, pretrain_steps=300, lr_d=0.01, lr_g=1e-3, batch_size=32)
    probes, _ = finish(Trainer(load_task("ring"), training, prune=True))
    assert max(probe.saturated_right for probe in probes if probe.update <= 300) > 0.9
    assert probes[-1].update > 320


def test_probes_measure_samples_in_the_tasks_embedding():
    class Equal(Ring):
        def embedding(self, samples):
            return torch.ones(len(samples), 1)

    plain, embedded = (Trainer(task, Training(**FAST)) for task in (Ring(), Equal()))
    for trainer in (plain, embedded):
        trainer.step()
        trainer.probe()
    assert plain.monitor.rows()[0].mean("apart") > 0.1
    assert embedded.monitor.rows()[0].mean("apart") == 0


def test_the_distance_is_measured_at_quarters():
    probes, result = finish(Trainer(load_task("ring", {"samples": 500}), Training(updates=200, batch_size=8)))
    assert [p.update for p in probes if not math.isnan(p.distance)] == [
        51,
        100,
        152,
        200,
    ]  # the first probe after each quarter
    assert probes[-1].distance == result.distance


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_d_s_answers_are_counted_ten_times_a_run(loss):
    probes, _ = finish(Trainer(load_task("ring", {"samples": 500}), Training(updates=200, batch_size=8, loss=loss)))
    counted = [probe for probe in probes if probe.outputs]
    assert (len(counted), counted[-1].update) == (10, 200)
    for probe in counted:
        real, fake = probe.outputs["real"], probe.outputs["fake"]
        assert len(real) == len(fake) == 20
        certain = (real[-1] / sum(real) + fake[0] / sum(fake)) / 2
        assert certain == pytest.approx(probe.saturated_right)


def test_samples_come_from_the_average_where_there_is_one():
    plain, averaged = (
        Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(**FAST, ema=ema)) for ema in (0.0, 0.999)
    )
    for trainer in (plain, averaged):
        finish(trainer)
    assert same(everything(plain.generator), everything(averaged.generator))
    start = Trainer(load_task("ring", {"samples": 500, "width": 16}), Training(**FAST)).generator
    far, near = (
        sum((a - b).abs().sum().item() for a, b in zip(network.parameters(), start.parameters(), strict=True))
        for network in (plain.generator, averaged.average.module)
    )
    assert near < 0.2 * far
