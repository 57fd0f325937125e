"""The options of a script's command line that argparse reads, by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gansearch.scripts.prepare.edits import assigned
from gansearch.scripts.prepare.modules import Module

_ACTIONS = {"store_true": "on", "store_false": "off", "BooleanOptionalAction": "both", "store_const": "on"}


@dataclass(frozen=True)
class Option:
    """An input of a script."""

    name: str
    """Under which the script reads it."""
    flag: str
    """How the command names it: `--lr`; empty for an argument without a name."""
    default: Any
    """Its value when not given; None where there is none, or where it is no literal."""
    kind: str
    """What the command gives it. `value`: a text; `bool`: a text of which only the empty one is false, as `type=bool`
    reads; `on` and `off`: nothing, which sets or clears it; `both`: `--x` or `--no-x`."""
    required: bool
    where: str
    """`train.py:12`."""
    command: str | None = None
    """The subcommand that it belongs to; empty for the script itself, None where that cannot be said."""


def literal(node: ast.AST | None) -> Any:
    """Return the value of a literal, None for anything else."""
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def argparse_options(modules: Sequence[Module]) -> Iterator[Option]:
    """Yield the options that are added to parsers, wherever in the code."""
    for module in modules:
        for name, call in module.calls:
            flags = [literal(one) for one in call.args]
            if not name.endswith("add_argument") or not flags or not all(isinstance(one, str) for one in flags):
                continue
            words = {word.arg: word.value for word in call.keywords if word.arg}
            long = next((one for one in flags if one.startswith("--")), flags[0])
            dest = literal(words.get("dest")) or long.lstrip("-").replace("-", "_")
            action = ast.unparse(words["action"]).strip("'\"").rpartition(".")[2] if "action" in words else ""
            if action in ("help", "version"):
                continue
            is_bool = "type" in words and ast.unparse(words["type"]) == "bool"
            positional = not long.startswith("-")
            required = bool(literal(words.get("required"))) or (positional and "nargs" not in words)
            kind = _ACTIONS.get(action) or ("bool" if is_bool else "value")
            default = literal(words.get("default"))
            if default is None and kind in ("on", "off"):
                default = kind == "off"
            command = _subcommand(module, name.rpartition(".")[0], call.lineno)
            yield Option(dest, "" if positional else long, default, kind, required, module.at(call), command)


def _subcommand(module: Module, parser: str, line: int) -> str | None:
    """Return the subcommand of a parser, by what its name was last given above a line; as `Option.command`."""
    if not any(name.endswith("add_parser") for name, _ in module.calls):
        return None
    made = [one for name, one in assigned(module.tree) if name == parser and one.lineno < line]
    call = max(made, key=lambda one: one.lineno, default=None)
    if not isinstance(call, ast.Call):
        return None
    owner, _, called = ast.unparse(call.func).rpartition(".")
    if called == "add_parser":
        return literal(call.args[0]) if call.args else None
    if called in ("add_argument_group", "add_mutually_exclusive_group"):
        return _subcommand(module, owner, call.lineno)
    is_whole = called == "ArgumentParser" and not any(word.arg == "add_help" for word in call.keywords)
    return "" if is_whole else None


def is_hydra(modules: Sequence[Module]) -> bool:
    """Return whether a script's command line is read by Hydra."""
    return any(
        isinstance(node, ast.FunctionDef) and any("hydra.main" in ast.unparse(one) for one in node.decorator_list)
        for module in modules
        for node in module.nodes
    )


def refuses(modules: Sequence[Module], name: str) -> bool:
    """Return whether a script fails where the folder that it reads as `name` exists: it makes it, or raises.

    That is `os.makedirs(opt.out)` without `exist_ok` outside of an `if` and a `try`, or `if exists(opt.out): raise`.
    """
    for module in modules:
        guarded = {
            id(inner)
            for node in module.nodes
            if isinstance(node, ast.If | ast.Try)
            for one in node.body
            for inner in ast.walk(one)
        }
        for called, call in module.calls:
            makes = called.rpartition(".")[2] in ("mkdir", "makedirs") and id(call) not in guarded
            exist_ok = any(word.arg == "exist_ok" and literal(word.value) is not False for word in call.keywords)
            if makes and not exist_ok and _names(call, name):
                return True
        if any(isinstance(node, ast.If) and _raises(node) and _names(node.test, name) for node in module.nodes):
            return True
    return False


def _raises(node: ast.If) -> bool:
    """Whether this is `if os.path.exists(…): raise`."""
    test = ast.unparse(node.test)
    return "exists" in test and not test.startswith("not ") and any(isinstance(one, ast.Raise) for one in node.body)


def _names(node: ast.AST, name: str) -> bool:
    """Whether `opt.name`, `opt["name"]` or `name` itself is in an expression."""
    for one in ast.walk(node):
        if name in (getattr(one, "attr", None), getattr(one, "id", None), getattr(one, "value", None)):
            return True
    return False
