"""What is wrong with a script's task once its files are looked at."""

from __future__ import annotations

from gansearch.gan.task import TaskError


class ScriptError(TaskError):
    """A script cannot be made a trial: a file, an edit or a patch does not fit. The message is one sentence."""


class ScriptFailed(RuntimeError):
    """A script failed: the first line says how, the others are the last that it printed."""

    exit_status = 1
