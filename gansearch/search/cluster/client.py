"""Ray Client (ray://): Tune would move itself to the cluster's head, away from the study and the results folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray import tune
from ray.train._internal import storage
from ray.tune.impl.tuner_internal import TunerInternal


def make_tuner(trainable: Any, **settings: Any) -> Any:
    """A Tuner that runs in this process, through Ray Client too; only `fit` is used of it."""
    if ray.util.client.ray.is_connected():
        return TunerInternal(trainable=trainable, _tuner_kwargs={"_remote": False}, **settings)
    return tune.Tuner(trainable, **settings)


@contextmanager
def staging() -> Iterator[None]:
    """A place for what Tune's driver keeps beside its results: Ray has one on nodes alone, where no client is."""
    if not ray.util.client.ray.is_connected():
        yield
        return
    original = storage._get_ray_train_session_dir
    with tempfile.TemporaryDirectory(prefix="gansearch-") as folder:
        storage._get_ray_train_session_dir = lambda: folder
        try:
            yield
        finally:
            storage._get_ray_train_session_dir = original
