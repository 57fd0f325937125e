"""How a sweep can end other than well.

SweepError       the input was wrong; nothing was written
RayFailed        Ray did not start; nothing was written
SweepFailed      every trial failed, or the results folder can no longer be written
Interrupted      stopped by Ctrl-C or SIGTERM; every finished trial is kept
"""

from __future__ import annotations

from pathlib import Path


class SweepError(ValueError):
    """A sweep cannot start: its folder, its resources or what has changed; the message says what to do."""

    exit_status = 2


class RayFailed(RuntimeError):
    """Ray's own processes did not come up on this machine; the message holds what it said."""

    exit_status = 1


class SweepFailed(RuntimeError):
    """A sweep ran and came to nothing; the message holds the first error."""

    exit_status = 1

    def __init__(self, folder: Path, message: str):
        self.folder = folder
        super().__init__(message)


class Interrupted(KeyboardInterrupt):
    """A sweep was stopped; `--resume` goes on from what is in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        super().__init__(f"interrupted; the finished trials are in {folder}")
