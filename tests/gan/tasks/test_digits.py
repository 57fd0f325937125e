import torch

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
