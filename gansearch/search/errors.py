"""How a sweep can end other than well, but for `gansearch.interrupts.Interrupted`.

SweepError       the input was wrong; nothing was written
RayFailed        Ray did not start; nothing was written
SweepFailed      every trial failed, or the results folder can no longer be written
JobFailed        a submitted sweep ended other than well
Detached         Ctrl-C while a submitted sweep was followed, which continues
"""

from __future__ import annotations

from pathlib import Path

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
        """Name the results folder, in which the trials are."""
        self.folder = folder
        super().__init__(message)


class JobFailed(RuntimeError):
    """A submitted sweep ended other than well; the message holds its last lines."""

    exit_status = 1


class Detached(KeyboardInterrupt):
    """A submitted sweep is no longer followed; the message says how to follow it again."""
