"""The settings of Ray Tune that a sweep needs, for as long as it runs."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from gansearch.search.environment import environment

SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",
    # Workers stay in the directory in which they start. Tune hands this one to each worker that it starts.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # The Optuna study holds the state of a sweep: one snapshot of Tune's own at the start and one at the end will do.
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}
"""Environment variables. Ray 2.60 reads all of them when a sweep calls it, none when it is imported."""
_CHANGED = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN")
"""Variables that Ray, or `gansearch.search.cluster.start`, sets when it starts."""


def ray_settings() -> AbstractContextManager[None]:
    """Set Ray's environment variables, and restore them at the end."""
    return environment({**{name: os.environ.get(name) for name in _CHANGED}, **SETTINGS})
