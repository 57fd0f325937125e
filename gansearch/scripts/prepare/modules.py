"""The files of a script's code, found by its imports; nothing is imported."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gansearch.scripts.errors import ScriptError

_MOST = 300
"""Files that are read at most."""


@dataclass(frozen=True)
class Module:
    """A file of Python."""

    path: Path
    name: str
    """Its path from the folder that the command is run in."""
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its syntax tree."""
        return list(ast.walk(self.tree))

    @cached_property
    def calls(self) -> list[tuple[str, ast.Call]]:
        """Its calls, each with the name that is called: `optim.Adam`."""
        return [(ast.unparse(node.func), node) for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def functions(self) -> set[str]:
        """The names of its functions."""
        return {node.name for node in self.nodes if isinstance(node, ast.FunctionDef)}

    def at(self, node: ast.AST) -> str:
        """Return where a node is: `train.py:12`."""
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


def source_of(path: Path) -> str:
    """Return the text of a file of Python. Raises ScriptError where it cannot be read."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except OSError as error:
        raise ScriptError(f"{path} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise ScriptError(f"{path} is no text of Python: {error}") from None


def parsed(source: str) -> ast.Module:
    """Return a syntax tree, without Python's warnings, which name no file. Raises SyntaxError and ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (MemoryError, RecursionError):  # such as a table of data as one long sum
            raise ValueError("an expression is nested too deeply") from None


def modules(script: Path, here: Path) -> list[Module]:
    """Return a script and the files that it imports from its own folder and from `here`, the script first.

    Raises:
        ScriptError: The script cannot be read, or is not Python.
    """
    found: dict[Path, Module] = {}
    waiting = [script]
    while waiting and len(found) < _MOST:
        path = waiting.pop(0)
        if path in found:
            continue
        try:
            tree = parsed(source_of(path))
        except (SyntaxError, ValueError) as error:
            if path != script:
                continue
            if isinstance(error, ScriptError):
                raise
            raise ScriptError(f"{path} is not Python that can be read: {error}") from None
        name = path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
        found[path] = Module(path, name, tree)
        waiting += [one for one in _imported(found[path], [script.parent, here, here / "src"]) if one not in found]
    return list(found.values())


def _imported(module: Module, folders: list[Path]) -> Iterator[Path]:
    """Yield the files that a module imports, where they are in one of the folders."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from (file for alias in node.names for file in _files(folders, alias.name.split(".")))
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            among = [module.path.parents[node.level - 1]] if node.level else folders
            for alias in node.names:
                yield from _files(among, [*parts, alias.name])
    if any(name.endswith("import_module") for name, _ in module.calls):
        texts = [node.value for node in module.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        for text in texts:
            if re.fullmatch(r"\w+(\.\w+)*\.", text):  # as in import_module("models." + name)
                package = next((one for one in (f.joinpath(*text.split(".")) for f in folders) if one.is_dir()), None)
                yield from sorted(package.glob("*.py")) if package else ()


def _files(folders: list[Path], parts: list[str]) -> Iterator[Path]:
    """Yield the files of a dotted name: its packages' and its own."""
    for folder in folders:
        if not any((folder / name).exists() for name in (parts[0], f"{parts[0]}.py")):
            continue
        for end in range(1, len(parts) + 1):
            path = folder.joinpath(*parts[:end])
            candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
            yield from (one for one in candidates if one.is_file())
        return
