"""The experiment file: task, training, search space, budget and resources, checked once and typed from then on.

Knows no torch and no Ray, so that `gansearch --help`, `schema` and the check of a file take no time.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

Loss = Literal["non_saturating", "minimax", "hinge", "wgan", "lsgan", "relativistic"]
Number = int | float
Plain = bool | int | float | str | None | list[float]


class ExperimentError(ValueError):
    """The experiment is wrong. `errors` maps the path of each wrong field to what is wrong with it."""

    exit_status = 2

    def __init__(self, source: str, errors: Mapping[str, str]):
        self.errors = dict(errors)
        lines = [f"{path}: {message}" if path else message for path, message in self.errors.items()]
        super().__init__(
            f"{source}: " + (lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} errors", *lines]))
        )


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False, validate_default=False
    )


class Training(_Model):
    """How one GAN is trained. Every field may also be searched."""

    loss: Loss = "non_saturating"
    """The adversarial loss of both networks."""
    updates: int = Field(4000, ge=2)
    """Budget: D and G updates together, pretraining included."""
    batch_size: int = Field(64, ge=1)
    """Samples in a batch; D sees as many real as fake ones."""
    lr: float = Field(2e-4, gt=0)
    """√(lr_D · lr_G)."""
    lr_ratio: float = Field(1.0, gt=0)
    """lr_D / lr_G."""
    lr_d: float | None = Field(None, gt=0)
    """D's learning rate, together with `lr_g` in place of `lr` and `lr_ratio`."""
    lr_g: float | None = Field(None, gt=0)
    """G's learning rate."""
    pretrain_steps: int = Field(0, ge=0)
    """D updates before G's first one, on real data against the untrained generator."""
    update_ratio: float = Field(1.0, gt=0)
    """D updates per G update, any positive number."""
    balance: Literal["fixed", "held", "gap_aware"] = "fixed"
    """`held` gives each turn so that D's separability stays at `target_separability`, in place of `update_ratio`;
    `gap_aware` scales D's learning rate by the gap between its loss and an ideal D's (arXiv 2302.00089)."""
    target_separability: float = Field(0.8, ge=0.5, lt=1)
    """With `balance: held`: the area under the ROC curve of D's scores of training batches, .5 blind, 1 perfect."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Of both networks; `sgd` is plain gradient descent."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    beta1: float | None = Field(None, ge=0, lt=1)
    """Adam's first decay rate, in place of the first of `betas`, so that it can be searched."""
    lr_decay: float = Field(0.0, ge=0, le=1)
    """Last share of the updates over which both learning rates fall linearly to 0."""
    r1_gamma: float = Field(0.0, ge=0)
    """γ/2 · E‖∇D(real)‖² is added to D's loss."""
    r2_gamma: float = Field(0.0, ge=0)
    """γ/2 · E‖∇D(fake)‖² is added to D's loss."""
    gp: float | None = Field(None, ge=0)
    """λ of WGAN-GP's penalty; when not given 10 with `loss: wgan`, else 0."""
    spectral_norm: bool = False
    """Divide every weight matrix of D by its largest singular value."""
    instance_noise: float = Field(0.0, ge=0)
    """Standard deviation of the noise that D's training samples get, falling linearly to 0 over the run."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    """One-sided: D's target for real is 1 minus this. For losses with a probability."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay per G update of the averaged generator that gives the final samples; 0 is none."""
    simultaneous: bool = False
    """Take both gradients at the same parameters (for oracles); needs `update_ratio: 1`."""

    @field_validator("betas")
    @classmethod
    def _betas(cls, betas: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError("both must be at least 0 and below 1")
        return betas

    @property
    def rates(self) -> tuple[float, float]:
        """(lr_D, lr_G): lr·√ratio and lr/√ratio, or the pair that the file fixes."""
        if self.lr_d is not None and self.lr_g is not None:
            return self.lr_d, self.lr_g
        return self.lr * math.sqrt(self.lr_ratio), self.lr / math.sqrt(self.lr_ratio)

    @property
    def adam_betas(self) -> tuple[float, float]:
        return (self.betas[0] if self.beta1 is None else self.beta1, self.betas[1])

    @property
    def gp_lambda(self) -> float:
        return self.gp if self.gp is not None else 10.0 if self.loss == "wgan" else 0.0

    def used(self, name: str) -> Any:
        """A field's value as it is trained with: never null, and the pair of rates that the file does not name too."""
        lr_d, lr_g = self.rates
        return {
            "lr": self.lr if self.lr_d is None else math.sqrt(lr_d * lr_g),
            "lr_ratio": self.lr_ratio if self.lr_d is None else lr_d / lr_g,
            "lr_d": lr_d,
            "lr_g": lr_g,
            "betas": list(self.adam_betas),
            "beta1": self.adam_betas[0],
            "gp": self.gp_lambda,
        }.get(name, getattr(self, name))

    def with_params(self, params: Mapping[str, Any]) -> Training:
        """This training with a trial's parameters in place of its own; a searched pair of rates replaces the other."""
        fields = self.model_dump(exclude_unset=True)
        if {"lr_d", "lr_g"} & params.keys():
            fields = {k: v for k, v in fields.items() if k not in ("lr", "lr_ratio")}
        if {"lr", "lr_ratio"} & params.keys():
            fields = {k: v for k, v in fields.items() if k not in ("lr_d", "lr_g")}
        fields |= params
        fields.pop("update_ratio" if fields.get("balance") == "held" else "target_separability", None)
        return Training(**fields)


class _Searched(_Model):
    when: dict[str, Plain | list[Plain]] | None = None
    """Other fields of training, each with a value or a list of them: `{loss: [hinge, wgan]}`. Where it does not hold
    the parameter is not asked, and training's own value is used."""

    @property
    def conditions(self) -> dict[str, list[Any]]:
        """`when`, with a list of values for each field."""
        return {name: v if isinstance(v, list) else [v] for name, v in (self.when or {}).items()}

    def holds(self, value_of: Callable[[str], Any]) -> bool:
        """Whether each field of `when` has one of its values; `value_of` gives a field's."""
        return all(any(same(value_of(name), v) for v in values) for name, values in self.conditions.items())


class Range(_Searched):
    """Numbers from low to high, both included."""

    low: Number
    high: Number
    log: bool = False
    """Search the logarithm."""
    step: Number | None = None
    """Distance of neighbouring values; none is continuous (1 for whole-number fields)."""

    @model_validator(mode="after")
    def _order(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs low above 0, not {self.low}")
        if self.step is not None and (self.step <= 0 or self.log):
            raise ValueError("step must be positive and cannot go with log")
        return self


class Choices(_Searched):
    """One of a list of values."""

    choices: list[Plain] = Field(min_length=1)


def _kind(entry: Any) -> str:
    if isinstance(entry, Choices) or (isinstance(entry, Mapping) and "choices" in entry):
        return "choices"
    return "range" if isinstance(entry, Range | Mapping) else "plain"


Entry = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")] | Annotated[Plain, Tag("plain")],
    Discriminator(_kind),
]


SamplerName = Literal["tpe", "random", "gp", "nsgaii", "qmc"]


class Sampler(_Model):
    """A sampler with options of its own, such as `{name: tpe, n_startup_trials: 20}`."""

    model_config = ConfigDict(extra="allow")
    name: SamplerName

    @property
    def options(self) -> dict[str, Any]:
        """All but the name, as Optuna's sampler takes them; checked when a sweep starts."""
        return dict(self.model_extra or {})


POINTS = ("dcgan", "ttur", "biggan")
"""Published settings that `start_from` knows."""
Start = Annotated[
    Annotated[str, Tag("start name")] | Annotated[dict[str, Plain], Tag("start fields")],
    Discriminator(lambda given: "start name" if isinstance(given, str) else "start fields"),
]


class Confirm(_Model):
    """The best candidates are trained again on fresh seeds."""

    top: int = Field(3, ge=1)
    replicas: int = Field(5, ge=2)
    updates: int | None = Field(None, ge=1)
    """Budget of these runs; null is that of the trials. A longer one shows what collapses late; it is exported."""


class Resources(_Model):
    """Of one trial."""

    cpus: float = Field(1, gt=0)
    gpus: Literal["auto"] | float = "auto"
    """A fraction shares a GPU; auto is 0 where the cluster has none, else 1."""

    @field_validator("gpus")
    @classmethod
    def _gpus(cls, gpus: str | float) -> str | float:
        if isinstance(gpus, float) and not 0 <= gpus <= 1:
            raise ValueError("must be auto or from 0 to 1 (a trial trains on at most one GPU)")
        return gpus


class Limits(_Model):
    hours: float | None = Field(None, gt=0)
    """After these no trial is started; those that run are finished."""
    concurrent: int | None = Field(None, ge=1)
    """At most so many trials at once; null fills the cluster."""
    updates: int | None = Field(None, ge=1)
    """Of all trials and seeds together. Once they are trained no trial is started; those that run are finished."""


class Experiment(_Model):
    """An experiment file. Relative paths are made absolute when it is loaded."""

    name: str = Field(min_length=1)
    task: str = Field(min_length=1)
    """A built-in name, `package.module:Class` or `./file.py:Class`."""
    task_options: dict[str, Any] = {}
    """Keyword arguments of the task's class."""
    seed: int = Field(0, ge=0)
    training: Training = Training()
    search: dict[str, Entry] = {}
    """A range, choices or a plain value for any field of training."""
    trials: int = Field(48, ge=1)
    replicas: int = Field(1, ge=1)
    """Seeds that each trial trains."""
    objective: Literal["both", "stability", "distance", "balanced"] = "both"
    """What the sampler improves: `both` stability and distance, as a Pareto front; one of them; or, with `balanced`,
    the distance among the trials whose verdict is balanced. The best is chosen by the same rule whatever it is."""
    sampler: Annotated[
        Annotated[SamplerName, Tag("sampler name")] | Annotated[Sampler, Tag("sampler options")],
        Discriminator(lambda given: "sampler name" if isinstance(given, str) else "sampler options"),
    ] = "tpe"
    """A name, or a mapping of `name` and options of Optuna's sampler."""
    start_from: list[Start] = []
    """Configurations that are tried first: `dcgan`, `ttur` or `biggan` as published, an experiment file such as an
    export, or a mapping of fields of training. Only searched fields are taken; the rest are training's own values, or
    the sampler's choice where the space does not hold these."""
    warm_start: str | None = None
    """The results folder of an earlier sweep, whose trials inform the sampler and are no trials of this one."""
    prune: bool = True
    """Stop trials that are beyond hope."""
    confirm: Confirm | None = Confirm()
    resources: Resources = Resources()
    limits: Limits = Limits()
    stop_when_flat: int | None = Field(None, ge=2)
    """No trial is started once the last so many brought nothing that is better by 1% under the objective."""
    evidence: dict[str, Any] = {}
    """What a sweep measured of this configuration: written by export, not read by train."""

    @field_validator("task")
    @classmethod
    def _task_path(cls, task: str, info: ValidationInfo) -> str:
        file, colon, name = task.rpartition(":")
        return f"{_absolute(file, info)}{colon}{name}" if file.endswith(".py") else task

    @field_validator("task_options")
    @classmethod
    def _data_path(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        path = options.get("path")
        return {**options, "path": _absolute(path, info)} if isinstance(path, str) else options

    @field_validator("warm_start")
    @classmethod
    def _warm_path(cls, folder: str | None, info: ValidationInfo) -> str | None:
        return None if folder is None else _absolute(folder, info)

    @field_validator("start_from")
    @classmethod
    def _start_paths(cls, points: list[Start], info: ValidationInfo) -> list[Start]:
        def is_file(point: Start) -> bool:
            return isinstance(point, str) and point.endswith((".yaml", ".yml", ".json"))

        return [_absolute(str(point), info) if is_file(point) else point for point in points]

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        if set(folder_name(name)) <= set(".-"):
            raise ValueError("needs at least one letter or digit")
        return name

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        errors = dict(_space_errors(self))
        if errors:
            raise _Several(errors)
        return self

    @property
    def folder(self) -> str:
        """The name of this experiment's folder under results/."""
        return folder_name(self.name)

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Experiment:
        """Reads an experiment file. `overrides` are KEY=VALUE with a dotted key and a YAML value.

        Raises ExperimentError, with everything that is wrong at once.
        """
        path = Path(path)
        data = _read(path)
        for override in overrides:
            _override(data, override)
        return cls.parse(data, base=path.resolve().parent, source=str(path))

    @classmethod
    def parse(cls, data: Mapping[str, Any], base: Path | None = None, source: str = "experiment") -> Experiment:
        """An experiment from plain data; relative paths are relative to `base`. Raises ExperimentError."""
        try:
            return cls.model_validate(data, context={"base": base or Path.cwd()})
        except ValidationError as error:
            raise ExperimentError(source, _messages(error, data)) from None

    def to_yaml(self, comment: str = "") -> str:
        """The text of an experiment file that loads as this one."""
        data = self.model_dump(mode="json", exclude_none=True)
        data["confirm"] = self.confirm and data["confirm"]
        if {"lr_d", "lr_g"} & (self.search.keys() | data["training"].keys()):
            data["training"] = {k: v for k, v in data["training"].items() if k not in ("lr", "lr_ratio")}
        for name in _unread(self):
            del data["training"][name]
        if not self.evidence:
            del data["evidence"]
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
        return "".join(f"# {line}\n" for line in comment.splitlines()) + text


def folder_name(name: str) -> str:
    """The text with every run of characters outside A-Za-z0-9._- turned to -."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


def schema() -> dict[str, Any]:
    """JSON schema of the experiment file, for editors; `search` knows the fields of training."""
    tree = Experiment.model_json_schema()
    search = tree["properties"]["search"]
    entry = search.pop("additionalProperties")
    fields = [name for name in Training.model_fields if name != "updates"]
    search.update(properties=dict.fromkeys(fields, entry), additionalProperties=False)
    return tree


def suggest(name: str, allowed: Iterable[str]) -> str:
    """'; did you mean "x"?' for a near miss of an allowed name, else nothing."""
    near = difflib.get_close_matches(name, list(allowed), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field are the same but for rounding; true is not 1, a list is equal to a tuple."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)]
    return math.isclose(one, other, rel_tol=1e-9) if all(numbers) else not any(numbers) and bool(one == other)


def search_order(search: Mapping[str, Any]) -> list[str]:
    """The names under `search:`, each after those that its `when` names. Raises graphlib.CycleError."""
    graph = {name: list(entry.conditions) if isinstance(entry, _Searched) else [] for name, entry in search.items()}
    return [name for name in TopologicalSorter(graph).static_order() if name in search]


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-4 as text; people mean a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load_yaml(text: str) -> Any:
    """Safe YAML in which 1e-4 is a number. Raises yaml.YAMLError."""
    return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)


class _Several(ValueError):
    """Errors of several fields, found by one validator."""

    def __init__(self, errors: Mapping[str, str]):
        self.errors = errors
        super().__init__("; ".join(errors.values()))


def _space_errors(experiment: Experiment) -> Iterator[tuple[str, str]]:
    """What is wrong between fields: paths and messages."""
    training, search = experiment.training, experiment.search
    for name, entry in search.items():
        if name not in Training.model_fields:
            yield f"search.{name}", "not a field of training" + suggest(name, Training.model_fields)
            continue
        if name == "updates":
            yield "search.updates", "is the budget, which every trial has alike; set training.updates"
            continue
        for end, value in _ends(entry):
            try:
                Training.model_validate({name: value})
            except ValidationError as error:
                yield f"search.{name}{end}", _message(error.errors()[0])
        yield from _condition_errors(experiment, name)
    for i, point in enumerate(experiment.start_from):
        yield from _start_errors(f"start_from[{i}]", point)
    try:
        search_order(search)
    except CycleError as error:
        names = [str(name) for name in reversed(error.args[1])]
        yield f"search.{names[0]}.when", f"goes round in a circle: {' → '.join(names)}"
    given = training.model_fields_set | search.keys()
    given -= {n for n in ("lr_d", "lr_g") if n not in search and getattr(training, n) is None}
    if {"lr", "lr_ratio"} & given and {"lr_d", "lr_g"} & given:
        yield "training", "lr and lr_ratio cannot go together with lr_d and lr_g; choose one pair"
    elif len({"lr_d", "lr_g"} & given) == 1:
        yield "training", "lr_d and lr_g go together; one of them is missing"
    largest = max([training.pretrain_steps, *_numbers(search.get("pretrain_steps"))])
    smallest = training.updates
    if largest >= smallest:
        where = "search" if "pretrain_steps" in search else "training"
        yield f"{where}.pretrain_steps", f"{largest} leaves nothing of training.updates = {smallest}"
    if experiment.confirm and (experiment.confirm.updates or smallest) < smallest:
        yield "confirm.updates", f"{experiment.confirm.updates} is below training.updates = {smallest}"
    if training.simultaneous and (training.update_ratio != 1 or "update_ratio" in search):
        yield "training.simultaneous", "needs update_ratio: 1"
    if True in _possible(experiment, "simultaneous") and "held" in _possible(experiment, "balance"):
        yield "training.balance", "held gives one network its turn at a time; it cannot go with simultaneous: true"
    for name, why in _unread(experiment).items():
        if name in search or name in training.model_fields_set:
            yield f"{'search' if name in search else 'training'}.{name}", why


def _start_errors(path: str, point: Start) -> Iterator[tuple[str, str]]:
    """What is wrong with one entry of `start_from` by itself."""
    if isinstance(point, str):
        if point not in POINTS and not Path(point).is_absolute():
            yield path, f"{point!r} is not one of {', '.join(POINTS)} or a .yaml file{suggest(point, POINTS)}"
        return
    for name, value in point.items():
        if name not in Training.model_fields:
            yield f"{path}.{name}", "not a field of training" + suggest(name, Training.model_fields)
            continue
        try:
            Training.model_validate({name: value})
        except ValidationError as error:
            yield f"{path}.{name}", _message(error.errors()[0])
    if {"lr", "lr_ratio"} & point.keys() and {"lr_d", "lr_g"} & point.keys():
        yield path, "lr and lr_ratio cannot go together with lr_d and lr_g; choose one pair"
    elif len({"lr_d", "lr_g"} & point.keys()) == 1:
        yield path, "lr_d and lr_g go together; one of them is missing"


def _condition_errors(experiment: Experiment, name: str) -> Iterator[tuple[str, str]]:
    """What is wrong with one entry's `when`: fields that there are not, and values that they can never have."""
    entry = experiment.search[name]
    for other, values in entry.conditions.items() if isinstance(entry, _Searched) else ():
        path = f"search.{name}.when.{other}"
        if other not in Training.model_fields:
            yield path, "not a field of training" + suggest(other, Training.model_fields)
            continue
        for value in values:
            never = _never(experiment, other, value)
            if never:
                yield path, f"can never be {value!r}: {never}"


def _never(experiment: Experiment, name: str, value: Any) -> str:
    """Why a field can never have a value; empty where it can."""
    own, entry = experiment.training.used(name), experiment.search.get(name)
    if name not in experiment.search:
        return "" if same(value, own) else f"it is not searched, and training.{name} is {own!r}"
    if not isinstance(entry, _Searched):
        return "" if same(value, entry) else f"search.{name} is {entry!r}"
    if entry.when and same(value, own):
        return ""
    if isinstance(entry, Choices):
        return "" if any(same(value, v) for v in entry.choices) else f"search.{name} has the choices {entry.choices}"
    if entry.step is None and Training.model_fields[name].annotation is not int:
        return f"search.{name} is a range without steps, which hits no value exactly; give it choices"
    inside = isinstance(value, int | float) and entry.low <= value <= entry.high
    return "" if inside else f"search.{name} goes from {entry.low} to {entry.high}"


def _unread(experiment: Experiment) -> dict[str, str]:
    """Fields of training that no possible balance reads, and why."""
    possible = _possible(experiment, "balance")
    if possible == {"held"}:
        return {"update_ratio": "balance: held chooses every turn itself; leave it out, or use balance: fixed"}
    if "held" not in possible:
        return {"target_separability": "is read with balance: held alone; leave it out, or use that"}
    return {}


def _possible(experiment: Experiment, name: str) -> set[Any]:
    """The values that a field of training with few of them may take."""
    if name not in experiment.search:
        return {getattr(experiment.training, name)}
    return {value for _, value in _ends(experiment.search[name]) if isinstance(value, Hashable)}


def _ends(entry: Any) -> list[tuple[str, Any]]:
    """The values that a search entry names, each with the end of its path."""
    if isinstance(entry, Range):
        return [(".low", entry.low), (".high", entry.high)]
    if isinstance(entry, Choices):
        return [(f".choices[{i}]", value) for i, value in enumerate(entry.choices)]
    return [("", entry)]


def _numbers(entry: Any) -> list[Any]:
    return [] if entry is None else [v for _, v in _ends(entry) if isinstance(v, int | float)]


def _absolute(path: str, info: ValidationInfo) -> str:
    base = (info.context or {}).get("base", Path.cwd())
    return str((base / Path(path).expanduser()).resolve())


def _read(path: Path) -> dict[str, Any]:
    try:
        data = load_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = [str(p) for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ExperimentError(str(path), {"": "no such file" + suggest(str(path), near)}) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(str(path), {"": f"cannot be read: {error}"}) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ExperimentError(str(path), {"": f"not YAML: {getattr(error, 'problem', error)}{where}"}) from None
    if data is None:
        raise ExperimentError(str(path), {"": "empty; an experiment needs at least name and task"})
    if not isinstance(data, dict):
        raise ExperimentError(str(path), {"": f"must hold fields such as name and task, not a {type(data).__name__}"})
    return data


def _override(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *parents, last = key.strip().split(".")
    if not equals or not last:
        raise ExperimentError("--set", {"": f"{override!r} is not KEY=VALUE, such as training.updates=2000"})
    for parent in parents:
        if data.get(parent) is None:
            data[parent] = {}
        data = data[parent]
        if not isinstance(data, dict):
            raise ExperimentError("--set", {key: f"{parent} holds no fields"})
    try:
        data[last] = load_yaml(value)
    except yaml.YAMLError:
        raise ExperimentError("--set", {key: f"{value!r} is not a YAML value"}) from None


def _messages(error: ValidationError, data: Mapping[str, Any]) -> dict[str, str]:
    errors: dict[str, str] = {}
    for item in error.errors():
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, _Several):
            errors.update(cause.errors)
            continue
        path = [p for p in item["loc"] if p not in _TAGS or p in _keys(data, item["loc"], p)]
        text = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
        errors.setdefault(text, _message(item))
    return errors


_TAGS = ("range", "choices", "plain", "sampler name", "sampler options", "start name", "start fields")
"""Names of a union's members, which pydantic puts into the path of an error."""


def _keys(data: Any, loc: tuple[Any, ...], part: Any) -> set[Any]:
    """The keys that the user wrote where `part` stands in `loc`; it may be the name of a tag."""
    for step in loc[: loc.index(part)]:
        data = data.get(step) if isinstance(data, Mapping) else None
    return set(data) if isinstance(data, Mapping) and loc[-1] != part else set()


_FIELDS: dict[str, type[_Model]] = {
    "training": Training,
    "confirm": Confirm,
    "resources": Resources,
    "limits": Limits,
    "range": Range,
    "choices": Choices,
}


def _message(item: Any) -> str:
    """One of pydantic's errors in a sentence with the value and what is allowed."""
    value, kind = item["input"], item["type"]
    if kind == "extra_forbidden":
        parents = [p for p in item["loc"][:-1] if p in _FIELDS]
        fields = (_FIELDS[parents[-1]] if parents else Experiment).model_fields
        hint = suggest(str(item["loc"][-1]), fields)
        return f"unknown field{hint or '; allowed: ' + ', '.join(fields)}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        return f"{value!r} is not one of {', '.join(allowed)}{suggest(str(value), allowed)}"
    message = item["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return message if isinstance(value, dict) else f"{message}, not {value!r}"
