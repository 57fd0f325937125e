"""A training loop of the user's own: the function `train(trial)`, checked before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from gansearch.gan.task import TaskError, Trainable


class Loop(Trainable):
    """A training loop of the user's own, which makes and trains its networks itself and reads its data: no `Task`."""

    def __init__(self, spec: str, function: Callable[..., Any], options: Mapping[str, Any]):
        """Checks that the function can be called as `function(trial, **options)`. Raises TaskError where it cannot."""
        self.name, self.function, self.options = spec.rpartition(":")[2], function, dict(options)
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError) as error:
            raise TaskError(f"task: {spec} cannot be called as {self.name}(trial): {error}") from None
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise TaskError(f"task: {spec} must be a plain function, not a generator or a coroutine")
        first = parameters[:1]
        if not first or first[0].kind not in (first[0].POSITIONAL_ONLY, first[0].POSITIONAL_OR_KEYWORD):
            raise TaskError(f"task: {spec} must take the trial: def {self.name}(trial)")
        given = {first[0].name, *self.options}
        needs = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        missing = [name for name in needs if name not in given]
        if missing:
            raise TaskError(
                f"task: {spec} is called as {self.name}(trial), but also needs {', '.join(missing)}; "
                "give them as task_options:, give them defaults, or read them from trial.params"
            )
