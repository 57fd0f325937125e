"""Two processes with half of each batch: the numbers of one process with the whole batch."""

import io
from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.multiprocessing import get_context

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, data
from gansearch.gan.distributed.group import Meeting, Parted
from gansearch.gan.distributed.trainer import ParallelTrainer, follow, lead
from gansearch.gan.updates.losses import LOSSES
from tests.gan.conditional import Clusters
from tests.gan.conditional import Endless as EndlessClusters

pytestmark = pytest.mark.slow

BUDGET = {"updates": 200, "batch_size": 16}
SEED = 3


class Plain(Task):
    latent_dim = 4

    def real(self):
        return torch.randn(200, 3, generator=torch.Generator().manual_seed(5))

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

    def discriminator(self):
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))

    def quality(self, real, fake):
        return {"distance": (real.double().mean(0) - fake.double().mean(0)).norm()}


class Normed(Plain):
    """Batch norm in both networks, in D so that its scores of a sample depend on the whole batch."""

    def generator(self):
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))

    def discriminator(self):
        momentary = nn.BatchNorm1d(8, momentum=None, affine=False)
        return nn.Sequential(nn.Linear(3, 8), momentary, nn.Tanh(), nn.Linear(8, 1))


class Endless(Plain):
    def real_batch(self, n, generator):
        return torch.randn(n, 3, generator=generator)


class Short(Plain):
    def real_batch(self, n, generator):
        return torch.randn(min(n, 15), 3, generator=generator)

    def held_out(self):
        return torch.randn(100, 3)


class Broken(Plain):
    """Raises in the other process, before the training or within it."""

    def __init__(self, at=None):
        self.at = at

    def real(self):
        self._raise("data")
        return super().real()

    def discriminator(self):
        network = super().discriminator()
        network.register_forward_pre_hook(lambda *given: self._raise("update"))
        return network

    def _raise(self, at):
        if at == self.at:
            raise RuntimeError("no such luck")


def double(double=True):
    """Data, latents and networks in double precision: a GAN's training lets any rounding grow, in one process too."""
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    data._samples = lambda given, source: SAMPLES(given, source).to(torch.get_default_dtype())


SAMPLES = data._samples


def other_process(meetings, ends):
    """What the second process does: takes part in one meeting after the other, and says how each of them ended."""
    torch.set_num_threads(1)
    followers = []
    ParallelTrainer.follow = lambda self, follow=ParallelTrainer.follow: (followers.append(self), follow(self))
    while given := meetings.get():
        meeting, task, training, precise = given
        double(precise)
        try:
            follow(meeting, 1, task, training, SEED, "cpu")
            ends.put({k: v.numpy() for k, v in weights(followers[-1]).items()})
        except Exception as error:  # noqa: BLE001 (told to the first one)
            ends.put(repr(error))


def weights(trainer):
    networks = {"d": trainer.discriminator, "g": trainer.generator}
    return {f"{name} {k}": v for name, network in networks.items() for k, v in network.state_dict().items()}


@pytest.fixture(scope="module")
def two():
    """Begins a run of two processes; after it `two.ended` is what the other one came to: weights, or what it raised."""
    context = get_context("spawn")
    meetings, ends = context.Queue(), context.Queue()
    process = context.Process(target=other_process, args=(meetings, ends), daemon=True)
    process.start()

    @contextmanager
    def begin(task, training, others=None, precise=True, **options):
        double(precise)
        begin.ended = None
        try:
            meeting, store = Meeting.call("127.0.0.1", 2)
            meetings.put((meeting, others or task, training, precise))
            with lead(meeting, store, task, training, SEED, "cpu", **options) as trainer:
                yield trainer
        finally:
            torch.set_default_dtype(torch.float32)
            data._samples = SAMPLES
            begin.ended = ends.get(timeout=60)

    begin.has_ended = lambda: not ends.empty()
    yield begin
    meetings.put(None)
    process.join(60)
    assert process.exitcode == 0


def losses(trainer):
    """Of every update of a run."""
    steps = []
    step = trainer.step
    trainer.step = lambda: steps.append(step()) or steps[-1]
    for _ in trainer.run():
        pass
    return torch.stack(steps)


def agree(one, other, rtol):
    return one.keys() == other.keys() and all(
        torch.allclose(value.double(), torch.as_tensor(other[name]).double(), rtol=rtol, atol=rtol)
        for name, value in one.items()
    )


