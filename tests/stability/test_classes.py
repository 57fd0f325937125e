import pytest
import torch

from gansearch.stability.classes import LEAST, by_class, within

DRAWS = torch.Generator().manual_seed(0)
LABELS = torch.arange(300) % 3
CENTRES = 5.0 * LABELS[:, None]
REAL = CENTRES + torch.randn(300, 2, generator=DRAWS)


def fakes():
    return CENTRES + torch.randn(300, 2, generator=DRAWS)


def test_each_class_is_measured_by_itself():
    fake = fakes()
    fake[LABELS == 1] = REAL[1]  # one point
    fake[LABELS == 2] -= 10  # the place of class 0
    right, point, elsewhere = by_class(REAL, fake, LABELS, LABELS, ["cat", "dog"])
    assert (right.label, right.name, right.count, elsewhere.name) == (0, "cat", 100, "2")
    assert right.apart < 0.2 < 0.9 < elsewhere.apart
    assert right.diversity == pytest.approx(1, abs=0.15)
    assert (point.diversity, point.distinctness) == pytest.approx((0, 0), abs=0.01)
    assert elsewhere.diversity == pytest.approx(1, abs=0.15)
    assert (right.misses, point.misses, elsewhere.misses) == (False, False, True)
    assert elsewhere.hits == 0
    assert elsewhere.expected > 0.9


def test_a_generator_that_ignores_its_class_misses_all():
    mixed = fakes()[torch.randperm(300, generator=DRAWS)]
    assert all(one.misses for one in by_class(REAL, mixed, LABELS, LABELS))
    assert not any(one.misses for one in by_class(REAL, fakes(), LABELS, LABELS))


def test_classes_that_look_alike_are_not_missed():
    labels = torch.randint(3, (300,), generator=DRAWS)
    samples = torch.randn(2, 300, 2, generator=DRAWS)
    assert not any(one.misses for one in by_class(samples[0], samples[1], labels, labels))


def test_classes_with_too_few_samples_are_left_out():
    labels = torch.tensor([0] * LEAST + [1] * (LEAST - 1))
    samples = torch.randn(len(labels), 2)
    assert [one.label for one in by_class(samples, samples, labels, labels)] == [0]
    assert by_class(samples, samples, labels, torch.ones_like(labels)) == []


def test_the_distance_within_classes_weighs_them_by_their_samples():
    shifted = fakes()
    shifted[LABELS == 2] += 100
    right, _, far = rulings = by_class(REAL, shifted, LABELS, LABELS)
    assert within(rulings) == pytest.approx((far.apart**2 / 3) ** 0.5, abs=0.05)
    assert within([right]) == right.apart
    assert within([]) == 0
