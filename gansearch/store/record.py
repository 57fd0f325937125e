"""The record of a trial: its row of the table, its seeds, and what it was like part way.

`trials/00012/result.json` holds it. It is written before the Optuna study and the listeners are notified, so that no
trial that has ended can be lost. Tables, journal and report are made of records.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from gansearch.experiment import Experiment, LoopTraining, Training, masked
from gansearch.formatting import fit
from gansearch.stability.result import SeedResult
from gansearch.stability.verdict import HEALTHY, worst

BALANCE = ("lr", "lr_ratio", "lr_d", "lr_g", "pretrain_steps", "update_ratio")
"""The columns of the balance, present in every trials table."""
STATUSES = ("complete", "pruned", "failed")
"""How a trial may have ended, best first."""
_MEDIANS = ("saturated_right", "saturated_wrong", "separability", "referee_gap")
_BEFORE = ("number", "status", "verdict", "stability", "stability_spread", "distance", "distance_spread")
GPU = ("gpu_seconds", "gpu_memory", "gpu_utilisation")
"""The columns of what a trial took of GPUs; NaN where it had none."""
_AFTER = (*_MEDIANS, "updates", "train_seconds", "started", "ended", "node", "error", *GPU)

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """What a trial was like at a rung; NaN where nothing was measured."""

    rung: int
    stability: float
    distance: float


@dataclass(frozen=True)
class Segment:
    """A stretch of a schedule: the rates and the ratio, or the separability that is held, after so many updates."""

    after: int
    lr_d: float
    lr_g: float
    update_ratio: float | None = None
    target_separability: float | None = None

    @property
    def values(self) -> dict[str, float]:
        """What it sets, by field of the training section."""
        return {name: value for name, value in asdict(self).items() if name != "after" and value is not None}

    def as_dict(self) -> dict[str, float]:
        """The fields that it has."""
        return {"after": self.after, **self.values}


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """What is known of a trial that has ended. Numbers are medians over its seeds, the verdict is the worst seed's."""

    number: int
    status: str
    """complete, pruned or failed."""
    verdict: str | None = None
    """None where the trial failed before its first seed ended, or was stopped with nothing wrong in D's answers: no
    referee has seen its samples."""
    stability: float = math.nan
    stability_spread: float = math.nan
    """max − min over the seeds."""
    distance: float = math.nan
    distance_spread: float = math.nan
    params: Mapping[str, Any]
    """The numbers of the balance and whatever else was searched, by column."""
    saturated_right: float = math.nan
    saturated_wrong: float = math.nan
    separability: float = math.nan
    referee_gap: float = math.nan
    updates: int = 0
    """Of all seeds."""
    train_seconds: float = 0.0
    started: datetime
    ended: datetime
    node: str = ""
    """Ray's address of the node."""
    error: str = ""
    gpu_seconds: float = math.nan
    """GPUs that it held, times the seconds for which it held them: a quarter of one for 40 s is 10."""
    gpu_memory: float = math.nan
    """Most bytes of a GPU that one of its processes took."""
    gpu_utilisation: float = math.nan
    """Share of the time in which its GPU did something, for whichever trial; NaN also without nvidia-ml-py."""
    seeds: tuple[SeedResult, ...] = ()
    standings: tuple[Standing, ...] = ()
    """At the rungs that it reached."""
    schedule: tuple[Segment, ...] = ()
    """What its weights went through, of a member of a population."""
    source: str = ""
    """Where its configuration came from: default, start_from, prior, move or tpe; empty for other samplers."""

    def __post_init__(self) -> None:
        """Make its texts fit to be written."""
        for name in ("error", "node", "params"):
            object.__setattr__(self, name, fit(getattr(self, name)))

    @property
    def healthy(self) -> bool:
        """Whether it was trained to its end, and is balanced or nothing wrong can be known of it, as of a seed."""
        return self.status == "complete" and self.verdict in HEALTHY

    def sentence(self, verdict: str | None = None) -> str:
        """What happened in the first of the seeds with a verdict, by default of all seeds; empty where none says so."""
        said = (seed.sentence for seed in self.seeds if verdict in (None, seed.verdict))
        return next(filter(None, said), "")

    @property
    def row(self) -> dict[str, Any]:
        """Its row of trials.parquet, in the order of the columns."""
        names = trial_columns(self.params)
        return {name: getattr(self, name) if name in _OWN else self.params.get(name, math.nan) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """The data of its result.json."""
        data: dict[str, Any] = {
            "row": self.row,
            "seeds": [asdict(seed) for seed in self.seeds],
            "standings": [asdict(standing) for standing in self.standings],
        }
        if self.schedule:
            data["schedule"] = [segment.as_dict() for segment in self.schedule]
        if self.source:
            data["source"] = self.source
        return data

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> TrialRecord:
        """The record of a row of the table. Columns that are missing, of an earlier version, get their defaults."""
        return cls(**_fields(row))


_OWN = {*_BEFORE, *_AFTER}


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def parse(cls: type[T], data: Any) -> T:
    """A dataclass from plain data, without the fields that it does not have.

    Raises ValueError where one is missing, or not of its type.
    """
    parsed: T = _adapter(cls).validate_python(data)
    return parsed


def trial_columns(searched: Iterable[str]) -> list[str]:
    """The columns of trials.parquet, in order; `searched` are the names under `search:`."""
    return [*_BEFORE, *BALANCE, *(name for name in searched if name not in BALANCE), *_AFTER]


def balance(training: Training) -> dict[str, float]:
    """The numbers of the balance of one resolved configuration, by column; a held balance has no update ratio.

    A loop of the user's own has those that it names so itself.
    """
    if isinstance(training, LoopTraining):
        return {name: math.nan if training.used(name) is None else training.used(name) for name in BALANCE}
    lr_d, lr_g = training.rates
    return {
        "lr": math.sqrt(lr_d * lr_g),
        "lr_ratio": lr_d / lr_g,
        "lr_d": lr_d,
        "lr_g": lr_g,
        "pretrain_steps": training.pretrain_steps,
        "update_ratio": math.nan if training.balance == "held" else training.update_ratio,
    }


def trial_record(
    number: int,
    experiment: Experiment,
    params: Mapping[str, Any],
    seeds: Sequence[SeedResult],
    *,
    started: datetime,
    ended: datetime,
    node: str,
    error: str = "",
    gpu: Mapping[str, float] | None = None,
    standings: Iterable[Standing] = (),
    schedule: Iterable[Segment] = (),
    source: str = "",
) -> TrialRecord:
    """The record of a trial from its seeds: medians, the worst verdict, and max − min as the spread.

    `seeds` may be empty for a trial that died before its first seed ended; then `error` says why. `gpu` holds those of
    the columns in `GPU` that are known.
    """
    statuses = {seed.status for seed in seeds}
    failed = not seeds or bool(error) or "failed" in statuses
    status = "failed" if failed else "pruned" if "pruned" in statuses else "complete"
    verdict = worst(seed.verdict for seed in seeds) if seeds else None
    return TrialRecord(
        number=number,
        status=status,
        verdict=None if status == "pruned" and verdict in HEALTHY else verdict,
        params={
            **balance(experiment.training.with_params(params)),
            **{name: value for name, value in params.items() if name not in BALANCE},
        },
        **{name: median(getattr(seed, name) for seed in seeds) for name in ("stability", "distance", *_MEDIANS)},
        stability_spread=spread(seed.stability for seed in seeds),
        distance_spread=spread(seed.distance for seed in seeds),
        updates=sum(seed.updates for seed in seeds),
        train_seconds=sum(seed.train_seconds for seed in seeds),
        started=started,
        ended=ended,
        node=node,
        error=masked(error or next((seed.error for seed in seeds if seed.error), "")),
        **(gpu or {}),
        seeds=tuple(seeds),
        standings=tuple(standings),
        schedule=tuple(schedule),
        source=source,
    )


def scheduled(params: Mapping[str, Any], schedule: Sequence[Segment]) -> dict[str, Any]:
    """A trial's parameters for `Training.with_params` with a schedule: its first segment, and the rest as changes.

    Without a schedule the parameters are returned as they are.
    """
    if not schedule:
        return dict(params)
    start, *changes = schedule
    kept = {name: value for name, value in params.items() if name not in ("lr", "lr_ratio")}
    return {**kept, **start.values, "schedule": [change.as_dict() for change in changes]}


def median(values: Iterable[float]) -> float:
    """The median of those values that are numbers; NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else math.nan


class SeveralSeeds:
    """One configuration on several seeds, in numbers."""

    seeds: Sequence[SeedResult]

    @property
    def stability(self) -> float:
        """The median over the seeds."""
        return median(seed.stability for seed in self.seeds)

    @property
    def distance(self) -> float:
        """The median over the seeds."""
        return median(seed.distance for seed in self.seeds)

    @property
    def healthy(self) -> int:
        """The number of seeds whose verdict is balanced, or unknown where that is all that can be known."""
        return sum(seed.verdict in HEALTHY for seed in self.seeds)

    @property
    def healthy_word(self) -> str:
        """What these seeds are called where they are healthy: balanced, unless of one that is not known."""
        return "healthy" if any(seed.verdict == "unknown" for seed in self.seeds) else "balanced"


def spread(values: Iterable[float]) -> float:
    """The maximum minus the minimum of those values that are numbers; NaN if none is."""
    finite = [value for value in values if math.isfinite(value)]
    return max(finite) - min(finite) if finite else math.nan


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record that a row has."""
    own = {name: row[name] for name in _OWN if name in row}
    return {**own, "params": {name: value for name, value in row.items() if name not in _OWN}}


def parse_record(data: Any) -> TrialRecord:
    """A record from the data of a result.json. Raises ValueError where something is missing, or not of its type."""
    try:
        times = {name: datetime.fromisoformat(data["row"][name]) for name in ("started", "ended")}
        later = {name: data[name] for name in ("standings", "schedule", "source") if name in data}
        record = parse(TrialRecord, {**_fields({**data["row"], **times}), "seeds": data["seeds"], **later})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the record of a trial: {error}") from None
    if record.status not in STATUSES or record.number < 0:
        raise ValueError(f"not the record of a trial: {record.number}, {record.status}")
    return record
