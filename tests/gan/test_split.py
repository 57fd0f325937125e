import pytest
import torch

from gansearch.gan import TaskError
from gansearch.gan.split import split, told


def doubled(count, copies):
    """Groups of so many samples, the last `copies` of which are copies of the first ones."""
    return torch.cat([torch.arange(count - copies), torch.arange(copies)])


def test_a_fifth_is_held_out_by_a_fixed_permutation():
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    held_out, others = split(100)
    assert torch.equal(torch.cat([held_out, others]), order)
    assert len(held_out) == 20
    assert [len(part) for part in split(100, most=7)] == [7, 93]
    assert len(split(100_000)[0]) == 5_000
    with pytest.raises(TaskError, match="49 samples"):
        split(49)


@pytest.mark.parametrize("count", [50, 1_000, 60_001])
def test_without_copies_the_split_is_the_same_bit_for_bit(count):
    for found, expected in zip(split(count, groups=torch.arange(count)), split(count), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("groups", [doubled(100, 40), doubled(60, 20), torch.arange(1_000) // 7, doubled(100, 1)])
def test_samples_of_a_group_stay_together(groups):
    held_out, others = split(len(groups), groups=groups)
    assert not set(groups[held_out].tolist()) & set(groups[others].tolist())
    assert len(groups) * 0.2 - 7 < len(held_out) <= len(groups) * 0.2
    assert sorted([*held_out.tolist(), *others.tolist()]) == list(range(len(groups)))


def test_a_group_that_is_too_large_is_trained_on():
    groups = torch.cat([torch.zeros(60, dtype=torch.long), torch.arange(1, 41)])
    held_out, _ = split(100, groups=groups)
    assert len(held_out) == 20
    assert 0 not in groups[held_out]


def test_where_too_few_differ_they_are_split_like_others():
    groups = torch.arange(60) // 30
    for found, expected in zip(split(60, groups=groups), split(60), strict=True):
        assert torch.equal(found, expected)
    assert told(groups, "pictures") == [
        "58 of 60 pictures are copies of others; too few differ to keep them on one side"
    ]


def test_copies_are_counted():
    assert told(None, "pictures") == []
    assert told(doubled(60, 20), "pieces") == [
        "20 of 60 pieces are copies of others; the held-out split keeps them on one side"
    ]
