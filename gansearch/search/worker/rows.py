"""Trials that are rows of one process: each has a thread and a worker, and one thread runs at a time.

Where several have come to their next updates, one thread makes these for all, as `gansearch.gan.stacked` does. All else
of a trial, its probes, reports, checkpoints, rungs and ending, is what it is in a process of its own. A trial that
raises ends alone; one that takes the process with it is tried again in a process of its own, like the others.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import torch

from gansearch.gan import Trainer
from gansearch.gan.kinds import Kind, Kinds, refused
from gansearch.gan.stacked import together
from gansearch.search.worker.link import Link

CONNECTION = b"c"
"""What comes to a process of rows with each connection."""
_PATIENCE_SECONDS = 0.005
"""For which the others wait for a trial whose worker does not answer."""
_END_SECONDS = 10.0
"""In which threads end by themselves once there are no workers any more."""
_BROKEN = 4
"""Exit status of a process whose GPU takes no more work: an assertion has failed there, say."""
Call = Callable[[Callable[..., Any], tuple[Any, ...]], Any]
"""What calls a function with a link and these arguments."""


def serve(control: socket.socket, answer: Callable[[Connection, Call], None]) -> None:
    """Answer each worker whose connection comes through `control`, in a thread; return once that is closed.

    `answer` receives what a worker asks for, calls it by the given function, and sends what it returns.
    """
    rows, threads = Rows(), list[threading.Thread]()
    while (received := socket.recv_fds(control, 1, 1))[0]:
        connection = Connection(received[1][0])
        threads.append(threading.Thread(target=_answer, args=(rows, connection, answer), daemon=True))
        threads[-1].start()
        threads = [thread for thread in threads if thread.is_alive()]
    by = time.monotonic() + _END_SECONDS
    for thread in threads:
        thread.join(max(0.0, by - time.monotonic()))


def _answer(rows: Rows, connection: Connection, answer: Callable[[Connection, Call], None]) -> None:
    def call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        with rows.running():
            result = function(RowLink(connection, rows), *args)
            _end_if_broken()
            return result

    with connection, suppress(EOFError, OSError):  # its worker is gone
        answer(connection, call)


def _end_if_broken() -> None:
    """End this process where a trial has broken its use of the GPU, so that all are tried again, each by itself."""
    try:
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except RuntimeError:
        os._exit(_BROKEN)


class RowLink(Link):
    """The link of a trial that is a row: the others run while it waits for an answer, and it is updated with them."""

    def __init__(self, connection: Connection, rows: Rows):
        """Talk to the worker at the other end of a connection."""
        super().__init__(connection)
        self._rows = rows

    def __call__(self, name: str, *args: Any) -> Any:
        """Return what the worker answers, as `Link` does."""
        with self._rows.away():
            return super().__call__(name, *args)

    def advance(self, trainers: Sequence[Any]) -> str:
        """Return once trainers have had the updates before their next probe, or shall make them themselves.

        Returns why the trial cannot be updated with others; empty where it can, or nothing is known.
        """
        return self._rows.advance([one for one in trainers if isinstance(one, Trainer) and one.continues()])


class _Due:
    """Trainers of one trial that are due for the updates before their next probe."""

    def __init__(self, trainers: list[Trainer], kind: Kind):
        self.trainers, self.kind = trainers, kind
        self.until = [trainer.next_probe() for trainer in trainers]
        self.before = [trainer.state() for trainer in trainers]

    @property
    def is_done(self) -> bool:
        return all(trainer.updates >= until for trainer, until in zip(self.trainers, self.until, strict=True))

    def restore(self) -> None:
        """Take back what has been done of the updates."""
        for trainer, state in zip(self.trainers, self.before, strict=True):
            trainer.load_state(state)


class Rows:
    """The trials of a process."""

    def __init__(self) -> None:
        """Start with none."""
        self._turn = threading.Condition(threading.Lock())
        self._busy = self._away = 0
        """Trials that run or are about to, and those that wait for their workers. The others are in `_due`."""
        self._asking, self._count = 0, threading.Lock()
        """Threads that wait for their turn."""
        self._due: list[_Due] = []
        self._kinds = Kinds()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, the thread is that of a trial, and no other one runs."""
        self._enter()
        try:
            yield
        finally:
            self._busy -= 1
            self._kinds.excuse()
            self._turn.notify_all()
            self._turn.release()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Inside, which is inside `running`, others run."""
        self._busy, self._away = self._busy - 1, self._away + 1
        self._turn.release()
        try:
            yield
        finally:
            self._enter()
            self._away -= 1

    def _enter(self) -> None:
        with self._count:
            self._asking += 1
        self._turn.acquire()
        with self._count:
            self._asking -= 1
        self._busy += 1

    def advance(self, trainers: list[Trainer]) -> str:
        """Wait, inside `running`, until a trial's trainers are updated, as `RowLink.advance`."""
        if not trainers:
            return ""
        own, waited = _Due(trainers, self._kinds.of(trainers[0].training)), False
        self._due.append(own)
        self._busy -= 1
        try:
            while own in self._due:
                if not self._busy and not self._asking and (waited or not self._away):
                    self._update()
                else:
                    waited = not self._turn.wait(_PATIENCE_SECONDS)
        except BaseException:
            if own in self._due:
                self._due.remove(own)
                self._busy += 1
            raise
        return own.kind.why or ""

    def _update(self) -> None:
        """Update all that are due, kind by kind, until at least one of each has come to its probe."""
        by_kind: dict[Kind, list[_Due]] = {}
        for due in self._due:
            by_kind.setdefault(due.kind, []).append(due)
        for kind, group in by_kind.items():
            alone = len(group) == 1 or refused(kind, [due.trainers[0] for due in group])
            done = group if alone else _trained(kind, group)
            self._due = [due for due in self._due if due not in done]
            self._busy += len(done)
        self._turn.notify_all()


def _trained(kind: Kind, group: Sequence[_Due]) -> Sequence[_Due]:
    """Train trials of a kind at once until the first come to their probes, and return these.

    Where that raises each goes back to its last probe and shall train alone up to the next one, where it is seen whose
    code it was.
    """
    trainers = [trainer for due in group for trainer in due.trainers]
    until, start = [number for due in group for number in due.until], time.perf_counter()
    try:
        stacked = together(trainers)
        while not (done := [due for due in group if due.is_done]):
            stacked.step(until)
        stacked.hand_over()
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
        for due in group:
            due.restore()
        kind.failed(error)
        return group
    share = (time.perf_counter() - start) / len(trainers)
    for trainer in trainers:
        trainer.seconds += share
    return done
