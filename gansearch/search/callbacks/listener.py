"""The events of a sweep, and how listeners such as the live view are notified of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gansearch.experiment import Experiment
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord

_LOG = logging.getLogger(__name__)


class Listener:
    """Is notified of what happens in a sweep, in the sweep's own thread. A subclass overrides what it needs."""

    def doing(self, what: str) -> None:
        """Something is done that takes seconds, before the first trial or after the last one."""

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """The sweep begins: `done` trials have ended before, `slots` run at once, 0 where nothing is left to do."""

    def resized(self, slots: int) -> None:
        """Nodes came or went: so many trials run at once now."""

    def left_out(self, node: str, why: str) -> None:
        """A node has joined that gets no trials."""

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial starts to train with these parameters."""

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        """A trial has been probed: a few rows with the columns of curves.parquet.

        Each row also has the `node` and the `gpus` that it comes from, its trial's `stability` so far, None in the last
        rows of a trial, and in some rows D's `outputs`, as `gansearch.gan.Probe` has them.
        """

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        """A trial has ended; `in_turn` says why its seeds could not be trained at once, "" if they could."""

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        """A configuration starts to be trained on a fresh seed, or has been: then there is a `result`.

        `number` is the trial of that configuration, None for the default settings.
        """

    def chosen(self) -> None:
        """The best-balanced trial is known, and has its fresh seeds; only the default settings still train."""

    def close(self) -> None:
        """The sweep is over, however it ended."""


@contextmanager
def quiet_threads() -> Iterator[None]:
    """Inside, a thread that ends because it cannot write prints no traceback: who it writes for finds out."""
    hook = threading.excepthook

    def quiet(ended: threading.ExceptHookArgs) -> None:
        if not issubclass(ended.exc_type, OSError):
            hook(ended)

    threading.excepthook = quiet
    try:
        yield
    finally:
        threading.excepthook = hook


def _event(name: str) -> Callable[..., None]:
    """Return a method that passes an event on to several listeners."""

    def notify(self: Listeners, *what: Any) -> None:
        for listener in list(self.listeners):
            try:
                getattr(listener, name)(*what)
            except OSError as error:  # a full disk, and no fault of code
                _LOG.warning("warning: %s ends early: %s", type(listener).__name__, error)
                self.listeners.remove(listener)
            except Exception:  # noqa: BLE001 (a listener may be a user's)
                _LOG.exception("%s raised, and is not notified of this sweep any more", type(listener).__name__)
                self.listeners.remove(listener)

    return notify


class Listeners(Listener):
    """Several listeners as one. One that raises is not notified any more, so that no trial is lost by it."""

    def __init__(self, listeners: Iterable[Listener]):
        """Notify these listeners, in this order."""
        self.listeners = list(listeners)

    doing = _event("doing")
    begin = _event("begin")
    resized = _event("resized")
    left_out = _event("left_out")
    started = _event("started")
    probes = _event("probes")
    ended = _event("ended")
    confirming = _event("confirming")
    chosen = _event("chosen")
    close = _event("close")
