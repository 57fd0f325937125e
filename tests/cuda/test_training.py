"""Training on a pretended GPU: the CPU's results, no wait of the host between probes, and one at a probe."""

import copy
import io
import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer
from gansearch.gan.stacked import Stacked, refusal
from tests.gan.conditional import Clusters
from tests.gan.conditional import Endless as EndlessClusters
from tests.gan.paired import Halves, Sampled

BUDGET = {"updates": 24, "pretrain_steps": 4, "batch_size": 8, "lr": 1e-3}
PROBES = (5, 12, 18, 24)

FIELDS = {
    "plain": {},
    "minimax": {"loss": "minimax"},
    "hinge": {"loss": "hinge"},
    "wgan with gradient penalty": {"loss": "wgan", "gp": 1.0},
    "lsgan": {"loss": "lsgan"},
    "relativistic": {"loss": "relativistic"},
    "r1": {"r1_gamma": 0.1},
    "r2": {"r2_gamma": 0.1},
    "r1 and r2 of a relativistic D": {"loss": "relativistic", "r1_gamma": 0.1, "r2_gamma": 0.1},
    "held": {"balance": "held", "target_separability": 0.7},
    "gap-aware": {"balance": "gap_aware"},
    "update ratio": {"update_ratio": 2.5},
    "schedule": {"schedule": [{"after": 10, "lr_d": 1e-4}, {"after": 15, "update_ratio": 2.0}]},
    "schedule of γ, β₂ and the average": {"schedule": [{"after": 10, "r1_gamma": 0.1, "beta2": 0.9, "ema": 0.9}]},
    "best fakes": {"top_k": 0.5, "top_k_anneal": 0.5},
    "best fakes of pairs": {"loss": "relativistic", "top_k": 0.5},
    "batches of two sizes": {"batch_ratio": 2.0},
    "learning rates fall": {"lr_decay": 0.5},
    "gap-aware, learning rates fall": {"balance": "gap_aware", "lr_decay": 0.5},
    "average": {"ema": 0.9},
    "spectral norm": {"spectral_norm": True},
    "packing": {"packing": 2},
    "instance noise": {"instance_noise": 0.1},
    "label smoothing": {"label_smoothing": 0.1},
    "simultaneous": {"simultaneous": True},
    "gradient descent": {"optimizer": "sgd"},
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1, "beta1": 0.0, "beta2": 0.9},
    "rmsprop": {"optimizer": "rmsprop"},
    "gap-aware rmsprop": {"optimizer": "rmsprop", "balance": "gap_aware"},
    "accumulated batches": {"accumulate": 2},
    "clipped gradients": {"clip_grad": 0.1},
    "clipped weights": {"loss": "wgan", "weight_clip": 0.01},
    "lazy penalties": {"r1_gamma": 0.1, "r1_every": 4},
    "bf16": {"precision": "bf16"},
    "bf16 with a penalty": {"precision": "bf16", "r1_gamma": 0.1},
    "fp16": {"precision": "fp16"},
    "graph": {"graph": True},
    "graph of an average and noise": {"graph": True, "ema": 0.9, "instance_noise": 0.1},
    "fp16 with a penalty, clipped": {"precision": "fp16", "r2_gamma": 0.1, "clip_grad": 1.0},
}
"""Fields of `training:` by a name for the case; a new field needs a line here.

Not fp16 with an optimizer that is not fused, which RMSprop is not: torch's scaler then waits at every update.
"""
PAIRS = {
    "no reconstruction": {},
    "l1": {"reconstruction": "l1", "reconstruction_weight": 10.0},
    "l2 of a late D": {"reconstruction": "l2", "d_start": 5},
    "l1 of embeddings, relativistic": {"reconstruction": "embedding", "loss": "relativistic"},
}
"""The same for fields that are for pairs."""
PICTURES = {
    "plain": {},
    "channels last": {"channels_last": True, "ema": 0.9},
    "DiffAugment": {"augment": "diffaugment", "r1_gamma": 0.1},
    "ADA": {"augment": "ada", "ada_target": 0.0},
}
"""The same for fields that are for pictures."""
CONDITIONAL = {
    "classes": (Clusters(), {"ema": 0.9}),
    "pairs of a class": (Clusters(), {"loss": "relativistic", "top_k": 0.5}),
    "an auxiliary classifier": (Clusters(heads=True), {"auxiliary": 1.0, "r1_gamma": 0.1}),
    "classes without end": (EndlessClusters(), {"gp": 0.1}),
}
"""The same of tasks with conditions."""
ELSEWHERE = {"lr_ratio", "lr_d", "lr_g", "betas", "sync_batch_norm", "compile"}
"""Fields without a case: numbers of the host, what test_judging.py tries, and what Triton compiles for a real GPU."""
AT_ONCE = ("plain", "relativistic", "r1", "wgan with gradient penalty", "average", "instance noise", "lazy penalties")
"""Those that are also tried on several seeds at once."""


