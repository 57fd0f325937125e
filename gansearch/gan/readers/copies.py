"""Finds samples that are there twice: the same file under two names, or saved again without loss."""

from __future__ import annotations

import hashlib

import numpy as np


def copies_of(samples: np.ndarray) -> dict[int, int]:
    """Returns the number of each of (N, ...) samples that is a copy of an earlier one, with the first one's number."""
    return linked(samples[:, None])


def linked(samples: np.ndarray) -> dict[int, int]:
    """Returns the number of each of (N, parts, ...) samples that has a part of an earlier one, with the first one's.

    Two samples belong together too where a third one has a part of each. Parts are compared in their own place.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first: dict[tuple[int, bytes], int] = {}
    links: list[tuple[int, int]] = []
    for number, parts in enumerate(samples):
        for place, part in enumerate(parts):
            digest = hashlib.blake2b(part.tobytes(), digest_size=16).digest()
            earlier = first.setdefault((place, digest), number)
            if earlier != number:
                links.append((number, earlier))
    one, other = np.array(links, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (one, other)), (len(samples), len(samples)))
    groups = connected_components(graph, directed=False)[1]
    firsts = np.unique(groups, return_index=True)[1][groups]
    return {number: int(earliest) for number, earliest in enumerate(firsts) if earliest != number}


def groups_of(count: int, copies: dict[int, int]) -> np.ndarray | None:
    """Returns (count,) numbers, the same for a sample and its copies; None where there are no copies."""
    if not copies:
        return None
    groups = np.arange(count)
    groups[list(copies)] = list(copies.values())
    return groups
