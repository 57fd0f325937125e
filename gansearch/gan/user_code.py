"""Code of the user's: importing it, and the part of a traceback that is about it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

import torch

from gansearch.experiment import suggest
from gansearch.gan.task import TaskError


def import_user_module(name: str, spec: str) -> ModuleType:
    """Imports `package.module` or `./file.py`, which the task `spec` names.

    Raises:
        TaskError: There is no such module or file, or it raised; then the message has the user's part of the traceback.
    """
    try:
        if name.endswith(".py"):
            return _module_of_file(Path(name))
        if not {"", str(Path.cwd())} & set(sys.path):
            sys.path.append(str(Path.cwd()))  # as `python -m` has it; a console script does not
        return importlib.import_module(name)
    except TaskError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and name.startswith(error.name):
            raise TaskError(f"task: there is no module {error.name} (of {spec})") from None
        raise TaskError(f"task: {name} raised when it was imported:\n{user_traceback(error)}") from error


def user_traceback(error: BaseException) -> str:
    """The traceback with the error, from the first line of the user's code on.

    Lines of gansearch, importlib and torch before it are left out, and lines of gansearch behind it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = str(Path(__file__).parents[1])
    not_users = (own, "<frozen", str(Path(torch.__file__).parent), str(Path(importlib.__file__).parent))
    users = [i for i, frame in enumerate(frames) if not frame.filename.startswith(not_users)]
    if isinstance(error, TaskError) and not users:
        return str(error)
    not_own = [i for i, frame in enumerate(frames) if not frame.filename.startswith(own)]
    printed = frames[users[0] : not_own[-1] + 1] if users else frames
    return "".join([*traceback.format_list(printed), *traceback.format_exception_only(error)]).rstrip()


def _module_of_file(path: Path) -> ModuleType:
    """The module of a file, imported once per process; it can import modules beside it."""
    if not path.is_file():
        siblings = [file.name for file in path.parent.glob("*.py")]
        raise TaskError(f"task: there is no file {path}{suggest(path.name, siblings)}")
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