class Points(Task):
    latent_dim = 4

    def real(self):
        return torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) + 2

    def generator(self):
        return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))

    def discriminator(self, packing=1):
        return nn.Sequential(nn.Linear(2 * packing, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))


class Pictures(Points):
    def real(self):
        return torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def generator(self):
        return nn.Sequential(
            *(nn.Linear(4, 32), nn.Unflatten(1, (8, 2, 2)), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.ConvTranspose2d(8, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Sigmoid()),
        )

    def discriminator(self):
        convolution = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2))
        return nn.Sequential(convolution, nn.Dropout(0.1), nn.Flatten(), nn.LazyLinear(1))


class Bytes(Points):
    def real(self):
        return torch.randint(0, 256, (400, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def unpacked(self, stored):
        return stored.float() / 127.5 - 1


class Endless(Points):
    def real_batch(self, n, generator):
        return torch.randn(n, 2, generator=generator, device=generator.device)


class EndlessOnHost(Points):
    def real_batch(self, n, generator):
        return torch.randn(n, 2).double()


def made(task, fields, device, seed=0, **more):
    return Trainer(task, Training(**{**BUDGET, **fields}), seed, device=device, **more)


def start_alike(one, other):
    """Gives a trainer the weights of another one: a GPU draws other ones where it draws them at all."""
    for name in ("generator", "discriminator"):
        getattr(other, name).load_state_dict(getattr(one, name).state_dict())


def run(trainer, cuda, seeds=None):
    """Trains to the end; the waits in the updates, and for each probe it and its waits."""
    probes = []
    with cuda.waits() as between:
        for until in PROBES:
            if seeds:
                seeds.advance(until)
            while trainer.updates < until:
                trainer.step()
            with cuda.waits() as at_probe:
                probes.append((trainer.probe(), at_probe))
    known = ("gan/balance/controller", "gan/updates/capture", "gan/graphs")
    return {name: count for name, count in between.items() if not any(part in name for part in known)}, probes


def check_waits(between, probes):
    """None between probes: but for a held balance, which reads a value that is three updates old, and a graph, when it
    is captured. One at a probe, and one more where the quality is measured.
    """
    assert between == {}
    for probe, waits in probes:
        assert sum(waits.values()) <= 1 + math.isfinite(probe.distance), waits


def close(one, other, rel=1e-4):
    """Whether two probes agree but for rounding."""
    numbers = [{name: value for name, value in vars(probe).items() if name != "outputs"} for probe in (one, other)]
    return numbers[0] == pytest.approx(numbers[1], rel=rel, abs=rel / 10, nan_ok=True)


@pytest.mark.parametrize(
    ("fields", "prune"), [*((fields, False) for fields in FIELDS.values()), ({}, True)], ids=[*FIELDS, "pruned"]
)
def test_a_gpu_gives_the_cpus_results_and_is_waited_for_at_probes_alone(cuda, fields, prune):
    on_cpu, on_gpu = (made(Points(), fields, device, prune=prune) for device in ("cpu", "cuda"))
    start_alike(on_cpu, on_gpu)
    (_, expected), (between, probes) = run(on_cpu, cuda), run(on_gpu, cuda)
    check_waits(between, probes)
    rel = 0.05 if "precision" in fields else 1e-4  # autocast computes other operations in few bits on CUDA
    assert all(close(a, b, rel) for (a, _), (b, _) in zip(expected, probes, strict=True))
    assert on_gpu.quality == pytest.approx(on_cpu.quality, rel=rel)


@pytest.mark.parametrize("name", AT_ONCE)
def test_seeds_at_once_give_the_cpus_results_and_are_waited_for_at_probes_alone(cuda, name):
    runs = []
    trainers = {device: [made(Points(), FIELDS[name], device, seed) for seed in (1, 2)] for device in ("cpu", "cuda")}
    for one, other in zip(*trainers.values(), strict=True):
        start_alike(one, other)
    for seeds in trainers.values():
        assert refusal(seeds) == ""
        runs.append(run(seeds[0], cuda, Stacked(seeds)))
    (_, expected), (between, probes) = runs
    check_waits(between, probes)
    assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))


