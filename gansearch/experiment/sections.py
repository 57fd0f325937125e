"""The sections beside `training:` and `search:`: seeds, sampler, first points, confirmation, resources and limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ByteSize, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from gansearch.experiment.base import Model, Plain


class Replicas(Model):
    """A race: a trial trains `least` seeds, then one more at a time, up to `most`, while it may be among the best."""

    least: int = Field(1, ge=1)
    most: int = Field(4, ge=1)

    @model_validator(mode="after")
    def _order(self) -> Replicas:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}")
        return self


SamplerName = Literal["balance", "tpe", "random", "gp", "nsgaii", "qmc", "pbt"]


class Sampler(Model):
    """A sampler with options of its own, such as `{name: balance, n_startup_trials: 20}`."""

    model_config = ConfigDict(extra="allow")
    name: SamplerName

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of Optuna's sampler, which are checked when a sweep starts."""
        return dict(self.model_extra or {})


POINTS = ("dcgan", "ttur", "biggan", "r3gan")
"""Published settings that `start_from` knows."""

Start = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[dict[str, Plain], Tag("<fields>")],
    Discriminator(lambda given: "<name>" if isinstance(given, str) else "<fields>"),
]


class Confirm(Model):
    """The best trials race on fresh seeds for 15% of the trials' updates; the default settings are trained after it."""

    top: int = Field(3, ge=1)
    """Trials in the race: the healthy ones with the smallest distances."""
    replicas: int = Field(5, ge=2)
    """Fresh seeds of the winner."""
    updates: int | None = Field(None, ge=1)
    """Budget of these runs; null is that of the trials. A longer one shows what collapses late, and is exported."""
    default: bool = True
    """Also train the default settings, `training` without its search, on the first three of these seeds."""


MOST_ROWS = 64
"""Most trials that one process may train at once."""


class Resources(Model):
    """The resources of one trial: the workers that train it together, and what each of them gets."""

    cpus: float = Field(1, gt=0)
    """CPUs of each worker."""
    gpus: Literal["auto", "fill"] | float = "auto"
    """GPUs of all workers together. A fraction shares a GPU, 2 and more are one for each worker; auto is one for each
    worker, or 0 where the cluster has none. fill has as many trials share each GPU as give the greatest throughput,
    which is measured before the first trial."""
    stack: Literal["auto"] | int = Field(1, exclude_if=lambda stack: stack == 1)  # earlier versions know none
    """Trials that one process trains at once, with the CPUs and the GPU of one trial: small networks of several trials
    are updated together. auto takes the number with the greatest throughput, which is measured before the first trial;
    1 where that is no gain."""
    workers: int | None = Field(None, ge=1)
    """Processes that share each batch of a trial; null is one for each GPU, and at least one. More than one without
    GPUs train on CPUs."""
    across_nodes: bool = False
    """The workers of a trial may be on several nodes; else they are all on one."""
    accelerator_type: str | None = Field(None, min_length=1)
    """Only on nodes with this kind of GPU, by Ray's name for it, such as H100."""
    memory: ByteSize | None = None
    """Memory of each worker, reserved on its node: bytes, or text such as 4GB or 500MiB."""
    custom: dict[str, Annotated[float, Field(gt=0)]] = Field({})
    """Amounts of custom resources of each worker, by the names that the cluster's nodes were started with."""

    @property
    def processes(self) -> int:
        """Workers of one trial."""
        return self.workers or (1 if isinstance(self.gpus, str) else max(1, int(self.gpus)))

    @field_validator("gpus", mode="before")
    @classmethod
    def _gpus(cls, gpus: Any) -> Any:
        fits = isinstance(gpus, int | float) and (0 <= gpus <= 1 or (gpus > 1 and gpus % 1 == 0))
        if gpus not in ("auto", "fill") and not fits:
            raise ValueError("must be auto, fill, a number from 0 to 1, or a whole number (one for each worker)")
        return gpus

    @field_validator("stack", mode="before")
    @classmethod
    def _stack(cls, stack: Any) -> Any:
        if stack != "auto" and (isinstance(stack, bool) or not isinstance(stack, int) or not 1 <= stack <= MOST_ROWS):
            raise ValueError(f"must be auto, or a whole number from 1 to {MOST_ROWS}")
        return stack

    @field_validator("custom")
    @classmethod
    def _custom(cls, custom: dict[str, float]) -> dict[str, float]:
        fields = {"CPU": "cpus", "GPU": "gpus", "memory": "memory"}
        for name in custom:
            if name in fields:
                raise ValueError(f"{name} has a field of its own: resources.{fields[name]}")
        return custom


class Checkpoints(Model):
    """How often a running trial is saved, at a probe: the most work that is lost when its worker dies."""

    seconds: float = Field(30, gt=0)
    updates: int | None = Field(None, ge=1)
    """Save also after so many updates of each seed, if these come first."""


class Limits(Model):
    """Where a sweep ends before its last trial, and how many trials run at once."""

    hours: float | None = Field(None, gt=0)
    """Hours after which no trial is started; those that run are finished."""
    total_hours: float | None = Field(None, gt=0)
    """Hours of the whole sweep, with the race and with what was used before `--resume`: no trial, and then no run on a
    fresh seed, is started that is not expected to end in time."""
    concurrent: int | None = Field(None, ge=1)
    """Trials that run at once, at most; null fills the cluster."""
    updates: int | None = Field(None, ge=1)
    """Updates of all trials and seeds together, after which no trial is started; those that run are finished."""
    stalled_minutes: float | None = Field(10, gt=0)
    """A trial that reports nothing for so long, and for ten times as long as any trial so far, is stopped. The first
    time it continues from its checkpoint. Null never stops one."""
