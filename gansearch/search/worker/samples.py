"""The few samples that are kept for people to look at, and how their task displays them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gansearch.experiment import Experiment
from gansearch.gan.data import held_out_of, inputs_of
from gansearch.gan.moments import Moments
from gansearch.gan.sample_display import MOST_SAMPLES, display_of, displayed, undone
from gansearch.search.worker.seed import task_of


def few(experiment: Experiment, samples: np.ndarray) -> np.ndarray | None:
    """Return the first of (N, ...) samples in data units, at most 64 and 1 MB; None where one alone is larger."""
    count = displayed(samples)
    return np.ascontiguousarray(undone(task_of(experiment), samples[:count])) if count else None


def to_show(experiment: Experiment, samples: np.ndarray | None) -> dict[str, Any]:
    """Return {"shown", "real", "real_shown", "inputs"} for the Ending of a trial, with as many reals as samples."""
    if samples is None:
        return {}
    try:
        task = task_of(experiment)
        held_out = held_out_of(task)
        real = None if held_out is None else few(experiment, held_out[:MOST_SAMPLES].cpu().numpy())
        given = inputs_of(task)
        inputs = None if given is None or real is None else given[: len(real)].float().cpu().numpy()
    except Exception:  # noqa: BLE001 (the trial has ended well; a picture is not worth its record)
        return {}
    real_shown = {} if real is None else display_of(task, real)
    return {"shown": display_of(task, samples), "real": real, "real_shown": real_shown, "inputs": inputs}


def over_time(experiment: Experiment, moments: Moments | None) -> dict[str, Any]:
    """Return the samples of several moments for the Ending of a trial; {} where there are none."""
    try:
        return moments.kept(task_of(experiment)) if moments else {}
    except Exception:  # noqa: BLE001 (as above)
        return {}
