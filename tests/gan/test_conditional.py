"""A GAN with conditions: what is trained, against a loop by hand, and what probes and measurements see of it."""

import io

import pytest
import torch
from torch.nn import functional as F

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, check_task
from gansearch.gan.data import data_of
from gansearch.gan.stacked import Stacked, refusal
from gansearch.gan.updates.losses import gradient_penalty
from tests.gan.conditional import Clusters, Endless
from tests.gan.networks import finish
from tests.gan.reference import Reference

CPU = torch.device("cpu")
FAST = {"updates": 40, "batch_size": 16}


class ByHand(Reference):
    """The textbook's loop with conditions: a fake has its real's; G's are drawn as the data's."""

    auxiliary = 0.0

    def __init__(self, task, **options):
        super().__init__(task, **options)
        self.labels = data_of(task, CPU).labels

    def pairs(self):
        picks = torch.randint(len(self.data), (self.batch,), generator=self.draws)
        return self.data[picks], self.labels[picks]

    def fake_of(self, y):
        return self.g(torch.randn(self.batch, self.task.latent_dim, generator=self.draws), y)

    def judged(self, x, y):
        if not self.auxiliary:
            return self.d(x, y), 0.0
        scores, logits = self.d(x, y)
        return scores, self.auxiliary * F.cross_entropy(logits, y)

    def update_d(self):
        self.optimizer_d.zero_grad()
        real, y = self.pairs()
        fake = self.fake_of(y).detach()
        (r, of_real), (f, of_fake) = self.judged(real, y), self.judged(fake, y)
        loss = F.softplus(-r).mean() + F.softplus(f).mean() + of_real + of_fake + self.penalty(real, fake, y)
        loss.backward()
        self.optimizer_d.step()
        return loss.item()

    def penalty(self, real, fake, y):
        return 0.0

    def update_g(self):
        self.optimizer_g.zero_grad()
        _, y = self.pairs()
        scores, named = self.judged(self.fake_of(y), y)
        loss = F.softplus(-scores).mean() + named
        loss.backward()
        self.optimizer_g.step()
        return loss.item()


class Penalised(ByHand):
    def penalty(self, real, fake, y):
        mix = torch.rand(self.batch, generator=self.draws)
        return gradient_penalty(lambda x: self.d(x, y).flatten(), real, fake, mix)


class Auxiliary(ByHand):
    auxiliary = 0.5


@pytest.mark.parametrize(
    ("by_hand", "task", "training"),
    [
        (ByHand, Clusters(), {}),
        (Penalised, Clusters(), {"gp": 1.0}),
        (Auxiliary, Clusters(heads=True), {"auxiliary": 0.5}),
    ],
    ids=["projection", "gradient penalty", "auxiliary classifier"],
)
def test_the_updates_are_those_of_a_loop_by_hand(by_hand, task, training):
    trainer = Trainer(task, Training(**FAST, **training), seed=0)
    ours = [float(trainer.step()) for _ in range(20)]
    assert ours == pytest.approx(by_hand(task).losses(20), rel=1e-5)


def test_the_projection_has_the_gradient_of_its_formula():
    trainer = Trainer(Clusters(), Training(**FAST), seed=0)
    d, (x, y) = trainer.discriminator.network, trainer.data.first(8)
    features = d.phi(x).detach()
    trainer.discriminator(x, y).sum().backward()
    expected = torch.stack([features[y == label].sum(0) for label in range(3)])
    assert torch.allclose(
        d.classes.weight.grad, expected
    )  # of psi(phi) + <V y, phi> by V: the sum of phi, class by class


@pytest.mark.parametrize("kind", [Clusters, Endless])
def test_relativistic_pairs_have_one_condition(kind, monkeypatch):
    trainer, calls = Trainer(kind(), Training(**FAST, loss="relativistic"), seed=0), []
    real_of = Trainer._scores

    def spied(self, forward, samples, *conditions):
        calls.append(conditions)
        return real_of(self, forward, samples, *conditions)

    monkeypatch.setattr(Trainer, "_scores", spied)
    trainer.update_generator()
    (of_fake,), (of_real,) = calls
    assert torch.equal(of_fake, of_real)


@pytest.mark.parametrize("kind", [Clusters, Endless])
def test_conditions_of_fakes_are_distributed_as_the_datas(kind):
    trainer = Trainer(kind(), Training(**FAST), seed=0)
    drawn = torch.cat([trainer._conditions(500)[0] for _ in range(8)])
    assert torch.bincount(drawn) / len(drawn) == pytest.approx(torch.tensor([0.4, 0.4, 0.2]), abs=0.06)


@pytest.mark.parametrize(
    "options", [{"loss": "relativistic", "ema": 0.9, "pretrain_steps": 5}, {"accumulate": 2, "top_k": 0.5}]
)
@pytest.mark.parametrize("kind", [Clusters, Endless])
def test_a_resumed_run_equals_an_unbroken_one(kind, options):
    training = Training(**FAST, **options)
    probes, unbroken = finish(Trainer(kind(), training, seed=1))
    first = Trainer(kind(), training, seed=1)
    seen = [probe for _, probe in zip(range(17), first.run(), strict=False)]
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second = Trainer(kind(), training, seed=1)
    second.load_state(torch.load(file, weights_only=True))
    rest, resumed = finish(second)
    assert [repr(p) for p in seen + rest] == [repr(p) for p in probes]
    assert (resumed.samples == unbroken.samples).all()
    assert resumed.quality == unbroken.quality


