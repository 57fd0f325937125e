"""Shows a sweep while it runs: a live picture in a terminal, a line now and then in a log or a notebook.

The sweep's own view and `gansearch watch` draw the same picture. Both read the results folder alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from gansearch.cli.terminal import is_lost
from gansearch.cli.view import line, picture
from gansearch.experiment import Experiment, masked
from gansearch.formatting import many, shown
from gansearch.search.callbacks.listener import Listener
from gansearch.store.folder import Folder, as_typed
from gansearch.store.object_store import is_url
from gansearch.study.status import Status, status
from gansearch.study.study import Study, load_sweep

POLL_SECONDS = 1.0
"""Time between two readings of the folder."""
APPEARANCE_SECONDS = 30.0
"""How long a watch waits for the folder of a sweep that has just been started."""
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 15.0, 600.0, 1.25
"""Seconds between two lines of a log, at first and at most. A sweep of a night writes some dozens of lines."""


class LiveView(Listener):
    """Shows the running trials, the best trial so far, and when the sweep will end."""

    def __init__(self, console: Console | None = None):
        """Writes to `console`, or to stdout."""
        self.console = console or FitConsole()
        self._live: Live | None = None
        self._log = _Log(self.console)
        self._read_status: Callable[[], Status] | None = None
        self._read_at = -math.inf
        self._picture: RenderableType = Text("")

    def doing(self, what: str) -> None:
        """Prints what the sweep does before the first or after the last trial."""
        _print(self.console, what)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        """Starts the live picture in a terminal. Without a terminal, later events write lines."""
        if slots == 0:
            return
        at_once = f"{slots} at a time" if slots > 1 else "one at a time"
        trials = "as many trials as are worth it" if experiment.trials == "auto" else many(experiment.trials, "trial")
        path = as_typed(folder.path)
        _print(self.console, f"{experiment.name}: {trials}, {at_once}, into {path}")
        self._read_status = lambda: status(Study(folder, experiment))
        if _is_screen(self.console):
            self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2, transient=True)
            self._live.start()

    def _log_status(self, *event: Any, **details: Any) -> None:
        """Writes a line if one is due. The status is read from the folder, so every event is handled alike."""
        if self._read_status and self._live is None and self._log.is_due:
            self._log.write(self._read_status())

    resized = left_out = started = probes = ended = confirming = _log_status

    def close(self) -> None:
        """Ends the view. The last picture stays on the screen."""
        if self._live is not None:
            self._live.stop()
            self._live, self._read_at = None, -math.inf
            self.console.print(self._draw())
        elif self._read_status:
            self._log.write(self._read_status())
        self._read_status = None

    def _draw(self) -> RenderableType:
        if self._read_status and time.monotonic() - self._read_at > POLL_SECONDS:
            self._read_at = time.monotonic()
            try:
                self._picture = picture(self._read_status(), *self.console.size)
            except (OSError, ValueError) as error:  # the sweep itself reports a full disk or a lost file system
                self._picture = Text(f"the view cannot read its folder: {error}")
        return self._picture


def watch(path: Path, console: Console | None = None) -> None:
    """Shows the sweep of a folder until it ends. The sweep may run on another machine.

    Raises StudyError if there is no such folder. Ctrl-C raises KeyboardInterrupt; the sweep goes on.
    """
    console = console or FitConsole()
    try:
        current = status(_wait_for_study(path, console))
        current = (_watch_screen if _is_screen(console) else _watch_log)(current, path, console)
    except KeyboardInterrupt:
        console.print()  # ends the terminal's line with ^C
        raise
    _print(console, f"next: {current.next}")


def _wait_for_study(path: Path, console: Console) -> Study:
    """Loads a study, whose folder may be created in a moment."""
    deadline = time.monotonic() + APPEARANCE_SECONDS
    if not is_url(path) and not Folder(path).is_ours and Folder(path).is_free:
        _print(console, f"{path}: no results yet; waiting up to {APPEARANCE_SECONDS:.0f} s for a sweep that starts")
        while not Folder(path).is_ours and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    return load_sweep(path)


def _watch_screen(current: Status, path: Path, console: Console) -> Status:
    with Live(picture(current, *console.size), console=console, refresh_per_second=2) as live:
        while current.alive and not is_lost():
            time.sleep(POLL_SECONDS)
            current = status(load_sweep(path))
            live.update(picture(current, *console.size))
    return current


def _watch_log(current: Status, path: Path, console: Console) -> Status:
    log = _Log(console)
    log.write(current)
    while current.alive and not is_lost():
        time.sleep(POLL_SECONDS)
        current = status(load_sweep(path))
        if log.is_due or not current.alive:
            log.write(current)
    return current


class _Log:
    """Writes lines at growing intervals, and each warning once."""

    def __init__(self, console: Console):
        self._console = console
        self._warned: set[str] = set()
        self._pause, self._written_at = _FIRST_PAUSE, time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._written_at > self._pause

    def write(self, current: Status) -> None:
        self._pause, self._written_at = min(_LONGEST_PAUSE, self._pause * _GROWTH), time.monotonic()
        _print(self._console, line(current))
        for warning in current.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                _print(self._console, f"warning: {warning}")


class FitConsole(Console):
    """A console that displays escapes in what it is given, and obeys its own alone; passwords are masked."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """Return the segments of what is printed."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(masked(shown(segment.text)), segment.style)


def _print(console: Console, text: str) -> None:
    """Prints a line without wrapping: a wrapped command cannot be copied."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _is_screen(console: Console) -> bool:
    """Returns whether the console is a screen. CI services ask for colours (FORCE_COLOR), yet keep every line."""
    return console.is_interactive and console.file.isatty()
