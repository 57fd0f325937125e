"""What the process of a trial and the Ray worker beside it say to each other.

The process calls what the worker can do for it, by name; the worker answers one call after the other.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

PACKED = ("rows", "ending")
"""What of a trial's report is pickled on its own: its worker passes it on, and needs none of it."""

FAILED = "failed"
"""Of a trial's last report: whether it ended by an error. Its worker alone reads it."""


class Stopped(BaseException):
    """Raised in the process of a trial by a call, once its worker wants it to end."""


class Link:
    """The process's end: `link(name, *args)` has the worker call what it knows by that name, and returns the result."""

    def __init__(self, connection: Connection):
        """Talk to the worker at the other end of a connection."""
        self._connection, self._lock, self._stopped = connection, threading.Lock(), False

    def __call__(self, name: str, *args: Any) -> Any:
        """Return what the worker answers. Raises Stopped where it wants no further call, or is gone."""
        with self._lock:
            if not self._stopped:
                try:
                    self._connection.send((name, args))
                    return self._connection.recv()[0]
                except (EOFError, OSError, IndexError):  # an empty answer is the last one
                    self._stopped = True
            raise Stopped


def answer(connection: Connection, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Answer one call, at the worker's end. What it raises is raised, and stops the process."""
    try:
        result = call(*args)
    except BaseException:
        with suppress(OSError):
            connection.send(())
        raise
    with suppress(OSError):  # it has died
        connection.send((result,))


class Packed:
    """Pickled content that a worker passes on, and whoever it is sent to unpickles: it may need torch."""

    def __init__(self, content: bytes):
        """Hold what `pickle.dumps` gave."""
        self._content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._content,)
