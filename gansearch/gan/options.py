"""Checks of a task's options, whose errors name the option and what it may be."""

from __future__ import annotations

from collections.abc import Iterable

from gansearch.experiment import suggest
from gansearch.gan.task import TaskError


def option_error(name: str, message: str) -> TaskError:
    """Returns the error of one option, to be raised. Its message begins with the option's path in the experiment."""
    return TaskError(f"task_options.{name}: {message}")


def positive(**options: float) -> None:
    """Checks that numbers are above 0. Raises TaskError that names the first one that is not."""
    for name, value in options.items():
        if not value > 0:
            raise option_error(name, f"must be above 0, not {value!r}")


def one_of(name: str, value: object, allowed: Iterable[object]) -> None:
    """Checks that an option has one of the allowed values. Raises TaskError that lists them."""
    if value not in allowed:
        names = [str(item).lower() if isinstance(item, bool) else str(item) for item in allowed]  # as YAML writes them
        raise option_error(name, f"{value!r} is not one of {', '.join(names)}{suggest(str(value), names)}")
