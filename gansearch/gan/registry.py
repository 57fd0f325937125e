"""From the name in an experiment file to a task that is known to work."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from gansearch.gan.data import data_of
from gansearch.gan.loop.task import Loop
from gansearch.gan.networks import discriminator_of
from gansearch.gan.task import Task, TaskError
from gansearch.gan.tasks import BUILT_IN

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


def load_task(spec: str, options: Mapping[str, Any] | None = None) -> Task | Loop:
    """The task that `task:` and `task_options:` name. Raises TaskError, with the traceback of the user's code."""
    task = task_named(spec)
    options = dict(options or {})
    is_loop = not inspect.isclass(task)
    parameters = dict(list(inspect.signature(task).parameters.items())[is_loop:])  # the first one is the trial
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        for name in options.keys() - parameters.keys():
            near = difflib.get_close_matches(name, parameters, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"allowed: {', '.join(parameters) or 'none'}"
            raise TaskError(f"task_options.{name}: {spec} has no such option; {hint}")
    for name in options.keys() & parameters.keys():
        _check_type(name, options[name], parameters[name].annotation)
    if is_loop:
        return Loop(spec, task, options)
    try:
        made: Task = task(**options)
        return made
    except TaskError:
        raise
    except (TypeError, ValueError) as error:
        raise TaskError(f"task_options: {spec} refuses {options}: {error}") from error
    except Exception as error:
        raise TaskError(f"{spec} raised when it was made:\n{user_traceback(error)}") from error


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
        raise TaskError(f"task_options.{name}: must be {what}, not {value!r}")


def check_task(task: Task | Loop, device: str | torch.device = "cpu") -> None:
    """Passes a few samples through both networks. Raises TaskError that names the shapes that do not fit."""
    if isinstance(task, Loop):
        return  # its networks are its own affair
    device = torch.device(device)
    name = type(task).__name__
    try:
        real = data_of(task, device).held_out[:4]
        networks = {"generator()": task.generator(), "discriminator()": discriminator_of(task)}
    except TaskError:
        raise
    except Exception as error:
        raise TaskError(f"{name} raised:\n{user_traceback(error)}") from error
    for what, network in networks.items():
        if not isinstance(network, nn.Module):
            raise TaskError(f"{name}: {what} must give an nn.Module, not a {type(network).__name__}")
    generator, discriminator = (network.to(device) for network in networks.values())
    try:
        fake = generator(torch.randn(4, task.latent_dim, device=device))
    except Exception as error:
        raise TaskError(
            f"{name}: the generator cannot take (B, {task.latent_dim}) numbers, as latent_dim = {task.latent_dim} "
            f"says:\n{user_traceback(error)}"
        ) from error
    if not isinstance(fake, torch.Tensor):
        raise TaskError(f"{name}: the generator gives a {type(fake).__name__}, not a tensor of samples")
    if fake.shape[1:] != real.shape[1:]:
        raise TaskError(
            f"{name}: the generator's samples have shape {_shape(fake)}, the real ones {_shape(real)}; they must agree"
        )
    for what, samples in {"real": real, "generated": fake}.items():
        try:
            scores = discriminator(samples)
        except Exception as error:
            first = next((p.shape for p in discriminator.parameters()), None)
            raise TaskError(
                f"{name}: the discriminator cannot take {what} samples of shape {_shape(samples)} "
                f"(its first weight has shape {tuple(first) if first else None}): {error}"
            ) from error
        if not isinstance(scores, torch.Tensor):
            raise TaskError(
                f"{name}: the discriminator gives a {type(scores).__name__}, not scores; "
                "define score(self, outputs) that takes them out of it"
            )
        if tuple(scores.shape) not in ((4,), (4, 1)):
            raise TaskError(
                f"{name}: the discriminator must give (B,) or (B, 1) scores, not {tuple(scores.shape)} for B = 4"
            )
    last = [module for module in discriminator.modules() if not list(module.children())][-1:]
    if (last and isinstance(last[0], nn.Sigmoid)) or _ends_in_sigmoid(scores):
        raise TaskError(f"{name}: the discriminator ends in a sigmoid; give raw scores (leave the sigmoid out)")


def _ends_in_sigmoid(scores: torch.Tensor) -> bool:
    """Whether a sigmoid made them, but for a change of shape, wherever in the code it stands."""
    made_by = scores.grad_fn
    while made_by is not None and made_by.name().startswith(_SHAPES):
        made_by = made_by.next_functions[0][0]
    return made_by is not None and made_by.name().startswith("SigmoidBackward")


_SHAPES = ("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "Alias", "Clone")
"""What changes of shape are called in autograd's graph."""


def user_traceback(error: BaseException) -> str:
    """The traceback from the first line that is not gansearch's, importlib's or torch's, to the last that is not
    gansearch's, with the error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = str(Path(__file__).parents[1])
    inside = (own, "<frozen", str(Path(torch.__file__).parent), str(Path(importlib.__file__).parent))
    users = [i for i, frame in enumerate(frames) if not frame.filename.startswith(inside)]
    if isinstance(error, TaskError) and not users:
        return str(error)
    theirs = [i for i, frame in enumerate(frames) if not frame.filename.startswith(own)]
    shown = frames[users[0] : theirs[-1] + 1] if users else frames
    return "".join([*traceback.format_list(shown), *traceback.format_exception_only(error)]).rstrip()


def _shape(samples: torch.Tensor) -> tuple[int, ...]:
    return tuple(samples.shape[1:])


def task_named(spec: str) -> Callable[..., Any]:
    """The class that `task:` names, or the function of a loop of the user's own, imported. Raises TaskError."""
    if ":" not in spec:
        if spec in _TASKS:
            return _TASKS[spec]
        near = difflib.get_close_matches(spec, _TASKS, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise TaskError(
            f'task: there is no "{spec}"{hint} (built in: {", ".join(sorted(_TASKS))}; '
            "your own: package.module:Class or ./file.py:Class)"
        )
    where, _, name = spec.rpartition(":")
    module = _module(where, spec)
    if not hasattr(module, name):
        classes = [n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, Task) and v is not Task]
        loops = [n for n, v in vars(module).items() if inspect.isfunction(v) and v.__module__ == module.__name__]
        near = difflib.get_close_matches(name, [*classes, *loops], n=1) or (loops if _names_loop(name) else classes)
        raise TaskError(f"task: {where} has no {name}" + (f'; did you mean "{near[0]}"?' if near else ""))
    task: Callable[..., Any] = getattr(module, name)
    is_task = inspect.isclass(task) and issubclass(task, Task)
    if _names_loop(name):
        if is_task:
            raise TaskError(f"task: {spec} is a class, and a small letter means a function: give it a capital")
        if inspect.isclass(task) or not callable(task):
            raise TaskError(f"task: {spec} is not a function {name}(trial)")
    elif not is_task:
        also = "; a function begins with a small letter" if inspect.isfunction(task) else ""
        raise TaskError(f"task: {spec} is not a class derived from gansearch.Task{also}")
    return task


def _names_loop(name: str) -> bool:
    """Whether a name is that of a loop, train(trial), as an experiment understands it too."""
    return name.lstrip("_")[:1].islower()


def _module(where: str, spec: str) -> ModuleType:
    try:
        if where.endswith(".py"):
            return _module_of_file(Path(where))
        if not {"", str(Path.cwd())} & set(sys.path):
            sys.path.append(str(Path.cwd()))  # as `python -m` has it; a console script does not
        return importlib.import_module(where)
    except TaskError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and where.startswith(error.name):
            raise TaskError(f"task: there is no module {error.name} (of {spec})") from None
        raise TaskError(f"task: {where} raised when it was imported:\n{user_traceback(error)}") from error


def _module_of_file(path: Path) -> ModuleType:
    """The module of a file, imported once a process; modules beside it can be imported by it."""
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.py")], n=1)
        raise TaskError(f"task: there is no file {path}" + (f'; did you mean "{near[0]}"?' if near else ""))
    name = f"{path.stem}_{hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
