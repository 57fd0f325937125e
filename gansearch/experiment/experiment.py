"""The experiment file as a typed object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from gansearch.experiment.base import Model, Plain
from gansearch.experiment.checks import errors_between, unread
from gansearch.experiment.entries import Entry, Searched
from gansearch.experiment.errors import ExperimentError, Several, messages, no_text
from gansearch.experiment.loop import PATTERN, LoopTraining, loop_errors, names_loop, process_errors
from gansearch.experiment.paths import Folder, Starts, TaskName, TaskOptions, data_path
from gansearch.experiment.population import population_errors
from gansearch.experiment.script import ScriptTask
from gansearch.experiment.script_checks import script_errors
from gansearch.experiment.secrets import MASK, left_out, masked_data
from gansearch.experiment.sections import Checkpoints, Confirm, Limits, Replicas, Resources, Sampler, SamplerName
from gansearch.experiment.trackers import Trackers
from gansearch.experiment.training import Training
from gansearch.experiment.yaml_file import read_file, set_field

_FOLDER_CHARACTERS = 200


class Experiment(Model):
    """An experiment file. Relative paths are made absolute when it is loaded."""

    name: str = Field(min_length=1)
    task: Annotated[
        Annotated[TaskName, Field(min_length=1), Tag("<name>")] | Annotated[ScriptTask, Tag("<script>")],
        Discriminator(lambda given: "<script>" if isinstance(given, ScriptTask | Mapping) else "<name>"),
    ]
    """A built-in name, `package.module:Class` or `./file.py:Class`; or with a function in place of the class, whose
    name begins with a small letter, a training loop of your own: `train(trial)`; or a mapping with `command:`, any
    script."""
    task_options: TaskOptions = Field({})
    """Keyword arguments of the task's class, or of the function."""
    seed: int = Field(0, ge=0, le=4_000_000_000)
    training: Training = Training()
    """A training loop of your own has only `updates` of these."""
    params: dict[str, Plain] = Field({})
    """For a training loop of your own: values of its parameters, used where they are not searched."""
    search: dict[str, Entry] = Field({})
    """A range, choices or a plain value for any field of training; for a loop of your own, under names of your own."""
    trials: Annotated[
        Annotated[int, Field(ge=1), Tag("<number>")] | Annotated[Literal["auto"], Tag("<auto>")],
        Discriminator(lambda given: "<auto>" if isinstance(given, str) and not given.strip().isdigit() else "<number>"),
    ] = 48
    """A number; or `auto`: as many as are worth it. The sweep ends, after twenty trials at the earliest and a thousand
    at the latest, once a tenth more of them is expected to bring the smallest distance down by less than 1%."""
    replicas: Annotated[
        Annotated[int, Field(ge=1), Tag("<number>")] | Annotated[Replicas, Tag("<race>")],
        Discriminator(lambda given: "<race>" if isinstance(given, Replicas | Mapping) else "<number>"),
    ] = 1
    """Seeds that each trial trains; or `least` and `most`, of which those above the least are trained only while the
    trial may be among the best."""
    objective: Literal["both", "stability", "distance", "balanced"] = "distance"
    """What the sampler improves: the distance or the stability; `both`, as a Pareto front; or, with `balanced`, the
    distance among the trials whose verdict is balanced. The best is chosen by the same rule whatever it is."""
    sampler: Annotated[
        Annotated[SamplerName, Tag("<name>")] | Annotated[Sampler, Tag("<options>")],
        Discriminator(lambda given: "<name>" if isinstance(given, str) else "<options>"),
    ] = "balance"
    """A name, or a mapping of `name` and options of Optuna's sampler. `balance` is TPE in turn with a prior of good
    configurations and with small moves around the nearest trials. `pbt` is population-based training: the trials
    train side by side, and find a schedule of learning rates, update ratio or target separability."""
    start_from: Starts = Field([])
    """Configurations that are tried first: `dcgan`, `ttur`, `biggan` or `r3gan` as published, an experiment file such
    as an export, or a mapping of fields of training. Only searched fields are taken; the rest are training's own
    values, or the sampler's choice where the space does not hold these."""
    warm_start: (
        Annotated[
            Annotated[Folder, Tag("<folder>")] | Annotated[list[Folder], Tag("<folders>")],
            Discriminator(lambda given: "<folders>" if isinstance(given, list) else "<folder>"),
        ]
        | None
    ) = None
    """The results folders of earlier sweeps. Trials of the same task inform the sampler as if they were this sweep's,
    but do not count; the best ones of another task are where many of the first trials begin."""
    prune: Literal[True, False, "both"] = True
    """Stop trials that are beyond hope, and those that are behind in distance at a tenth and three tenths of their
    updates; with `both`, those that are behind in stability and in distance, at a quarter and a half."""
    keep: Literal["last", "best"] = "last"
    """Which generator `gansearch train` takes samples and the program of: the one at the end, or of the moment at which
    a measured distance was smallest. The weights of both are written, and `distance` is always the one at the end."""
    confirm: Confirm | None = Confirm()
    resources: Resources = Resources()
    limits: Limits = Limits()
    checkpoints: Checkpoints = Checkpoints()
    stop_when_flat: int | None = Field(None, ge=2)
    """No trial is started once the last so many have improved nothing by 1% under the objective."""
    trackers: Trackers = Trackers()
    """Trackers that trials are also logged to: `[mlflow]`, `[wandb]`, both, or a mapping with their options."""
    evidence: dict[str, Any] = Field({})
    """What a sweep measured of this configuration: written by export, not read by train."""

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if set(folder_name(name)) <= set(".-"):
            raise ValueError("needs at least one letter or digit")
        return name

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        if self.is_loop:
            errors = self._own_loop()
        else:
            errors = dict(errors_between(self.training, self.search, self.start_from, self.confirm, self.resources))
            if self.params:
                errors["params"] = "are of a loop of your own (task: ./file.py:train); put them under training:"
        if self.is_population and not self.is_loop:
            others = {name: getattr(self, name) for name in ("stop_when_flat", "warm_start")}
            if self.trials == "auto":
                errors["trials"] = "must be a number with sampler: pbt, whose trials train side by side"
            if self.resources.processes > 1:
                errors["resources"] = "sampler: pbt trains each member in one process; leave workers out, or gpus: 1"
            errors |= dict(
                population_errors(self.training, self.search, self.most_trials, self.most_replicas, self.limits, others)
            )
        if errors:
            raise Several(errors)
        return self

    def _own_loop(self) -> dict[str, str]:
        """Replaces `training` by that of a loop; returns what is wrong, by path."""
        own = {name: None if isinstance(entry, Searched) else entry for name, entry in self.search.items()}
        own |= self.params
        training = LoopTraining(updates=self.training.updates, params=own)
        written = self.training.model_fields_set - {"params"}
        self.__dict__["training"] = training  # not frozen yet: this is a validator
        errors = dict(loop_errors(training, written, self.search, self.start_from, self.confirm))
        if isinstance(self.task, ScriptTask):
            errors |= dict(script_errors(self.task, self.search, self.params, self.task_options))
        return errors | dict(process_errors(self.resources, self.is_population, isinstance(self.task, ScriptTask)))

    @property
    def data_path(self) -> str | None:
        """The file or folder that `task_options.path` names; None where there is none, or it is no file: hf:NAME."""
        return data_path(self.task_options)

    @property
    def warm_folders(self) -> list[str]:
        """The results folders of `warm_start`."""
        return [self.warm_start] if isinstance(self.warm_start, str) else self.warm_start or []

    @property
    def stops_by_distance(self) -> bool:
        """Whether a trial that is behind in distance alone is stopped."""
        return self.prune is True and self.objective in ("distance", "balanced")

    @property
    def sampler_name(self) -> str:
        """The name of the sampler, whatever its options."""
        return self.sampler if isinstance(self.sampler, str) else self.sampler.name

    @property
    def is_loop(self) -> bool:
        """Whether the task is a training loop of the user's own, a function or a script."""
        return isinstance(self.task, ScriptTask) or names_loop(self.task)

    @property
    def task_name(self) -> str:
        """What messages and tables call the task: the text of `task:`, or the name of its script."""
        return self.task.name if isinstance(self.task, ScriptTask) else self.task

    @property
    def without_value(self) -> list[str]:
        """Searched parameters of a training loop that have no value in `params`."""
        searched = [name for name, entry in self.search.items() if isinstance(entry, Searched)]
        return [name for name in searched if name not in self.params] if self.is_loop else []

    @property
    def most_trials(self) -> int:
        """Trials that are started at most; with `trials: auto` a thousand."""
        return 1000 if isinstance(self.trials, str) else self.trials

    @property
    def is_population(self) -> bool:
        """Whether the trials are members of one population, which train side by side: `sampler: pbt`."""
        return self.sampler_name == "pbt"

    @property
    def confirms_default(self) -> bool:
        """Whether the confirmation also trains the default settings: there are some, and others are searched."""
        searched = any(isinstance(entry, Searched) for entry in self.search.values())
        return bool(self.confirm and self.confirm.default and searched and not self.without_value)

    @property
    def least_replicas(self) -> int:
        """Seeds that every trial trains, at least."""
        return self.replicas.least if isinstance(self.replicas, Replicas) else self.replicas

    @property
    def most_replicas(self) -> int:
        """Seeds that a trial trains, at most."""
        return self.replicas.most if isinstance(self.replicas, Replicas) else self.replicas

    @property
    def folder(self) -> str:
        """The name of this experiment's folder under results/."""
        return folder_name(self.name)

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Experiment:
        """Reads an experiment file. `overrides` are KEY=VALUE with a dotted key and a YAML value.

        Raises ExperimentError, whose `errors` are all that is wrong.
        """
        path = Path(path)
        data, wrong = read_file(path)
        for override in overrides:
            set_field(data, override)
        return cls.parse(data, base=path.resolve().parent, source=str(path), wrong=wrong)

    @classmethod
    def parse(
        cls,
        data: Mapping[str, Any],
        base: Path | None = None,
        source: str = "experiment",
        wrong: Mapping[str, str] | None = None,
    ) -> Experiment:
        """Returns an experiment of plain data. Relative paths are relative to `base`.

        `wrong` is what was wrong with the text of the data, by path. Raises ExperimentError.
        """
        errors = {}
        try:
            experiment = cls.model_validate(data, context={"base": base or Path.cwd()})
            errors = no_text(experiment.model_dump())
        except ValidationError as error:
            errors = messages(error, cls.model_fields, names_checked=bool(wrong))
        if errors or wrong:
            raise ExperimentError(source, {**errors, **(wrong or {})}) from None
        return experiment

    def check_secrets(self) -> None:
        """Raises ExperimentError where a password was left out when the file was written."""
        paths = [*left_out(self.model_dump(mode="json", exclude={"evidence"}))]
        if paths:
            text = f"its password was left out ({MASK}) when this was written; give the whole value"
            raise ExperimentError(self.name, {path: f"{text}, as by --set {path}=…" for path in paths})

    def to_yaml(self, comment: str = "", secrets: bool = False) -> str:
        """Returns the text of an experiment file that loads as this one, but for its passwords without `secrets`."""
        data = self.model_dump(mode="json", exclude_none=True)
        data["confirm"] = self.confirm and data["confirm"]
        data["limits"]["stalled_minutes"] = self.limits.stalled_minutes  # null is not the default
        if {"lr_d", "lr_g"} & (self.search.keys() | data["training"].keys()):
            data["training"] = {k: v for k, v in data["training"].items() if k not in ("lr", "lr_ratio")}
        if isinstance(self.task, ScriptTask):
            data["task"] = self.task.plain
        if self.is_loop:
            data["training"] = {"updates": self.training.updates}
        else:
            for name in [*unread(self.training, self.search), *self.training.usual]:
                data["training"].pop(name, None)
        for name in ("evidence", "trackers", "params"):
            if not data[name]:
                del data[name]
        if self.keep == "last":
            del data["keep"]
        text = yaml.safe_dump(data if secrets else masked_data(data), sort_keys=False, allow_unicode=True)
        return "".join(f"# {line}\n" for line in comment.splitlines()) + text


def folder_name(name: str) -> str:
    """Returns the name with each run of characters outside A-Za-z0-9._- replaced by -, and no dot to begin with."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).lstrip(".")[:_FOLDER_CHARACTERS] or "-"


def schema() -> dict[str, Any]:
    """Returns the JSON schema of the experiment file, for editors.

    `search` allows the fields of training; for a training loop of the user's own, any name.
    """
    tree = Experiment.model_json_schema()
    search = tree["properties"]["search"]
    entry = search.pop("additionalProperties")
    fields = [name for name in Training.model_fields if name not in ("updates", "schedule")]
    search.update(properties=dict.fromkeys(fields, entry), additionalProperties=entry)
    ours = {"search": {"propertyNames": {"enum": fields}}}
    return {**tree, "if": {"properties": {"task": {"pattern": PATTERN}}}, "else": {"properties": ours}}