CASES = [
    *((Plain, {"loss": loss}) for loss in LOSSES),
    *((Plain, {"loss": loss, "r1_gamma": 1.0, "gp": 0.0}) for loss in LOSSES),
    (Plain, {"batch_size": 15, "r2_gamma": 0.5, "optimizer": "sgd", "lr": 0.05}),
    (Plain, {"balance": "held", "instance_noise": 0.1, "ema": 0.9}),
    (Plain, {"balance": "gap_aware", "batch_size": 15, "pretrain_steps": 5, "lr_decay": 0.5}),
    (Plain, {"simultaneous": True, "spectral_norm": True, "label_smoothing": 0.1}),
    (Plain, {"balance": "held", "accumulate": 2, "clip_grad": 0.2, "batch_size": 15}),
    (Plain, {"loss": "wgan", "weight_clip": 0.1, "optimizer": "rmsprop", "accumulate": 3, "lr": 1e-3}),
    (Plain, {"r1_gamma": 1.0, "r1_every": 4, "optimizer": "adamw"}),
    (Plain, {"batch_size": 15, "batch_ratio": 2.5, "balance": "gap_aware", "loss": "relativistic"}),
    (Plain, {"schedule": [{"after": 50, "r1_gamma": 1.0, "beta2": 0.9, "ema": 0.9}]}),
    (Normed, {"sync_batch_norm": True, "r1_gamma": 1.0}),
    (Normed, {"sync_batch_norm": True, "batch_size": 15, "loss": "relativistic", "ema": 0.9}),
]


@pytest.mark.parametrize(
    ("task", "training"), CASES, ids=[f"{task.__name__}-{'-'.join(map(str, t.values()))}" for task, t in CASES]
)
def test_half_of_the_batch_each_gives_the_losses_of_the_whole_batch(two, task, training):
    training = Training(**{**BUDGET, **training})
    with two(task(), training) as trainer:
        alone = losses(Trainer(task(), training, SEED))
        shared = losses(trainer)
        assert alone.dtype == torch.float64
        assert trainer.updates == 200
        assert torch.allclose(shared, alone, rtol=1e-8, atol=1e-10)
    assert agree(weights(trainer), two.ended, rtol=0)


@pytest.mark.parametrize(
    ("task", "training"),
    [
        (Plain, {"r1_gamma": 1.0}),
        (Endless, {"loss": "wgan"}),
    ],
)
def test_half_of_the_batch_each_agrees_in_single_precision(two, task, training):
    training = Training(**BUDGET, **training)
    with two(task(), training, precise=False) as trainer:
        assert torch.allclose(losses(trainer), losses(Trainer(task(), training, SEED)), rtol=1e-4)


@pytest.mark.parametrize("task", [Clusters, EndlessClusters], ids=["with an end", "endless"])
@pytest.mark.parametrize("training", [{"loss": "relativistic"}, {"gp": 0.1, "accumulate": 2}], ids=str)
def test_a_sample_keeps_its_condition_in_both_halves(two, task, training):
    training = Training(updates=20, batch_size=15, **training)
    with two(task(), training, precise=False) as trainer:
        assert torch.allclose(losses(trainer), losses(Trainer(task(), training, SEED)), rtol=1e-4)


def test_running_statistics_are_the_whole_batchs(two):
    training = Training(**BUDGET, sync_batch_norm=True)
    with two(Normed(), training) as trainer:
        alone = Trainer(Normed(), training, SEED)
        for run in trainer.run(), alone.run():
            list(run)
        assert agree(weights(alone), weights(trainer), rtol=1e-8)


def test_batch_norm_is_over_each_part_by_default(two):
    training = Training(**BUDGET)
    with two(Normed(), training) as trainer:
        alone = losses(Trainer(Normed(), training, SEED))
        shared = losses(trainer)
        assert not torch.allclose(shared, alone, rtol=1e-2)
    assert agree(weights(trainer), two.ended, rtol=0)  # buffers too: they are rank 0's


def test_what_is_resumed_equals_what_is_unbroken(two):
    training = Training(**BUDGET, balance="held", ema=0.9, lr_decay=0.5)
    with two(Plain(), training) as trainer:
        whole = list(trainer.run())
    unbroken = two.ended
    with two(Plain(), training) as trainer:
        seen = [probe for _, probe in zip(range(20), trainer.run(), strict=False)]
        file = io.BytesIO()
        torch.save(trainer.state(), file)
        file.seek(0)
    assert "Parted" in two.ended
    with two(Plain(), training) as trainer:
        trainer.load_state(torch.load(file, weights_only=True))
        assert repr(seen + list(trainer.run())) == repr(whole)
    assert all((unbroken[name] == two.ended[name]).all() for name in unbroken)


def test_the_first_process_ends_a_run_for_all(two):
    with two(Plain(), Training(**BUDGET), precise=False) as trainer:
        for probe in trainer.run():
            if probe.update > 60:
                trainer.stopped = "a test wants it"
        assert trainer.updates < 100
        assert trainer.result().status == "pruned"
    assert agree(weights(trainer), two.ended, rtol=0)


def test_what_the_other_process_raises_ends_the_run(two):
    with pytest.raises(Parted), two(Broken(), Training(**BUDGET), others=Broken("update")) as trainer:
        list(trainer.run())
    assert "no such luck" in two.ended


def test_one_that_ended_before_it_was_ready_is_found_by_the_check(two):
    def check():
        if two.has_ended():
            raise Parted("it has ended")

    with pytest.raises(Parted, match="it has ended"), two(Broken(), Training(**BUDGET), Broken("data"), check=check):
        pass
    assert "no such luck" in two.ended


def test_a_batch_that_is_not_whole_is_refused(two):
    with (
        pytest.raises(TaskError, match=r"real_batch\(16, generator\) gave 15 samples"),
        two(Short(), Training(**BUDGET)) as trainer,
    ):
        list(trainer.run())
