"""From the name and the options in an experiment file to a task."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch

from gansearch.experiment import suggest
from gansearch.experiment.loop import names_loop
from gansearch.gan.loop.task import Loop
from gansearch.gan.options import option_error
from gansearch.gan.task import Task, TaskError
from gansearch.gan.tasks import BUILT_IN
from gansearch.gan.user_code import as_program, import_user_module, user_traceback

_LOG = logging.getLogger(__name__)

_TASKS: dict[str, type[Task]] = dict(BUILT_IN)


def register_task(name: str) -> Callable[[type[Task]], type[Task]]:
    """Class decorator: `task: name` in an experiment then means this class, in this process.

    Ray's workers are other processes: name a task of yours `package.module:Class` or `./file.py:Class` in a sweep.
    """

    def register(task: type[Task]) -> type[Task]:
        if name in _TASKS:
            raise TaskError(f'task "{name}" is already registered')
        _TASKS[name] = task
        return task

    return register


def name_elsewhere(spec: str) -> str:
    """What other processes call a task that has its name from `register_task`; empty for any other one."""
    task = None if spec in BUILT_IN else _TASKS.get(spec)
    if task is None:
        return ""
    try:
        file = inspect.getsourcefile(task)
    except (TypeError, OSError):  # written in a notebook
        file = None
    return f"{file or './my_gan.py'}:{task.__qualname__}"


def available_tasks() -> dict[str, str]:
    """The names of the registered tasks, each with the first line of its description."""
    return {name: (inspect.getdoc(task) or "").split("\n")[0] for name, task in sorted(_TASKS.items())}


def options_of(name: str) -> list[str]:
    """The names of the options that a registered task takes."""
    return list(inspect.signature(_TASKS[name]).parameters)


def load_task(spec: str, options: Mapping[str, Any] | None = None) -> Task | Loop:
    """The task that `task:` and `task_options:` name. Raises TaskError, with the traceback of the user's code."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    task = task_named(spec)
    if inspect.isclass(task):
        _restore_defaults(spec, dtype, device)
    options = dict(options or {})
    is_loop = not inspect.isclass(task)
    parameters = dict(list(inspect.signature(task).parameters.items())[is_loop:])  # the first one is the trial
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in options.keys() - parameters.keys():
            hint = suggest(name, parameters) or f"; allowed: {', '.join(parameters) or 'none'}"
            raise option_error(name, f"{spec} has no such option{hint}")
    for name in options.keys() & parameters.keys():
        _check_type(name, options[name], parameters[name].annotation)
    if is_loop:
        return Loop(spec, task, options)
    needed = [
        n for n, p in parameters.items() if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]
    if missing := [name for name in needed if name not in options]:
        raise TaskError(f"task_options: {spec} needs {', '.join(missing)}")
    try:
        with as_program(spec):
            made: Task = task(**options)
        return made
    except TaskError:
        raise
    except (TypeError, ValueError) as error:
        if not options:
            raise TaskError(f"{spec} raised when it was made:\n{user_traceback(error)}") from error
        raise TaskError(f"task_options: {spec} refuses {options}: {error}") from error
    except (Exception, SystemExit) as error:
        raise TaskError(f"{spec} raised when it was made:\n{user_traceback(error)}") from error


def _restore_defaults(spec: str, dtype: torch.dtype, device: torch.device) -> None:
    """Sets torch's defaults back to what they were before a class was imported: our trainer trains with them."""
    if (now := torch.get_default_dtype()) != dtype:
        _LOG.warning("warning: %s sets torch's default type to %s; it is trained in %s", spec, now, dtype)
        torch.set_default_dtype(dtype)
    if (there := torch.get_default_device()) != device:
        _LOG.warning("warning: %s sets torch's default device to %s; a trial has its own", spec, there)
        torch.set_default_device(None if device.type == "cpu" else device)


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "str": ((str,), "text"),
}
"""Of plain annotations: what an option may be."""


def _check_type(name: str, value: Any, annotation: Any) -> None:
    """Raises TaskError for an option that is not what its parameter's annotation, where that is a plain one, says."""
    types, what = _TYPES.get(
        annotation if isinstance(annotation, str) else getattr(annotation, "__name__", ""), ((), "")
    )
    if types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
        raise option_error(name, f"must be {what}, not {value!r}")


def task_named(spec: str) -> Callable[..., Any]:
    """The class that `task:` names, or the function of a loop of the user's own, imported. Raises TaskError."""
    if ":" not in spec:
        if spec in _TASKS:
            return _TASKS[spec]
        raise TaskError(
            f'task: there is no "{spec}"{suggest(spec, _TASKS)} (built in: {", ".join(sorted(_TASKS))}; '
            "your own: package.module:Class or ./file.py:Class)"
        )
    path, _, name = spec.rpartition(":")
    module = import_user_module(path, spec)
    if not hasattr(module, name):
        classes = [n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, Task) and v is not Task]
        loops = [n for n, v in vars(module).items() if inspect.isfunction(v) and v.__module__ == module.__name__]
        near = difflib.get_close_matches(name, [*classes, *loops], n=1) or (loops if names_loop(spec) else classes)
        raise TaskError(f"task: {path} has no {name}" + (f'; did you mean "{near[0]}"?' if near else ""))
    task: Callable[..., Any] = getattr(module, name)
    is_task = inspect.isclass(task) and issubclass(task, Task)
    if names_loop(spec):
        if is_task:
            raise TaskError(f"task: {spec} is a class, and a small letter means a function: give it a capital")
        if inspect.isclass(task) or not callable(task):
            raise TaskError(f"task: {spec} is not a function {name}(trial)")
    elif not is_task:
        also = "; a function begins with a small letter" if inspect.isfunction(task) else ""
        raise TaskError(f"task: {spec} is not a class derived from gansearch.Task{also}")
    return task
