"""Where a training loop of the user's own is called: in the main thread, where this process has kept it free.

Python lets no other thread set signal handlers, and some libraries work there alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Call = Callable[[], None]

_calls: SimpleQueue[Call | None] | None = None
"""What the main thread is asked to call, where it waits for that; None ends it."""


def beside(work: Call) -> None:
    """Runs `work` in a thread of its own, while this thread, the main one, makes the calls that are started there."""
    global _calls
    calls = _calls = SimpleQueue[Call | None]()

    def to_the_end() -> None:
        try:
            work()
        finally:
            calls.put(None)

    thread = threading.Thread(target=to_the_end)
    thread.start()
    while (one := calls.get()) is not None:
        one()
    _calls = None
    thread.join()


def start(one: Call) -> None:
    """Starts a call, which must not raise, and returns at once."""
    if _calls is None:
        threading.Thread(target=one, daemon=True).start()
    else:
        _calls.put(one)
