"""Code of the user's: importing it, and what is said of what it raises."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from gansearch.experiment import suggest
from gansearch.gan.task import TaskError
from gansearch.gan.user_imports import import_file, import_from, is_installed

_OWN = f"{Path(__file__).parents[1]}/"
_MOST_LINES = 10
"""Most lines of an error's message: those of a compiler have hundreds."""
_PACKAGES: list[str] = []
"""Folders of installed packages that tasks come from."""

_HINTS = {
    "SystemExit": "exit() and parse_args() end the program (sys.argv holds the file's name alone here); what only a "
    "script does stands below `if __name__ == '__main__':`",
    "Expected more than 1 value per channel": "batch norm needs two samples in a batch: raise training.batch_size, or "
    "give a DataLoader of yours drop_last=True",
    "uninitialized parameter": "a lazy layer has no weights before its network is called: call it once before",
    "Expected hidden": "a network is called with batches of any size: it begins its hidden state anew at each call",
    "modified by an inplace operation": "inplace=True must not change what another layer needs: leave it out, "
    "above all in a network's first layer",
    "must have the same dtype|expected scalar type|Found dtype Double": "gansearch trains in float32; .float() makes a "
    "tensor or a network so",
    "Expected all tensors to be on the same device|indices should be either on cpu": "give new tensors the device of "
    "the input: torch.randn(..., device=x.device), table.to(x.device); in a loop, trial.device",
    "device type for generator": "draw on the generator's device: "
    "torch.randn(..., generator=generator, device=generator.device)",
    "backward through the graph a second time": "a network that keeps tensors of an earlier call, such as a hidden "
    "state, has to .detach() them",
    "Invalid C\\+\\+ compiler|No working C compiler|Failed to find C compiler": "torch.compile needs a compiler; "
    'backend="eager" needs none',
}
"""What to do about errors, by a part of their type or message."""


def import_user_module(name: str, spec: str) -> ModuleType:
    """Imports `package.module` or `./file.py`, which the task `spec` names.

    Raises:
        TaskError: There is no such module or file, or it raised; then the message has the user's part of the traceback.
    """
    path = Path(name)
    is_file = name.endswith(".py")
    if is_file and not path.is_file():
        siblings = [file.name for file in path.parent.glob("*.py")]
        raise TaskError(f"task: there is no file {path}{suggest(path.name, siblings)}")
    try:
        with as_program(name):
            module = import_file(path) if is_file else import_from(Path.cwd(), name)
    except TaskError:
        raise
    except BaseException as error:
        if _is_ctrl_c(error):
            raise
        if isinstance(error, ModuleNotFoundError) and error.name and name.startswith(error.name):
            raise TaskError(f"task: there is no module {error.name} (of {spec})") from None
        what = "ended the program" if isinstance(error, SystemExit) else "raised"
        raise TaskError(f"task: {name} {what} when it was imported:\n{user_traceback(error)}") from error
    if module.__file__ and is_installed(module.__file__):
        top = sys.modules[module.__name__.partition(".")[0]].__file__
        _PACKAGES.append(f"{Path(top).parent if top else module.__file__}/")
    return module


@contextmanager
def as_program(spec: str) -> Iterator[None]:
    """Inside `with`, sys.argv is that of a program without arguments: argparse in a task's code reads no others'.

    `spec` names a task, or a module.
    """
    before = sys.argv
    sys.argv = [spec.rpartition(":")[0] or spec]
    try:
        yield
    finally:
        sys.argv = before


class TrainingFailed(RuntimeError):
    """The training of a task raised; the message has the user's part of the traceback."""

    exit_status = 1


@contextmanager
def explained(spec: str) -> Iterator[None]:
    """Raises TrainingFailed for what is raised inside that is no message of ours. `spec` names the task."""
    try:
        yield
    except (Exception, SystemExit) as error:
        if hasattr(error, "exit_status"):
            raise
        raise TrainingFailed(f"{spec}: the training ended with\n{user_traceback(error)}") from error


def _is_ctrl_c(error: BaseException) -> bool:
    """Whether an error is the user's Ctrl-C, not a KeyboardInterrupt that their code raises."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, KeyboardInterrupt) and not (frames and "KeyboardInterrupt" in (frames[-1].line or ""))


def user_traceback(error: BaseException) -> str:
    """The lines of the user's code in the traceback, the error, and what to do about it where that is known.

    Lines of gansearch and of libraries are left out; where none is the user's, the error alone is left.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    if isinstance(error, TaskError) and not frames:
        return str(error)
    lines = "".join(traceback.format_exception_only(error)).rstrip().splitlines()
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "..."]
    lines += [f"hint: {hint}" for part, hint in _HINTS.items() if re.search(part, "\n".join(lines))]
    return "".join(traceback.format_list(frames)) + "\n".join(lines)


def is_users(file: str) -> bool:
    """Whether a file is of the user's code: neither ours nor installed, but for the package that a task comes from."""
    if file.startswith(_OWN) or (file.startswith("<") and not file.startswith("<ipython")):
        return False
    return not is_installed(file) or file.startswith(tuple(_PACKAGES))
