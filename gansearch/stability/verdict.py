"""The verdicts: what became of the balance, in one word."""

from __future__ import annotations

from collections.abc import Iterable

VERDICTS = (
    "diverged",
    "collapsed",
    "discriminator_saturated",
    "generator_dominates",
    "uninformative",
    "oscillating",
    "balanced",
)
"""Worst first."""


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts."""
    return min(verdicts, key=VERDICTS.index)
