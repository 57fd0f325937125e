"""One Ctrl-C is enough: it is noticed between two steps, so that nothing is cut off in writing."""

from __future__ import annotations

import shlex
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from gansearch.search.errors import Interrupted
from gansearch.store.folder import Folder, as_typed


class Interrupts:
    """Inside `with`, SIGINT and SIGTERM set `requested`; a second one raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        # Python lets only the main thread have signal handlers.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class LastWord:
    """Inside `with`, a Ctrl-C that ends everything at once says what is kept and which command comes next."""

    def __init__(self, folder: Folder, finished: bool = False):
        self._folder = folder
        self.finished = finished
        """Whether trials and confirmation are over: there is nothing to go on with then."""

    def __enter__(self) -> LastWord:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not KeyboardInterrupt:  # Interrupted has had its word
            return
        if self.finished:
            where = shlex.quote(str(as_typed(self._folder.path)))
            text = f"interrupted; the sweep is finished, and this makes its page:\ngansearch report {where}"
            raise KeyboardInterrupt(text) from None
        if self._folder.is_ours:
            raise Interrupted(self._folder.path) from None
        raise KeyboardInterrupt("interrupted; nothing was written") from None
