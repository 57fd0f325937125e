"""What judges a training on a pretended GPU: monitor, referee and quality, for a loop of the user's own as well."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from gansearch.experiment import LoopTraining, Training
from gansearch.gan import LoopTrainer, Trainer
from gansearch.gan.distributed import group
from gansearch.gan.distributed.trainer import ParallelTrainer
from gansearch.gan.loop.task import Loop
from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.referee import referee
from tests.cuda.test_training import BUDGET, Bytes, Endless, Pictures, Points, check_waits, close, run, start_alike


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """A referee that trains for a moment."""
    monkeypatch.setitem(referee.__kwdefaults__, "steps", 20)


@pytest.mark.parametrize(("output", "probes"), [("logit", 300), ("probability", 5), ("score", 5)])
def test_a_monitor_never_waits_before_it_reports(cuda, output, probes):
    draws = torch.Generator().manual_seed(0)
    given = torch.rand(probes, 2, 32, generator=draws)
    reports = []
    for device in ("cpu", "cuda"):
        monitor, scores, norm = StabilityMonitor(output), given.to(device), torch.ones((), device=device)
        with cuda.waits() as seen:
            for step, (real, fake) in enumerate(scores):
                monitor.update(real, fake, None, norm, seen=real)
                monitor.add_samples(real[:, None], fake[:, None])
                monitor.set_step(step)
                monitor.histograms()
        assert seen == {}
        with cuda.waits() as seen:
            reports.append(monitor.report())
        assert sum(seen.values()) <= 2
    one, other = reports
    assert (other.verdict, other.sentence) == (one.verdict, one.sentence)
    assert other.stability == pytest.approx(one.stability, rel=1e-5)


@pytest.mark.parametrize("kind", [Points, Bytes, Endless])
def test_a_result_is_that_of_the_cpu(cuda, kind):
    fields = {**BUDGET, "ema": 0.9}
    on_cpu, on_gpu = (Trainer(kind(), Training(**fields), device=device) for device in ("cpu", "cuda"))
    start_alike(on_cpu, on_gpu)
    results = []
    for trainer in (on_cpu, on_gpu):
        list(trainer.run())
        results.append(trainer.result())
    one, other = results
    assert other.samples == pytest.approx(one.samples, rel=1e-3, abs=1e-4)
    assert (other.verdict, other.sentence, other.status) == (one.verdict, one.sentence, one.status)
    names = ("stability", "separability", "referee_gap", "distance")
    assert [getattr(other, name) for name in names] == pytest.approx([getattr(one, name) for name in names], rel=1e-3)


def test_a_referee_sees_data_that_stay_on_the_host(cuda):
    with cuda.little_memory():
        trainer = Trainer(Points(), Training(**BUDGET), device="cuda")
    list(trainer.run())
    assert trainer.data.real.device.type == "cpu"
    assert math.isfinite(trainer.result().referee_gap)


def loop(trial):
    """Few updates of a plain GAN, reported in tensors of the device or in numbers."""
    task, on_device = Points(), trial.params["tensors"]
    torch.manual_seed(trial.seed)
    generator, discriminator = task.generator().to(trial.device), task.discriminator().to(trial.device)
    optimizers = [torch.optim.Adam(network.parameters(), 1e-3, fused=True) for network in (generator, discriminator)]
    real = task.real().to(trial.device)
    draws = torch.Generator(trial.device).manual_seed(trial.seed)
    for step in range(1, trial.updates + 1):
        batch = real[torch.randint(len(real), (32,), generator=draws, device=trial.device)]
        fake = generator(torch.randn(32, 4, generator=draws, device=trial.device))
        loss = F.softplus(-discriminator(batch)).mean() + F.softplus(discriminator(fake.detach())).mean()
        loss_g = F.softplus(-discriminator(fake)).mean()
        for optimizer, part in zip(optimizers, (loss_g, loss), strict=True):
            optimizer.zero_grad()
            part.backward(inputs=optimizer.param_groups[0]["params"])
            optimizer.step()
        trial.monitor.update(discriminator(batch), discriminator(fake))
        if on_device:
            trial.report(step=step, loss_d=loss, loss_g=loss_g, real=batch, fake=fake)
        else:
            trial.report(step=step)


@pytest.mark.parametrize("tensors", [True, False])
@pytest.mark.parametrize("prune", [True, False])
def test_a_loop_is_waited_for_once_at_a_report(cuda, tensors, prune):
    results = {}
    for device in ("cpu", "cuda"):
        training = LoopTraining(updates=8, params={"tensors": tensors})
        trainer = LoopTrainer(Loop("my_loop.py:train", loop, {}), training, 0, device=device, prune=prune)
        with cuda.waits() as seen:
            probes = list(trainer.run())
        results[device] = probes, trainer.result()
    of_gansearch = {name: count for name, count in seen.items() if not name.endswith(" _call")}  # that calls the loop
    assert sum(of_gansearch.values()) == len(probes), of_gansearch
    (expected, one), (probes, other) = results.values()
    assert all(close(a, b) for a, b in zip(expected, probes, strict=True))
    assert other.stability == pytest.approx(one.stability, rel=1e-3, nan_ok=True)
    assert other.distance == pytest.approx(one.distance, rel=1e-3, nan_ok=True)


def test_a_loop_goes_on_on_another_device(cuda):
    state = None
    for device, updates in (("cpu", 4), ("cuda", 8), ("cpu", 12)):
        training = LoopTraining(updates=updates, params={"tensors": True})
        trainer = LoopTrainer(Loop("my_loop.py:train", loop, {}), training, 0, device=device)
        if state is not None:
            trainer.load_state(state)
        list(trainer.run())
        state = trainer.state()
    assert trainer.updates == 12


class OneProcess:
    """A process group of one: what it sums and sends stays as it is, and nothing waits."""

    def allreduce(self, tensors):
        return SimpleNamespace(wait=lambda: None)

    def broadcast(self, tensor, rank):
        return SimpleNamespace(wait=lambda: None)

    def abort(self):
        pass


@pytest.mark.parametrize("fields", [{}, {"balance": "held"}, {"balance": "gap_aware", "sync_batch_norm": True}])
def test_a_trainer_of_a_group_does_on_a_gpu_what_it_does_alone(cuda, monkeypatch, fields):
    monkeypatch.setattr(group, "_processes", lambda *given: OneProcess())
    training, trainers = Training(**BUDGET, **fields), []
    for device in ("cpu", "cuda"):
        one = group.Group(None, 0, 1, torch.device(device), "")
        trainers.append(ParallelTrainer(one, Points(), training, device=device))
    start_alike(*trainers)
    (_, expected), (between, probes) = (run(trainer, cuda) for trainer in trainers)
    check_waits(between, probes)
    assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))
    with cuda.waits() as seen:
        assert trainers[1].continues() is False
    assert seen == {}
    trainers[1]._begin()


def test_pictures_are_judged_as_well(cuda):
    trainer = Trainer(Pictures(), Training(**BUDGET, ema=0.5), device="cuda:0")
    list(trainer.run())
    assert trainer.result().samples.shape[1:] == (1, 8, 8)
