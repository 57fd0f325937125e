import pytest
import torch

from gansearch.stability.classes import LEAST, by_class


def test_each_class_is_measured_by_itself():
    draws = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    centres = 5.0 * labels[:, None]
    real = centres + torch.randn(300, 2, generator=draws)
    fake = centres + torch.randn(300, 2, generator=draws)
    fake[labels == 1] = real[1]  # one point
    fake[labels == 2] -= 10  # the place of class 0
    right, point, elsewhere = by_class(real, fake, labels, labels)
    assert (right.label, right.count) == (0, 100)
    assert right.apart < 0.2 < 0.9 < elsewhere.apart
    assert right.diversity == pytest.approx(1, abs=0.15)
    assert point.diversity == pytest.approx(0, abs=0.01)
    assert elsewhere.diversity == pytest.approx(1, abs=0.15)


def test_classes_with_too_few_samples_are_left_out():
    labels = torch.tensor([0] * LEAST + [1] * (LEAST - 1))
    samples = torch.randn(len(labels), 2)
    assert [one.label for one in by_class(samples, samples, labels, labels)] == [0]
    assert by_class(samples, samples, labels, labels.flip(0) * 0 + 1) == []
