"""How a sweep can end other than well.

SweepError       the input was wrong; nothing was written
RayFailed        Ray did not start; nothing was written
SweepFailed      every trial failed, or the results folder can no longer be written
JobFailed        a submitted sweep ended other than well
Interrupted      stopped by Ctrl-C or SIGTERM; every finished trial is kept
Detached         Ctrl-C while a submitted sweep was followed; it goes on
"""

from __future__ import annotations

from pathlib import Path

from gansearch.store.folder import as_typed

WANTS_TOKEN = (
    "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to what `ray get-auth-token` prints on its head (or keep that in "
    "~/.ray/auth_token, or in a file that RAY_AUTH_TOKEN_PATH names)"
)
"""What to do where a cluster refuses us."""


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


class JobFailed(RuntimeError):
    """A submitted sweep ended other than well; the message holds its last lines."""

    exit_status = 1


class Interrupted(KeyboardInterrupt):
    """A sweep was stopped; `--resume` goes on from what is in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder
        super().__init__(f"interrupted; the finished trials are in {as_typed(folder)}")


class Detached(KeyboardInterrupt):
    """A submitted sweep is no longer followed; the message says how it is again."""
