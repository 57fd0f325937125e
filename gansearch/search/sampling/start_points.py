"""Configurations that are tried before those of the sampler: published ones, and the user's current settings."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import optuna

from gansearch.experiment import Experiment, ExperimentError, LoopTraining, Start
from gansearch.search.sampling.space import SearchSpace

PUBLISHED: dict[str, dict[str, Any]] = {
    # Radford, Metz, Chintala 2016, arXiv 1511.06434, section 4.
    "dcgan": {"loss": "non_saturating", "lr_d": 2e-4, "lr_g": 2e-4, "betas": [0.5, 0.999], "update_ratio": 1.0},
    # Heusel et al. 2017, arXiv 1706.08500: DCGAN on CelebA with two time-scales.
    "ttur": {"loss": "non_saturating", "lr_d": 1e-5, "lr_g": 5e-4, "betas": [0.5, 0.999], "update_ratio": 1.0},
    # Brock, Donahue, Simonyan 2019, arXiv 1809.11096, with the rates of Zhang et al. 2019, arXiv 1805.08318.
    "biggan": {"loss": "hinge", "lr_d": 4e-4, "lr_g": 1e-4, "betas": [0.0, 0.999], "update_ratio": 2.0},
    # Huang et al. 2024, arXiv 2501.05441: its code's settings for FFHQ at 64 pixels, as they begin.
    "r3gan": {
        "loss": "relativistic",
        **{"lr_d": 2e-4, "lr_g": 2e-4, "betas": [0.0, 0.9], "update_ratio": 1.0},
        **{"r1_gamma": 2.0, "r2_gamma": 2.0},
    },
}
"""Fields of training, by the names of `start_from`. None of them pretrains."""
_TOGETHER = ({"lr", "lr_ratio", "lr_d", "lr_g"}, {"betas", "beta1", "beta2"})
"""Fields that belong together: a point that gives one of them gives all."""


def start_points(space: SearchSpace, done: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Return Optuna's parameters of each entry of `start_from` by its label, but for those labels that are done.

    Raises ExperimentError where a value that an entry gives is outside the searched range, or its file cannot be read.
    """
    experiment = space.experiment
    points: dict[str, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    for i, point in enumerate(experiment.start_from):
        label = point if isinstance(point, str) else json.dumps(point, sort_keys=True)
        if label in done:
            continue
        fields = fields_of(point)
        inside, outside = space.encode(experiment.training.with_params(fields))
        together = () if experiment.is_loop else _TOGETHER
        given = fields.keys() | set().union(*(names for names in together if names & fields.keys()))
        wrong = {name: why for name, why in outside.items() if name in given}
        called = Path(label).name if isinstance(point, str) else "the point"
        for name, why in wrong.items():
            errors[f"start_from[{i}].{name}"] = f"{why} (search.{name}); widen that, or leave {called} out"
        points[label] = inside
    if errors:
        raise ExperimentError("experiment", errors)
    return points


def enqueue(study: optuna.Study, space: SearchSpace) -> None:
    """Have the study ask the points of `start_from` first, each once, however often a sweep is resumed."""
    trials = study.get_trials(deepcopy=False)
    attributes = [trial.user_attrs for trial in trials if "left_out" not in trial.user_attrs]
    done = {known["start_from"] for known in attributes if "start_from" in known}
    default = default_point(space)
    if default is not None and all("warm_start" in known for known in attributes):
        study.enqueue_trial(default, {"source": "default"})
    for label, params in start_points(space, done).items():
        if params != default:
            study.enqueue_trial(params, {"start_from": label, "source": "start_from"})


def default_point(space: SearchSpace) -> dict[str, Any] | None:
    """Return Optuna's parameters of the default settings; None where the space does not hold them.

    They are the first trial of a sweep that is compared with them (`confirm.default`).
    """
    experiment = space.experiment
    if not experiment.confirms_default or experiment.is_population:
        return None
    chosen, why = space.fit(experiment.training)
    return None if why else chosen


def fields_of(point: Start) -> Mapping[str, Any]:
    """Return the fields of training that an entry gives."""
    if not isinstance(point, str):
        return point
    if point in PUBLISHED:
        return {"pretrain_steps": 0, **PUBLISHED[point]}
    training = Experiment.load(point).training
    if isinstance(training, LoopTraining):
        return {name: value for name, value in training.params.items() if value is not None}
    return {name: value for name in training.model_fields_set if (value := getattr(training, name)) is not None}
