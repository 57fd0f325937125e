import pytest
import torch

from gansearch.gan import check_task, load_task
from gansearch.gan.task import TaskError
from gansearch.gan.tasks.digits import Digits, classifier, load


def test_the_classifier_names_held_out_digits():
    images, labels = load()
    with torch.no_grad():
        right = classifier()(images[::5]).argmax(1) == labels[::5]
    assert right.float().mean() > 0.97


def test_networks_are_those_of_the_contract():
    task = Digits()
    fake = task.generator()(torch.randn(3, 32))
    assert fake.shape == (3, 1, 8, 8)
    assert task.discriminator()(fake).shape == (3, 1)
    assert [p.shape for p in task.discriminator().parameters() if p.dim() > 1] == [
        (32, 1, 4, 4),
        (64, 32, 4, 4),
        (1, 256),
    ]


def test_quality_finds_missing_digits():
    images, labels = load()
    task = Digits()
    same, zeros = task.quality(images[::2], images[1::2]), task.quality(images[::2], images[1::2][labels[1::2] == 0])
    assert zeros["distance"] > 10 * same["distance"]
    assert zeros["label_kl"] > 2 > 0.1 > same["label_kl"]
    assert same["coverage"] > 0.8


def test_digits_that_are_asked_for_are_named():
    task = load_task("digits", {"condition": True})
    check_task(task)
    images, labels = load()
    assert torch.equal(task.labels(), labels)
    right = task.conditional_quality(images[::2], images[::2], labels[::2])
    wrong = task.conditional_quality(images[::2], images[::2], (labels[::2] + 1) % 10)
    ignored = task.conditional_quality(images[::2], images[::2].flip(0), labels[::2])
    assert (right["accuracy"] > 0.97, wrong["accuracy"] < 0.03) == (True, True)
    assert right["distance"] < 1 < ignored["distance"]
    assert ignored["coverage"] == right["coverage"]


def test_digits_without_a_condition_are_as_they_were():
    assert load_task("digits").labels() is None
    assert len(list(load_task("digits").discriminator().parameters())) == 6


def test_distances_without_bias_are_options():
    images, labels = load()
    for distance, estimate in (("kid", "kid"), ("frechet", "frechet_infinity")):
        task = Digits(distance=distance)
        same = task.quality(images[:360], images[360:720])
        zeros = task.quality(images[:360], images[labels == 0][:140])
        assert zeros["distance"] > 10 * same["distance"] > 0
        assert abs(same[estimate]) < 4 * same[f"{estimate}_error"]
    with pytest.raises(TaskError, match="distance: 'fid' is not one of plain_frechet, frechet, kid"):
        Digits(distance="fid")
