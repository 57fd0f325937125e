"""What is wrong with a script's task once its files are looked at."""

from __future__ import annotations

from gansearch.gan.task import TaskError


class ScriptError(TaskError):
    """A script cannot be made a trial: a file, an edit or a patch does not fit. The message is one sentence."""