@pytest.mark.parametrize(
    ("task", "training"),
    [
        (Clusters(), {"loss": "relativistic", "gp": 0.1, "top_k": 0.5, "ema": 0.9}),
        (Clusters(heads=True), {"auxiliary": 1.0, "r1_gamma": 0.1}),
        (Endless(), {"pretrain_steps": 3, "accumulate": 2}),
    ],
    ids=["projection", "auxiliary classifier", "endless"],
)
def test_seeds_at_once_compute_what_they_compute_alone(task, training):
    alone, together = ([Trainer(task, Training(**FAST, **training), seed) for seed in (3, 4)] for _ in range(2))
    assert refusal(together) == ""
    stacked = Stacked(together)
    for _ in range(12):
        stacked.step()
        for trainer in alone:
            trainer.step()
    stacked.hand_over()
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one.generator.parameters(), other.generator.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-3, atol=1e-5)


def test_fakes_of_measurements_have_the_conditions_of_the_held_out_reals():
    trainer = Trainer(Clusters(), Training(**FAST), seed=0)
    labels = trainer.conditions(250)
    (held_out,) = trainer.data.conditions
    assert torch.equal(labels, held_out.repeat(3)[:250])
    trainer.generator.forward = lambda z, y: y.float()[:, None].expand(-1, 2)
    assert torch.equal(trainer.samples(250)[:, 0].long(), labels)


def test_what_a_report_displays_is_ordered_by_class_on_both_sides():
    trainer = Trainer(Clusters(), Training(**FAST), seed=0)
    first = trainer.conditions(64)
    assert torch.equal(first, first.sort().values)
    assert torch.equal(first, trainer.data.conditions[0][:64])
    distance = trainer.data.held_out - torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])[trainer.conditions(100)]
    assert distance.norm(dim=1).max() < 1  # the samples went with their classes


def test_a_generator_that_ignores_its_conditions_is_noticed_by_the_distances_of_classes():
    class Perfect(Clusters):
        """A generator that knows the data; `sees` says whether it gives them for the class that it is asked for."""

        def generator(self):
            network = super().generator()
            points, classes = self.points, self.classes

            def forward(z, y):
                own = y if self.sees else y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
                rows = torch.stack([(classes == label).nonzero()[index % 50, 0] for index, label in enumerate(own)])
                return points[rows] + 0 * network.classes(y).sum(1, keepdim=True)

            network.forward = forward
            return network

    right, ignoring = (Trainer(Perfect(sees=sees), Training(**FAST)) for sees in (True, False))
    for trainer in (right, ignoring):
        trainer._measure()
    assert right.quality["class_distance"] < 0.25 < 0.5 < ignoring.quality["class_distance"]
    assert right.quality["worst_class_distance"] >= right.quality["class_distance"]
    assert ignoring.quality["distance"] > 3 * right.quality["distance"]


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        (Clusters(), r"discriminator\(\) must give \(scores, logits\), with \(B, 3\) logits of the 3 classes"),
        (type("Told", (Clusters,), {"discriminator": lambda self: Told()})(), "depend on y, which D is told"),
        (type("Vectors", (Clusters,), {"labels": lambda self: self.points})(), "is for classes"),
    ],
    ids=["no logits", "told", "vectors"],
)
def test_a_classifier_that_cannot_be_is_refused(task, problem):
    with pytest.raises(TaskError, match=f"training.auxiliary: .*{problem}"):
        Trainer(task, Training(**FAST, auxiliary=1.0))


class Told(torch.nn.Module):
    """A D whose classifier reads the class that it should find."""

    def __init__(self):
        super().__init__()
        self.score, self.logits = torch.nn.Linear(2, 1), torch.nn.Embedding(3, 3)

    def forward(self, x, y):
        return self.score(x), self.logits(y)


def test_pictures_may_be_conditions_and_may_be_stored_as_bytes():
    class Darker(Task):
        """Pictures, each half as bright as its condition."""

        latent_dim = 2

        def real(self):
            return self.labels().float() / 510

        def labels(self):
            return torch.randint(256, (60, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

        def unpacked_labels(self, stored):
            return stored.float() / 255

        def generator(self):
            return Join(1)

        def discriminator(self):
            return torch.nn.Sequential(Join(2), torch.nn.Flatten(), torch.nn.Linear(16, 1))

    task = Darker()
    data = data_of(task, CPU)
    picks = torch.tensor([[3, 1], [2, 2]])
    assert torch.allclose(2 * data.at(picks), data.conditions_at(picks)[0])
    assert torch.allclose(2 * data.held_out, data.conditions[0])
    with pytest.raises(
        TaskError, match=r"takes no conditions, but with labels\(\) gansearch calls discriminator\(samples, y"
    ):
        check_task(task)
    task.discriminator = lambda: Join(2, torch.nn.Linear(16, 1))
    check_task(task)
    trainer = Trainer(task, Training(**FAST), seed=0)
    _, result = finish(trainer)
    assert result.samples.shape[1:] == (1, 4, 4)
    assert "class_distance" not in result.quality


class Join(torch.nn.Module):
    """The mean of a picture and of what comes first, a latent or a picture."""

    def __init__(self, channels, last=None):
        super().__init__()
        self.first, self.second, self.last = torch.nn.LazyLinear(16), torch.nn.Linear(16, 16), last

    def forward(self, x, y):
        both = self.first(x.flatten(1)) + self.second(y.flatten(1))
        return self.last(both) if self.last else both.view(-1, 1, 4, 4)