@pytest.mark.parametrize(
    "shared", [{}, {"optimizer": "sgd", "lr": 1e-3}, {"optimizer": "adamw", "lr_decay": 0.5}, {"graph": True}]
)
def test_configurations_at_once_give_the_cpus_results_and_are_waited_for_at_probes_alone(cuda, shared):
    own = [
        {"r1_gamma": 0.1, "ema": 0.9, "instance_noise": 0.1},
        {"update_ratio": 2.5, "ema": 0.5, "instance_noise": 0.2, "clip_grad": 0.1, "weight_decay": 0.1},
        {"pretrain_steps": 0, "ema": 0.9, "beta2": 0.9, "instance_noise": 0.1, "weight_clip": 0.5},
    ]
    rows = {device: [made(Points(), {**one, **shared}, device) for one in own] for device in ("cpu", "cuda")}
    for one, other in zip(*rows.values(), strict=True):
        start_alike(one, other)
    (_, expected), (between, probes) = (run(row[0], cuda, Stacked(row)) for row in rows.values())
    check_waits(between, probes)
    assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))
    assert [(row.d_updates, row.g_updates) for row in rows["cpu"]] == [(r.d_updates, r.g_updates) for r in rows["cuda"]]


@pytest.mark.parametrize("fields", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("kind", [Halves, Sampled])
def test_pairs_give_the_cpus_results_as_well(cuda, kind, fields):
    on_cpu, on_gpu = (made(kind(scales=2), fields, device) for device in ("cpu", "cuda:0"))
    start_alike(on_cpu, on_gpu)
    (_, expected), (between, probes) = run(on_cpu, cuda), run(on_gpu, cuda)
    check_waits(between, probes)
    assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))
    assert math.isfinite(probes[-1][0].reconstruction)


@pytest.mark.parametrize("fields", PICTURES.values(), ids=PICTURES)
def test_pictures_do_not_make_the_host_wait_between_probes_either(cuda, fields):
    trainer = made(Pictures(), fields, "cuda:0")
    check_waits(*run(trainer, cuda))
    assert trainer.samples(3).device.type == "cuda"


@pytest.mark.parametrize("kind", [Bytes, Endless, EndlessOnHost])
def test_other_tasks_give_the_cpus_results_as_well(cuda, kind):
    on_cpu, on_gpu = (made(kind(), {}, device) for device in ("cpu", "cuda:0"))
    start_alike(on_cpu, on_gpu)
    (_, expected), (between, probes) = run(on_cpu, cuda), run(on_gpu, cuda)
    check_waits(between, probes)
    if kind is not EndlessOnHost:  # which draws from the global numbers
        assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))


@pytest.mark.parametrize("on_host", [False, True], ids=["", "data on the host"])
@pytest.mark.parametrize(("task", "fields"), CONDITIONAL.values(), ids=CONDITIONAL)
def test_conditions_do_not_make_the_host_wait_between_probes_either(cuda, task, fields, on_host):
    task = copy.copy(task)  # whose data have not been read
    with cuda.little_memory() if on_host else nullcontext():
        seeds = [made(task, fields, "cuda", seed) for seed in (1, 2, 3)]
    if on_host and seeds[0].data.labels is not None:
        assert {seeds[0].data.real.device.type, seeds[0].data.labels.device.type} == {"cpu"}
    check_waits(*run(seeds[0], cuda))
    check_waits(*run(seeds[1], cuda, Stacked(seeds[1:])))
    for labels in (*seeds[0]._batch(8)[1:], *seeds[0].data.conditions, seeds[0].conditions(3)):
        assert (labels.device.type, labels.dtype) == ("cuda", torch.int64)
    if not on_host:
        on_cpu, on_gpu = (made(task, fields, device) for device in ("cpu", "cuda"))
        start_alike(on_cpu, on_gpu)
        (_, expected), (_, probes) = run(on_cpu, cuda), run(on_gpu, cuda)
        assert all(close(a, b) for (a, _), (b, _) in zip(expected, probes, strict=True))


def test_every_field_of_training_is_tried():
    conditional = [fields for _, fields in CONDITIONAL.values()]
    tried = {
        name
        for fields in (BUDGET, *FIELDS.values(), *PAIRS.values(), *PICTURES.values(), *conditional)
        for name in fields
    }
    assert set(Training.model_fields) - tried == ELSEWHERE, "add a line to FIELDS, PAIRS, PICTURES or CONDITIONAL"


