"""What Ctrl-C and SIGTERM do to a sweep or a training: it ends between two steps, so that no file is cut off."""

from __future__ import annotations

import shlex
import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from gansearch.store.folder import Folder, as_typed


class Interrupted(KeyboardInterrupt):
    """A sweep or a training was stopped; `--resume` continues from what is in `folder`."""

    def __init__(self, folder: Path, kept: str = "the finished trials"):
        """Say in the message that `kept` is in the folder."""
        self.folder = folder
        super().__init__(f"interrupted; {kept} are in {as_typed(folder)}")


class Interrupts:
    """Inside `with`, SIGINT and SIGTERM set `requested`; a second one raises KeyboardInterrupt at once."""

    def __init__(self) -> None:
        """Begin without a request."""
        self.requested = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        """Set the handlers. Python lets only the main thread have any."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Restore the handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class InterruptMessage:
    """Inside `with`, a plain KeyboardInterrupt is given the message that says what is kept and how to continue."""

    def __init__(self, folder: Folder, finished: bool = False):
        """Watch over a sweep into `folder`."""
        self._folder = folder
        self.finished = finished
        """Whether trials and confirmation are over: nothing is left to resume then."""

    def __enter__(self) -> InterruptMessage:
        """Return itself, so that `finished` can be set."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise the interrupt again with its message; an Interrupted has one."""
        if kind is not KeyboardInterrupt:
            return
        if self.finished:
            folder = shlex.quote(str(as_typed(self._folder.path)))
            text = f"interrupted; the sweep is finished, and this makes its page:\ngansearch report {folder}"
            raise KeyboardInterrupt(text) from None
        if self._folder.is_ours:
            raise Interrupted(self._folder.path) from None
        raise KeyboardInterrupt("interrupted; nothing was written") from None
