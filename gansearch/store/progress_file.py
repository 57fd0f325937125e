"""What progress.json may hold: numbers in their ranges, and texts. `gansearch.search.callbacks.progress` writes it."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, model_validator

Time = Annotated[float, Field(ge=0, le=9e9)]
"""Seconds since 1970, to the year 2255: later than pandas counts."""
Amount = Annotated[FiniteFloat, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Probe(_Part):
    seed: int
    update: int | float
    p_real: float
    p_fake: float
    separability: float
    saturated_right: float
    saturated_wrong: float
    stability: float | None = None
    reconstruction: float | None = None
    gpu_memory: Amount | None = None
    gpu_utilisation: Amount | None = None


class _Trial(_Part):
    number: int
    started: Time
    heard: Time
    updates: Amount
    updates_per_second: Amount | None = None
    distance: float | None = None
    probe: _Probe | None = None


class _Node(_Part):
    node: str
    cpus: Amount
    gpus: Amount


class _Run(_Part):
    number: int | None
    seed: int
    started: Time


class _Confirmation(_Part):
    running: int = 0
    done: int = 0
    runs: list[_Run] = []


class _Progress(_Part):
    state: Literal["running", "confirming", "finished", "stopped"] = "running"
    began: Time = 0.0
    written: Time
    every: Annotated[float, Field(gt=0, le=10)]
    """Seconds between two writes: a reader waits for a few of them."""
    host: str
    pid: int = 0
    address: str | None = None
    slots: Annotated[int, Field(ge=0)] | None = None
    nodes: list[_Node] = []
    used: dict[Literal["CPU", "GPU"], Amount] = {}
    longest_silence: Amount = 0.0
    patience: Annotated[float, Field(ge=0)] = math.inf
    in_turn: list[str] = []
    storage: str | None = ""
    left_out: dict[str, str] = {}
    running: list[_Trial] = []
    confirmation: _Confirmation = _Confirmation()

    @model_validator(mode="after")
    def _whole(self) -> _Progress:
        if self.nodes and len(self.used) < 2:
            raise ValueError("says nothing of what is taken of its nodes")
        return self


_ADAPTER = TypeAdapter(_Progress)


def parse_progress(data: Any) -> dict[str, Any]:
    """Return the fields that the data of a progress.json have. Raises ValueError where one is out of its range."""
    return _ADAPTER.validate_python(data).model_dump()
