"""Imports of the user's own files: what lies beside them comes before installed modules and the standard library.

So it is for a script that Python runs. Here only the user's files see it: a library that imports `statistics` later
gets the standard one, though the user's folder has a file of that name.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

_STANDARD = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_FOLDERS: list[str] = []
"""Folders of the user's files."""
_FILES: dict[str, Path] = {}
"""The user's files by the names of modules that they have in this process alone."""


def import_file(path: Path) -> ModuleType:
    """Returns the module of a file, imported once per process; it can import modules beside it."""
    _add_folder(str(path.parent))
    return importlib.import_module(_own_name(path))


def import_from(folder: Path, name: str) -> ModuleType:
    """Imports `package.module`, of the folder where it has one of that name."""
    _add_folder(str(folder))
    return importlib.import_module(_resolved(str(folder), name, ""))


def is_installed(file: str) -> bool:
    """Returns whether a file is of the standard library or of an installed package."""
    return file.startswith(_STANDARD) or not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def _add_folder(folder: str) -> None:
    if folder not in _FOLDERS:
        _FOLDERS.append(folder)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        at = next((i for i, finder in enumerate(sys.meta_path) if finder is PathFinder), len(sys.meta_path))
        sys.meta_path.insert(at, _Finder())
    if folder not in sys.path and not (folder == str(Path.cwd()) and "" in sys.path):
        sys.path.append(folder)


def _own_name(path: Path) -> str:
    """The name of a file's module, or of a package's, which no other module has."""
    where = path.parent if path.name == "__init__.py" else path
    name = f"{where.stem}_{hashlib.sha1(str(where).encode(), usedforsecurity=False).hexdigest()[:8]}"
    _FILES[name] = path
    return name


def _file_of(folder: str, name: str) -> Path | None:
    """The file of a module or of a package's beginning in a folder; None where there is none."""
    files = (Path(folder, name, "__init__.py"), Path(folder, f"{name}.py"))
    return next((file for file in files if file.is_file()), None)


def _resolved(folder: str, name: str, importer: str) -> str:
    """The name by which a file of `folder` imports `name`: another one where it would get somebody else's module."""
    top, dot, rest = name.partition(".")
    file = _file_of(folder, top)
    if file is None or str(file) == importer or top == "gansearch":
        return name
    try:
        spec = sys.modules[top].__spec__ if top in sys.modules else importlib.util.find_spec(top)
    except (ValueError, ImportError):
        return name
    found = spec.origin if spec else None
    return name if spec is None or (found and Path(found) == file) else _own_name(file) + dot + rest


class _Finder(MetaPathFinder):
    """Finds the user's files: by their own names, and by plain ones where nobody else has these."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of a file in one of the folders; None for everything else."""
        if fullname.partition(".")[0] == "gansearch":
            return None
        if fullname in _FILES:
            spec = importlib.util.spec_from_file_location(fullname, _FILES[fullname])
            folder = str(_FILES[fullname].parent)
        else:
            spec = PathFinder.find_spec(fullname, path)
            folder = str(Path(spec.origin).parent) if spec and spec.origin else ""
        root = next((one for one in _FOLDERS if folder == one or Path(folder).is_relative_to(one)), None)
        if spec is None or root is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if is_installed(spec.loader.path):
            return None  # in a virtual environment below the user's folder
        spec.loader = _Loader(fullname, spec.loader.path, root)
        return spec


class _Loader(SourceFileLoader):
    """Runs a file whose imports look beside it first."""

    def __init__(self, name: str, path: str, folder: str):
        super().__init__(name, path)
        self._folder = folder

    def exec_module(self, module: ModuleType) -> None:
        """Runs the file with an `__import__` of its own, which all its functions have too."""
        own = functools.partial(_import, self._folder, self.path)
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": own}
        super().exec_module(module)


def _import(
    folder: str,
    importer: str,
    name: str,
    globals: Mapping[str, Any] | None = None,
    locals: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    """Is `__import__` in the user's files."""
    if level == 0:
        name = _resolved(folder, name, importer)
    return builtins.__import__(name, globals, locals, fromlist or (), level)
