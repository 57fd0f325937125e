"""How a sweep or a training ends that was asked to, by Ctrl-C or another signal: what it says."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from gansearch.store.folder import Folder, as_typed


class Interrupted(KeyboardInterrupt):
    """A sweep or a training was stopped; `--resume` continues from what is in `folder`."""

    def __init__(self, folder: Path, kept: str = "the finished trials are"):
        """Say in the message what is in the folder."""
        self.folder = folder
        super().__init__(f"interrupted; {kept} in {as_typed(folder)}")


class InterruptMessage:
    """Inside `with`, a plain KeyboardInterrupt is given the message that says what is kept and how to continue."""

    def __init__(self, folder: Folder):
        """Watch over a sweep into `folder`."""
        self._folder = folder
        self.finished = False
        """Whether trials and confirmation are over: what is left to do is best.yaml and the page."""

    def __enter__(self) -> InterruptMessage:
        """Return itself, so that `finished` can be set."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise the interrupt again with its message; an Interrupted has one."""
        if kind is not KeyboardInterrupt:
            return
        if not self._folder.is_ours:
            raise KeyboardInterrupt("interrupted; nothing was written") from None
        if self.finished:
            raise Interrupted(self._folder.path, "the sweep is finished, but its report may be missing") from None
        raise Interrupted(self._folder.path) from None
