"""The split of a task's samples: those that are held out, and those that are trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from gansearch.gan.readers.files import LEAST
from gansearch.gan.task import TaskError

HELD_OUT_SHARE = 0.2
HELD_OUT_MOST = 5_000
COPIES = ("together", "anywhere")
"""What a task's option `copies` may be."""


def split(count: int, most: int = HELD_OUT_MOST, groups: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Returns the numbers of the samples that are held out, and of the others.

    A fixed permutation holds out a fifth, at most `HELD_OUT_MOST` and `most`. With `groups`, (N,) whole numbers, those
    of one number stay together: the permutation's groups are held out one by one where they fit. Where less than half
    of what is wanted would be held out so, they are split like all others. Raises TaskError where there are too few.
    """
    if count < LEAST:
        raise TaskError(f"real() returns {count} samples, a fifth of which is held out; at least {LEAST} are needed")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    wanted = min(int(HELD_OUT_SHARE * count), HELD_OUT_MOST, most)
    is_held_out = torch.arange(count) < wanted
    if groups is not None:
        together = _whole_groups(groups[order], wanted)
        is_held_out = together if 2 * int(together.sum()) >= wanted else is_held_out
    return order[is_held_out], order[~is_held_out]


def told(groups: Tensor | None, what: str) -> list[str]:
    """Returns a warning that counts the samples that are copies of others, where there are `groups` of these.

    `what` is their noun.
    """
    if groups is None or len(groups) < LEAST:
        return []
    copies = len(groups) - len(groups.unique())
    held_out, others = (set(groups[rows].tolist()) for rows in split(len(groups), groups=groups))
    kept = "too few differ to keep" if held_out & others else "the held-out split keeps"
    return [f"{copies:,} of {len(groups):,} {what} are copies of others; {kept} them on one side"]


def _whole_groups(groups: Tensor, wanted: int) -> Tensor:
    """(N,) whether a sample is in one of the groups that fit, in the order of their first samples, into `wanted`."""
    _, numbers, sizes = groups.unique(return_inverse=True, return_counts=True)
    chosen = torch.zeros(len(sizes), dtype=torch.bool)
    left = wanted
    for number in dict.fromkeys(numbers.tolist()):
        if left == 0:
            break
        if sizes[number] <= left:
            chosen[number] = True
            left -= int(sizes[number])
    return chosen[numbers]
