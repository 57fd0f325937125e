"""The signals that ask a process to end: Ctrl-C, a closed terminal, a batch system before the time of a job is over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
"""Slurm sends SIGUSR1 or SIGUSR2 where `--signal` asks for one, and SIGTERM before SIGKILL."""
_ALWAYS = (signal.SIGINT, signal.SIGTERM)
"""Those that are taken from a handler of the caller's or of a library's too."""


class Interrupts:
    """Inside `with`, the first signal that asks to end sets `requested`; a second one raises KeyboardInterrupt."""

    def __init__(self) -> None:
        """Begin without a request."""
        self.requested = False
        self._taken = _handled(self._handle)

    def __enter__(self) -> Interrupts:
        """Set the handlers."""
        self._taken.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Restore the handlers."""
        self._taken.__exit__(*error)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, a signal that asks to end raises KeyboardInterrupt, as Ctrl-C does."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def deferred() -> Iterator[None]:
    """Inside, such a signal is kept until the block is over, which then raises KeyboardInterrupt."""
    with Interrupts() as interrupts:
        yield
    if interrupts.requested:
        raise KeyboardInterrupt


@contextmanager
def blocked(numbers: Collection[signal.Signals]) -> Iterator[None]:
    """Inside, these signals wait; a process that is started there never gets them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Handle the signals that nobody else handles. One that is ignored stays so: nohup asks for that.

    Python lets only the main thread have handlers; nothing changes in another one.
    """
    before: dict[signal.Signals, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in ENDING:
                current = signal.getsignal(number)
                if _is_free(number, current):
                    before[number] = current
                    signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _is_free(number: signal.Signals, handler: Any) -> bool:
    """Return whether a signal may be handled here. None stands for a handler that was not set from Python."""
    if handler in (None, signal.SIG_IGN):
        return False
    own = getattr(handler, "__self__", None)
    return number in _ALWAYS or handler in (signal.SIG_DFL, signal.default_int_handler) or isinstance(own, Interrupts)
