import pytest
import torch

from gansearch.experiment import Training
from gansearch.gan import Task, TaskError, Trainer, check_task
from gansearch.gan.conditions import classes_in, ordered_for_display, quality_of
from gansearch.gan.data import data_of
from tests.gan.conditional import Clusters, Endless, Generator, Projection

CPU = torch.device("cpu")


def altered(base=Clusters, **methods):
    return type("Altered", (base,), methods)()


class Odd(Task):
    labels = Clusters.labels


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        (
            altered(labels=lambda self: self.classes[:400]),
            "one condition for each of the 500 samples of real.., not 400",
        ),
        (
            altered(labels=lambda self: torch.tensor(3)),
            "one condition for each of the 500 samples of real.., not a single",
        ),
        (altered(labels=lambda self: ["cat", "dog"] * 250), "not list; names become numbers by numpy.unique"),
        (altered(labels=lambda self: self.classes - 1), r"labels\(\) has the class -1; classes are numbered from 0"),
        (altered(labels=lambda self: torch.full((500,), float("nan"))), r"labels\(\) has NaN"),
        (altered(held_out=lambda self: self.points[:60]), r"held_out\(\) must return \(samples, labels\)"),
        (altered(labels=lambda self: None, held_out=lambda self: (self.points, self.classes)), r"held_out\(\) must"),
        (altered(Endless, labels=lambda self: self.classes), r"labels\(\) goes with real\(\)"),
        (altered(Endless, real_batch=lambda self, n, draws: (1, 2, 3)), r"or \(samples, labels\), not 3 parts"),
        (
            altered(Endless, real_batch=lambda self, n, draws: (torch.randn(n, 2), torch.zeros(3))),
            r"returns 2,000 samples and conditions of shape \(3,\)",
        ),
        (altered(labels=lambda self: self.classes + 1), "the generator cannot take.*beside conditions y of shape"),
        (altered(labels=lambda self: None), r"the generator also needs y, but gansearch calls generator\(z\) alone"),
        (
            altered(generator=lambda self: torch.nn.Linear(4, 2)),
            r"the generator takes no conditions, but with labels\(\) gansearch calls generator\(z, y\)",
        ),
        (
            altered(discriminator=lambda self: torch.nn.Linear(2, 1)),
            r"the discriminator takes no conditions, but with labels\(\) gansearch calls discriminator\(samples, y\)",
        ),
        (
            altered(labels=lambda self: None, generator=lambda self: torch.nn.Linear(4, 2)),
            r"the discriminator also needs y, but gansearch calls discriminator\(samples\) alone",
        ),
    ],
)
def test_conditions_that_do_not_fit_are_told_in_one_sentence(task, problem):
    with pytest.raises(TaskError, match=problem):
        check_task(task)


@pytest.mark.parametrize(
    "given",
    [
        lambda self: self.classes.int(),
        lambda self: self.classes.numpy(),
        lambda self: self.classes.tolist(),
        lambda self: self.classes.to(torch.uint8),
    ],
)
def test_classes_are_whole_numbers_of_any_kind(given):
    task = altered(labels=given)
    check_task(task)
    (labels,) = data_of(task, CPU).conditions
    assert labels.dtype == torch.int64


def test_samples_keep_their_conditions_through_the_split():
    data = data_of(Clusters(), CPU)
    centres = torch.tensor([[-2.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    for samples, labels in (data.first(100), data.reals(50, torch.Generator())):
        assert (samples - centres[labels]).norm(dim=1).max() < 1
    assert (data.classes, len(data.real), len(data.labels)) == (3, 400, 400)


def test_an_embedding_that_lacks_the_last_class_is_found_before_training():
    class Narrow(Generator):
        def __init__(self):
            super().__init__()
            self.classes = torch.nn.Embedding(2, 4)

    with pytest.raises(TaskError, match="the generator cannot take"):
        check_task(altered(generator=lambda self: Narrow()))


def test_only_the_first_samples_are_ordered_and_only_by_classes():
    samples, labels = torch.arange(100.0)[:, None], torch.arange(100) % 3
    ordered, classes = ordered_for_display(samples, [labels])
    assert torch.equal(classes[:64], labels[:64].sort().values)
    assert torch.equal(classes[64:], labels[64:])
    assert torch.equal(ordered[:, 0].long() % 3, classes)
    vectors = torch.randn(100, 2)
    assert torch.equal(ordered_for_display(samples, [vectors])[1], vectors)


def test_the_number_of_classes_is_that_of_all_labels():
    assert classes_in(torch.tensor([0, 1]), torch.tensor([4])) == 5
    assert classes_in() == classes_in(torch.zeros(3)) == classes_in(torch.zeros(3, 1, dtype=torch.long)) == 0


def test_a_users_own_quality_has_the_distances_of_classes_beside_it():
    class Own(Clusters):
        def quality(self, real, fake):
            return {"distance": 7.0}

    task = Own()
    found = quality_of(task, task.points, task.points.flip(0), task.classes)
    assert found["distance"] == 7
    assert found["class_distance"] > 0.5
    assert found["worst_class"] in (0, 1, 2)
    assert quality_of(task, task.points, task.points) == {"distance": 7.0}


@pytest.mark.parametrize(
    ("measured", "part"),
    [
        ({"fid": 1.0}, r"must return \{\"distance\": a number, ...\}, not \{'fid': 1.0\}"),
        (0.5, "not 0.5"),
        ({"distance": 1.0, "name": "near"}, "must return numbers, but name is 'near'"),
    ],
)
def test_a_quality_that_is_no_numbers_with_a_distance_is_no_divergence(measured, part):
    class Own(Clusters):
        def quality(self, real, fake):
            return measured

    trainer = Trainer(Own(), Training(updates=40), seed=0)
    with pytest.raises(TaskError, match=rf"Own: quality\(\) .*{part}"):
        list(trainer.run())


def test_discriminators_without_conditions_keep_their_form():
    assert isinstance(Clusters().discriminator(), Projection)
    assert data_of(altered(labels=lambda self: None), CPU).conditions == ()
