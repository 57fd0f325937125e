"""Finds samples that are there twice: the same file under two names, or saved again without loss."""

from __future__ import annotations

import hashlib

import numpy as np


def copies_of(samples: np.ndarray) -> dict[int, int]:
    """Returns the number of each of (N, ...) samples that is a copy of an earlier one, with the first one's number."""
    first: dict[bytes, int] = {}
    copies = {}
    for number, sample in enumerate(samples):
        digest = hashlib.blake2b(sample.tobytes(), digest_size=16).digest()
        found = first.setdefault(digest, number)
        if found != number:
            copies[number] = found
    return copies


def linked(samples: np.ndarray) -> dict[int, int]:
    """Returns the number of each of (N, parts, ...) samples that has a part of an earlier one, with the first one's.

    Two samples belong together too where a third one has a part of each. Parts are compared in their own place.
    """
    first: dict[tuple[int, bytes], int] = {}
    group = list(range(len(samples)))

    def root(number: int) -> int:
        while group[number] != number:
            group[number] = group[group[number]]  # shortens the way of the next one
            number = group[number]
        return number

    for number, parts in enumerate(samples):
        for place, part in enumerate(parts):
            digest = hashlib.blake2b(part.tobytes(), digest_size=16).digest()
            low, high = sorted((root(first.setdefault((place, digest), number)), root(number)))
            group[high] = low
    return {number: root(number) for number in range(len(samples)) if root(number) != number}


def groups_of(count: int, copies: dict[int, int]) -> np.ndarray | None:
    """Returns (count,) numbers, the same for a sample and its copies; None where there are no copies."""
    if not copies:
        return None
    groups = np.arange(count)
    groups[list(copies)] = list(copies.values())
    return groups
