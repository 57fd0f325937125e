"""Ray Tune without its count of callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ray.air._internal import usage


@contextmanager
def uncounted() -> Iterator[None]:
    """Ray counts which of its trackers a sweep has, and imports each that is installed for it: MLflow alone takes
    about a second, and writes down for its makers that it was used."""
    original = usage.tag_callbacks
    usage.tag_callbacks = lambda callbacks: False
    try:
        yield
    finally:
        usage.tag_callbacks = original
