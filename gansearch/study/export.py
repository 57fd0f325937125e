"""Writes a chosen configuration as an experiment file for `gansearch train`, as JSON, or as Python code."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError

from gansearch.experiment import Experiment, LoopTraining, ScriptTask, Trackers, Training, as_searched, load_yaml
from gansearch.experiment.errors import messages
from gansearch.experiment.training import LATER
from gansearch.formatting import without_home
from gansearch.store.folder import StudyError
from gansearch.study.analysis.choose import Choice
from gansearch.study.analysis.neighbourhood import WIDTH

_MENTIONED = (
    "r1_gamma",
    "r2_gamma",
    "gp_lambda",
    "spectral_norm",
    "instance_noise",
    "label_smoothing",
    "ema",
    "lr_decay",
    *(name for name in LATER if name != "weight_decay"),
)
"""Fields that the user's own loop has to implement where they are not 0, or not what they are by default."""
_TEMPLATES = Environment(
    loader=PackageLoader(__package__),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def to_yaml(choice: Choice, experiment: Experiment) -> str:
    """Returns an experiment file that names `lr_d`, `lr_g`, `pretrain_steps`, `update_ratio` in plain numbers."""
    return exported(choice, experiment).to_yaml(_comment(choice, experiment))


def to_json(choice: Choice, experiment: Experiment) -> str:
    """Returns the data of `to_yaml` as JSON. JSON is YAML, so `gansearch train` runs this file as well."""
    return json.dumps(load_yaml(to_yaml(choice, experiment)), indent=2, allow_nan=False) + "\n"


def to_python(choice: Choice, experiment: Experiment) -> str:
    """Returns torch code with the choice's numbers, for a training loop of the user's own."""
    training = training_of(choice, experiment)
    comment = "".join(f"# {line}\n" for line in _comment(choice, experiment).splitlines())
    if isinstance(training, LoopTraining):
        return _TEMPLATES.get_template("own_loop.py.jinja").render(comment=comment, training=training)
    held, adam = training.balance == "held", training.optimizer in ("adam", "adamw")
    lr_d, lr_g = training.rates
    balance = "target_separability" if held else "update_ratio"
    return _TEMPLATES.get_template("training_loop.py.jinja").render(
        comment=comment,
        training=training,
        held=held,
        lr_d=lr_d,
        lr_g=lr_g,
        schedule=[(s.after, s.lr_d, s.lr_g, getattr(s, balance)) for s in training.segments[1:]],
        extras=_extras(training),
        optimizer={"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}[training.optimizer],
        options=(f", betas={training.adam_betas}" if adam else "")
        + (f", weight_decay={training.decay}" if training.decay or training.optimizer == "adamw" else ""),
    )


FORMATS = {"yaml": to_yaml, "json": to_json, "python": to_python}
"""What writes a choice in each format."""


def exported(choice: Choice, experiment: Experiment) -> Experiment:
    """Returns the experiment that trains the choice, with the sweep's measurements as `evidence` and no search."""
    training = training_of(choice, experiment)
    return experiment.model_copy(
        update={
            "training": training,
            "params": training.params if isinstance(training, LoopTraining) else {},
            "search": {},
            "sampler": "tpe" if experiment.is_population else experiment.sampler,
            "trackers": Trackers(),
            "evidence": evidence(choice, experiment),
            **_paths(experiment),
        }
    )


def _paths(experiment: Experiment) -> dict[str, Any]:
    """Returns the fields with paths, in which ~ stands for the home folder: an export is passed on."""
    options = dict(experiment.task_options)
    if experiment.data_path is not None:
        options["path"] = without_home(experiment.data_path)
    starts = [without_home(start) if isinstance(start, str) else start for start in experiment.start_from]
    warm, task = experiment.warm_start, experiment.task
    if isinstance(task, ScriptTask):
        task = task.model_copy(update={"here": without_home(task.here)})
    else:
        task = without_home(task)
    return {
        "task": task,
        "task_options": options,
        "start_from": starts,
        "warm_start": [without_home(one) for one in warm] if isinstance(warm, list) else warm and without_home(warm),
    }


def training_of(choice: Choice, experiment: Experiment) -> Training:
    """Returns the training section with the choice's numbers, or the parameters of a user's loop.

    Raises StudyError where no training has such numbers.
    """
    updates = experiment.confirm.updates if choice.confirmed and experiment.confirm else None
    budget = {"updates": updates} if updates else {}
    if experiment.is_loop:
        own = {name: as_searched(experiment.search.get(name), value) for name, value in choice.params.items()}
        return experiment.training.with_params({**own, **budget})
    # lr and lr_ratio would give lr_d and lr_g with a rounding error.
    params = {k: v for k, v in choice.params.items() if k not in ("lr", "lr_ratio")}
    try:
        return experiment.training.with_params({**params, **budget})
    except ValidationError as error:
        name, why = next(iter(messages(error, type(experiment.training).model_fields).items()))
        raise StudyError(f"trials.parquet: {name} of trial {choice.number}: {why}") from None


def evidence(choice: Choice, experiment: Experiment) -> dict[str, Any]:
    """Returns what the sweep measured of the choice. Values that are not finite are left out."""
    measured: dict[str, Any] = {"study": experiment.name, "trial": choice.number}
    measured |= {
        name: getattr(choice, name) for name in ("stability", "distance") if math.isfinite(getattr(choice, name))
    }
    if choice.confirmed:
        if choice.interval:
            measured["distance_interval"] = list(choice.interval)
        measured |= {"seeds": list(choice.seeds), "healthy": choice.healthy, "verdicts": choice.verdicts}
    if choice.neighbourhood:
        measured["neighbourhood"] = choice.neighbourhood._asdict()
    return measured


def _comment(choice: Choice, experiment: Experiment) -> str:
    """Returns lines that say where the choice comes from. The name is quoted because it may hold any character."""
    lines = [f"Trial {choice.number} of {json.dumps(experiment.name)}, chosen by gansearch."]
    if choice.confirmed:
        interval = " (95% of new medians: {:.4g} to {:.4g})".format(*choice.interval) if choice.interval else ""
        lines += [
            f"On {len(choice.seeds)} fresh seeds: {choice.healthy} {_healthy(experiment)},",
            f"median stability {choice.stability:.3g}, median distance {choice.distance:.4g}{interval}.",
        ]
    else:
        lines.append(f"Not confirmed on fresh seeds: stability {choice.stability:.3g}, distance {choice.distance:.4g}.")
    if choice.neighbourhood:
        stability, distance = choice.neighbourhood
        lines += [
            f"Nine in ten settings within {WIDTH:.0%} of every searched range are expected to reach a stability of",
            f"{stability:.3g} and a distance of {distance:.4g}.",
        ]
    return "\n".join(lines)


def _healthy(experiment: Experiment) -> str:
    return "healthy" if isinstance(experiment.task, ScriptTask) else "balanced"


def _extras(training: Training) -> list[tuple[str, str, str]]:
    """Returns the name, the value and the meaning of what the user's own loop has to implement."""
    names = [*_MENTIONED, "balance"] if training.balance == "gap_aware" else _MENTIONED
    extras = []
    for name in names:
        value = training.used(name) if name != "gp_lambda" else training.gp_lambda
        parts = [(s.after, getattr(s, name)) for s in training.segments if name in s._fields]
        changes = [(after, new) for (_, old), (after, new) in pairwise(parts) if new != old]
        if changes or (value and name not in training.usual and name != "beta2"):
            later = "".join(f", {new} after {after} updates" for after, new in changes)
            extras.append((name, f"{value}{later}", _meaning(name)))
    return extras


def _meaning(name: str) -> str:
    """Returns a field's description in one line."""
    text = Training.model_fields["gp" if name == "gp_lambda" else name].description or ""
    return " ".join(text.split())
