"""Looking at a sweep: a live picture in a terminal, a line now and then in a log or a notebook.

The sweep's own view and `gansearch watch` are one: both read the results folder, as anybody could who sees it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from gansearch.cli.view import line, picture
from gansearch.experiment import Experiment
from gansearch.formatting import many
from gansearch.search.callbacks.listener import Listener
from gansearch.stability.result import SeedResult
from gansearch.store.folder import Folder, as_typed
from gansearch.store.object_store import is_url
from gansearch.store.record import TrialRecord
from gansearch.study.status import Status, status
from gansearch.study.study import Study, load_study

EVERY = 1.0
"""Seconds between two looks at the folder."""
APPEARS = 30.0
"""Seconds that a watch waits for a folder: a sweep that has just been started has none yet."""
_FIRST, _LAST, _GROWTH = 15.0, 600.0, 1.25
"""Seconds between two lines of a log, at first and at most: a night's sweep leaves some dozens of them."""


class LiveView(Listener):
    """Shows what runs, the best so far, and when it will be over."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console()
        self._live: Live | None = None
        self._log = _Log(self.console)
        self._look: Callable[[], Status] | None = None
        self._seen = 0.0
        self._drawn: RenderableType = Text("")

    def doing(self, what: str) -> None:
        _print(self.console, what)

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        if slots == 0:
            return
        at_once = f"{slots} at a time" if slots > 1 else "one at a time"
        where = as_typed(folder.path)
        _print(self.console, f"{experiment.name}: {many(experiment.trials, 'trial')}, {at_once}, into {where}")
        self._look = lambda: status(Study(folder, experiment))
        if _draws(self.console):
            self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2, transient=True)
            self._live.start()

    def resized(self, slots: int) -> None:
        self._say()

    def left_out(self, node: str, why: str) -> None:
        self._say()

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        self._say()

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        self._say()

    def ended(self, record: TrialRecord, in_turn: str) -> None:
        self._say()

    def confirming(self, number: int | None, seed: int, result: SeedResult | None) -> None:
        self._say()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live, self._seen = None, 0.0
            self.console.print(self._draw())  # what was there last stays
        elif self._look:
            self._log.say(self._look())
        self._look = None

    def _say(self) -> None:
        if self._look and self._live is None and self._log.due:
            self._log.say(self._look())

    def _draw(self) -> RenderableType:
        if self._look and time.monotonic() - self._seen > EVERY:
            self._seen = time.monotonic()
            try:
                self._drawn = picture(self._look(), *self.console.size)
            except (OSError, ValueError) as error:  # a full disk, a file system that is away: the sweep tells of it
                self._drawn = Text(f"the view cannot read its folder: {error}")
        return self._drawn


def watch(path: Path, console: Console | None = None) -> None:
    """Shows the sweep of a folder, which may run anywhere, until it is over. Raises StudyError, and KeyboardInterrupt
    after Ctrl-C, which ends the look and not the sweep."""
    console = console or Console()
    try:
        found = status(_appeared(path, console))
        found = _watch_drawn(found, path, console) if _draws(console) else _watch_lines(found, path, console)
    except KeyboardInterrupt:
        console.print()  # the terminal's ^C has a line of its own
        raise
    _print(console, f"next: {found.next}")


def _appeared(path: Path, console: Console) -> Study:
    """The study of a folder that may be about to be made."""
    deadline = time.monotonic() + APPEARS
    if not is_url(path) and not Folder(path).is_ours and Folder(path).is_free:
        _print(console, f"{path}: no results yet; waiting up to {APPEARS:.0f} s for a sweep that starts")
        while not Folder(path).is_ours and time.monotonic() < deadline:
            time.sleep(EVERY)
    return load_study(path)


def _watch_drawn(found: Status, path: Path, console: Console) -> Status:
    with Live(picture(found, *console.size), console=console, refresh_per_second=2) as live:
        while found.alive:
            time.sleep(EVERY)
            found = status(load_study(path))
            live.update(picture(found, *console.size))
    return found


def _watch_lines(found: Status, path: Path, console: Console) -> Status:
    log = _Log(console)
    log.say(found)
    while found.alive:
        time.sleep(EVERY)
        found = status(load_study(path))
        if log.due or not found.alive:
            log.say(found)
    return found


class _Log:
    """Lines, the rarer the longer it takes; a warning once."""

    def __init__(self, console: Console):
        self._console = console
        self._warned: set[str] = set()
        self._pause, self._said = _FIRST, time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() - self._said > self._pause

    def say(self, found: Status) -> None:
        self._pause, self._said = min(_LAST, self._pause * _GROWTH), time.monotonic()
        _print(self._console, line(found))
        for warning in found.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                _print(self._console, f"warning: {warning}")


def _print(console: Console, text: str) -> None:
    """A line as it is: a command that is wrapped cannot be copied."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _draws(console: Console) -> bool:
    """Whether there is a screen to draw on. CI services ask for colours (FORCE_COLOR), yet keep every line."""
    return console.is_interactive and console.file.isatty()
