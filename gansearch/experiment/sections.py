"""The sections beside `training:` and `search:`: seeds, sampler, first points, confirmation, resources and limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from gansearch.experiment.model import Model, Plain


class Replicas(Model):
    """Seeds that are earned: a trial trains `least`, then one at a time up to `most` while it may be among the best."""

    least: int = Field(1, ge=1)
    most: int = Field(4, ge=1)

    @model_validator(mode="after")
    def _order(self) -> Replicas:
        if self.least > self.most:
            raise ValueError(f"least {self.least} is above most {self.most}")
        return self


SamplerName = Literal["tpe", "random", "gp", "nsgaii", "qmc", "pbt"]


class Sampler(Model):
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


class Confirm(Model):
    """The best candidates are trained again on fresh seeds."""

    top: int = Field(3, ge=1)
    replicas: int = Field(5, ge=2)
    updates: int | None = Field(None, ge=1)
    """Budget of these runs; null is that of the trials. A longer one shows what collapses late; it is exported."""


class Resources(Model):
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


class Limits(Model):
    hours: float | None = Field(None, gt=0)
    """After these no trial is started; those that run are finished."""
    concurrent: int | None = Field(None, ge=1)
    """At most so many trials at once; null fills the cluster."""
    updates: int | None = Field(None, ge=1)
    """Of all trials and seeds together. Once they are trained no trial is started; those that run are finished."""