@pytest.mark.parametrize("task", [Points(), Bytes()], ids=lambda task: type(task).__name__)
def test_data_that_stay_on_the_host_are_sent_without_a_wait(cuda, task):
    with cuda.little_memory():
        trainer = made(task, {"ema": 0.9}, "cuda")
        seeds = [made(task, {}, "cuda", seed) for seed in (1, 2)]
    assert trainer.data.real.device.type == "cpu"
    check_waits(*run(trainer, cuda))
    alone = made(task, {}, "cuda", 1)
    stacked = Stacked(seeds)
    (batches,) = stacked._batch(8)
    assert batches.device.type == "cuda"
    assert torch.equal(batches[0], alone._batch(8)[0])
    assert not torch.equal(batches[0], alone._batch(8)[0])
    known = alone.data.at(torch.arange(alone.data.count)).cpu()
    drawn = torch.cat([alone._batch(50)[0].cpu() for _ in range(40)])
    assert all((known == row).all(1).any() for row in drawn)
    assert len(drawn.unique(dim=0)) > 0.9 * len(known.unique(dim=0))


def saved(trainer):
    """A trainer's state as a worker of another machine reads it."""
    file = io.BytesIO()
    torch.save(trainer.state(), file)
    file.seek(0)
    return torch.load(file, weights_only=True, map_location="cpu")


@pytest.mark.parametrize("on_host", [False, True], ids=["", "data on the host"])
def test_what_is_resumed_on_a_gpu_equals_what_is_unbroken(cuda, on_host):
    fields = {"ema": 0.9, "balance": "held", "instance_noise": 0.1, "optimizer": "adamw"}
    task = Pictures()
    with cuda.little_memory() if on_host else nullcontext():
        first, second = (made(task, fields, "cuda") for _ in range(2))
    for _ in zip(range(8), first.run(), strict=False):
        pass
    second.load_state(saved(first))
    for trainer in (first, second):
        for _ in zip(range(8), trainer.run(), strict=False):
            pass
    ours, theirs = saved(first), saved(second)
    for name in ("generator", "discriminator", "average"):
        assert all(torch.equal(value, theirs[name][key]) for key, value in ours[name].items()), name
    assert first.samples(5).tolist() == second.samples(5).tolist()


@pytest.mark.parametrize("way", [("cpu", "cuda", "cpu"), ("cuda", "cpu", "cuda")], ids="-".join)
def test_a_training_goes_on_on_another_device(cuda, way):
    fields = {"ema": 0.9, "balance": "held", "optimizer": "adamw", "lr_decay": 0.5}
    task, state = Pictures(), None
    for device in way:
        trainer = made(task, fields, device)
        if state is not None:
            trainer.load_state(state)
        tensors = [*trainer.generator.state_dict().values(), *trainer.discriminator.state_dict().values()]
        assert {tensor.device.type for tensor in tensors} == {device}
        for _ in range(8):
            trainer.step()
        trainer.probe()
        state = saved(trainer)
    assert trainer.updates == 24
    assert math.isfinite(trainer.standing()[0])


def test_latents_of_another_device_are_caught(cuda, monkeypatch):
    wrong = lambda self, n: torch.randn(n, 4, generator=torch.Generator().manual_seed(0))  # noqa: E731
    monkeypatch.setattr(Trainer, "_latents", wrong)
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        made(Points(), {}, "cuda").step()


def test_a_loss_that_is_read_in_every_update_is_caught(cuda, monkeypatch):
    exchanged = Trainer._exchanged

    def wrong(self, parameters, loss, n):
        float(loss)
        return exchanged(self, parameters, loss, n)

    monkeypatch.setattr(Trainer, "_exchanged", wrong)
    between, probes = run(made(Points(), {}, "cuda"), cuda)
    assert sum(between.values()) == BUDGET["updates"]
    assert all(name.startswith("_local_scalar_dense, gan/updates/updates.py:") for name in between)
    with pytest.raises(AssertionError):
        check_waits(between, probes)


def test_quality_of_samples_on_the_device_is_caught(cuda, monkeypatch):
    class Wrong(Points):
        def quality(self, real, fake):
            return {"distance": float((real.mean(0) - fake.to("cuda").numpy().mean(0)).norm())}

    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        made(Wrong(), {}, "cuda").standing()
    monkeypatch.setattr("gansearch.gan.evaluation.to_host", lambda *tensors: list(tensors))
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        made(Points(), {}, "cuda").standing()
