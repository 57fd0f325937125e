"""Who watches a sweep: the live view, a log, a test."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from gansearch.experiment import Experiment
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord

_LOG = logging.getLogger(__name__)


class Listener(Protocol):
    """Is told what happens in a sweep, in the sweep's own thread: be quick. A subclass gives what it wants to hear."""

    def doing(self, what: str) -> None:
        """What takes some seconds before the first trial or after the last one."""
        return  # not every subclass has it

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """`done` trials are there already; `slots` run at once, 0 where nothing is left to do."""

    def resized(self, slots: int) -> None:
        """Nodes came or went: so many trials run at once now."""

    def left_out(self, node: str, why: str) -> None:
        """A node has joined that gets no trials."""

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial starts to train."""

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        """New rows of curves.parquet, a few at a time, each with the `node` and the `gpus` that it comes from, its
        trial's `stability` so far, None where a trial that ends has said its last, and some with D's `outputs`, as
        gansearch.gan.Probe has them."""

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """A trial has ended. `in_turn` says why its seeds could not be trained at once; empty if they could."""

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        """A trial's configuration, or with the number None the default settings, is being trained on a fresh seed
        (None), or was (its result)."""

    def close(self) -> None:
        """The sweep is over, however it ended."""


class Listeners(Listener):
    """Several listeners as one. A listener that raises is left out from then on: no trial is lost for it."""

    def __init__(self, listeners: Iterable[Listener]):
        self._listeners = list(listeners)

    def doing(self, what: str) -> None:
        self._tell("doing", what)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        self._tell("begin", experiment, folder, slots, done)

    def resized(self, slots: int) -> None:
        self._tell("resized", slots)

    def left_out(self, node: str, why: str) -> None:
        self._tell("left_out", node, why)

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        self._tell("started", number, params)

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        self._tell("probes", number, rows)

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        self._tell("ended", record, in_turn)

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        self._tell("confirming", number, seed, result)

    def close(self) -> None:
        self._tell("close")

    def _tell(self, event: str, *what: Any) -> None:
        for listener in list(self._listeners):
            try:
                getattr(listener, event, _nothing)(*what)
            except Exception:  # noqa: BLE001 (it may be anybody's)
                _LOG.exception("%s raised and is told no more of this sweep", type(listener).__name__)
                self._listeners.remove(listener)


def _nothing(*what: Any) -> None:
    """What a listener does that does not want to hear of something."""
