"""Where a training loop of the user's own is called: in the main thread, where this process has kept it free.

Python lets no other thread set signal handlers, and some libraries work there alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Call = Callable[[], None]

_calls: SimpleQueue[Call | None] | None = None
"""What the main thread is asked to call, where it waits for that; None ends it."""


def beside(function: Callable[..., T], *args: Any) -> Future[T]:
    """Calls a function in a thread of its own, while this thread, the main one, makes the calls that are started there.

    Returns when the function has ended, with what it returned or raised.
    """
    global _calls
    calls = _calls = SimpleQueue[Call | None]()
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(function, *args)
        future.add_done_callback(lambda _: calls.put(None))
        while (one := calls.get()) is not None:
            one()
        _calls = None
    return future


def start(one: Call) -> None:
    """Starts a call, which must not raise, and returns at once."""
    if _calls is None:
        threading.Thread(target=one, daemon=True).start()
    else:
        _calls.put(one)
