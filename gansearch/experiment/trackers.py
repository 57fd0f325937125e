"""Trackers that a sweep's trials are also logged to."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from gansearch.experiment.base import Model


class MLflow(Model):
    """A run for each trial in MLflow."""

    tracking_uri: str | None = None
    """Such as http://host:5000 or sqlite:///mlflow.db; null is MLflow's own choice, MLFLOW_TRACKING_URI first."""
    experiment_name: str | None = None
    """null is the name of the experiment."""


class Wandb(Model):
    """A run for each trial in Weights & Biases."""

    project: str | None = None
    """null is the name of the experiment, as its folder is called."""
    entity: str | None = None
    """The user or team; null is the default one of who is logged in."""
    mode: Literal["online", "offline"] | None = None
    """offline leaves the runs in `wandb/` of the results folder, for `wandb sync`; null is WANDB_MODE, else online."""


class Trackers(Model):
    """`[mlflow]`, `[mlflow, wandb]`, or each with its options: `{mlflow: {tracking_uri: ...}}`."""

    mlflow: MLflow | None = None
    wandb: Wandb | None = None

    @model_validator(mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        """A list of names is a mapping of them without options; so is a name without a value."""
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            return {name: {} for name in given}
        if isinstance(given, dict):
            return {name: {} if options is None else options for name, options in given.items()}
        return given
