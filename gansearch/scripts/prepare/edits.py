"""New values in a script's code: each takes the place of one value, found in the syntax tree."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from typing import Any

from gansearch.experiment import suggest
from gansearch.experiment.placeholders import parts
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.command import Values, text_of
from gansearch.scripts.prepare.modules import parsed

_PLACES = {"lr": 1, "learning_rate": 0}
"""Where optimizers of torch and of Keras take their rate without its name."""


def expression(edit: Any, values: Values) -> str | None:
    """Return what an edit puts in its place, as Python's text; None where a value in it has none.

    `{name}` is the value as Python writes it, and within a text in quotes a part of that text.

    Raises:
        ScriptError: It is no expression, or a value is a part of a name in it.
    """
    if not isinstance(edit, str):
        return repr(edit)
    given: dict[str, Any] = {}
    text = ""
    for piece in parts(edit.strip()):
        if isinstance(piece, str):
            text += piece
            continue
        value = values[piece.name]
        if value is None:
            return None
        name = f"__value_{len(given)}__"
        given[name] = value if piece.on is None else piece.on if value else piece.off or ""
        text += name
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        raise ScriptError(f"{edit!r} is no Python expression; a text stands in quotes") from None
    filled = ast.unparse(_Filled(given).visit(tree))
    if any(name in filled for name in given):
        raise ScriptError(f"{edit!r} has a value within a name or bytes; a value stands alone, or in a text in quotes")
    return filled


class _Filled(ast.NodeTransformer):
    """Puts values in place of the names that stand for them."""

    def __init__(self, given: dict[str, Any]):
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.parse(repr(self.given[node.id]), mode="eval").body if node.id in self.given else node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):
            for name, value in self.given.items():
                node = ast.Constant(node.value.replace(name, text_of(value)))
        return node


def edited(source: str, target: str, new: str) -> str:
    """Return a file's text in which `target` has the value `new`, a Python expression.

    `name`, `self.name` and `config['name']` are what is assigned to them, or a keyword of a call; `Class.name` and
    `function.name` are a class's attribute and a parameter's default. `optimizer.lr` is an argument of the call that is
    assigned to `optimizer`, and `Adam().lr` one of a call of that name; it is added where it is missing. `seed`, where
    nothing is assigned to it, is a line below the docstring that sets the seeds of random, numpy, torch and Keras.

    Raises:
        ScriptError: Nothing fits, or several places do.
    """
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError) as error:
        raise ScriptError(f"its file is not Python that can be read: {error}") from None
    _check_names(tree, new)
    owner, keyword = _split(target)
    wanted = (ast.unparse(ast.parse(target, mode="eval")), f"{ast.unparse(owner)}[{keyword!r}]" if owner else "")
    found = _only([value for name, value in assigned(tree) if name in wanted], target)
    if not found and target == "seed":
        return _checked(_with_seed(source, tree, new))
    found = found or _only([value for name, value in given_to_calls(tree) if name in wanted], target)
    if found:
        return _checked(_replaced(source, found, new))
    call = _call(tree, owner, target) if owner else None
    if not call:
        known = dict.fromkeys(name for name, _ in (*assigned(tree), *given_to_calls(tree)))
        raise ScriptError(f"nothing is assigned to it{suggest(target, known)}")
    return _with_argument(source, call, keyword, new)


def assigned(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what is assigned, each name with its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
            yield from _pairs(node.target, node.value)
        elif isinstance(node, ast.ClassDef):
            plain = [one for one in node.body if isinstance(one, ast.Assign | ast.AnnAssign)]
            yield from ((f"{node.name}.{name}", value) for one in plain for name, value in assigned(one))
        elif isinstance(node, ast.FunctionDef):
            arguments = node.args
            named = [*arguments.posonlyargs, *arguments.args][-len(arguments.defaults) or None :]
            defaults: list[tuple[ast.arg, ast.expr | None]] = [
                *zip(named, arguments.defaults, strict=False),
                *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
            ]
            for one, default in defaults:
                if default:
                    yield f"{node.name}.{one.arg}", default


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of one assignment: several at once, and the keys of a dictionary, too."""
    if isinstance(target, ast.Tuple | ast.List):
        if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                yield from _pairs(one, its)
        return
    yield from _entries(ast.unparse(target), value)


def _entries(name: str, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield a name with its value, and the keys of a dictionary."""
    yield name, value
    if isinstance(value, ast.Dict):
        for key, its in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _entries(f"{name}[{key.value!r}]", its)


def given_to_calls(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield the keywords of all calls, each with its value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((word.arg, word.value) for word in node.keywords if word.arg)


def _call(tree: ast.AST, owner: ast.expr, target: str) -> ast.Call | None:
    """Return the call that is assigned to an owner, or the one of its name where it is written as a call."""
    name = ast.unparse(owner.func if isinstance(owner, ast.Call) else owner)
    if isinstance(owner, ast.Call):
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found = [call for call in calls if f".{ast.unparse(call.func)}".endswith(f".{name}")]
        return _only(found, target)
    for pairs in (assigned, given_to_calls):
        found = [value for other, value in pairs(tree) if other == name and isinstance(value, ast.Call)]
        if found:
            return _only(found, target)
    return None


def _only(found: list[Any], target: str) -> Any:
    """Return the one place that was found, None for none. Raises ScriptError for several."""
    if len(found) > 1:
        lines = sorted({one.lineno for one in found})
        raise ScriptError(f"{target} is in lines {', '.join(map(str, lines))}; change them by task.patch")
    return found[0] if found else None


def _with_argument(source: str, call: ast.Call, name: str, new: str) -> str:
    """The text with an argument of a call replaced, or added."""
    inner = [node for node in ast.walk(call) if isinstance(node, ast.Call)]
    named = [word.value for one in inner for word in one.keywords if word.arg == name]
    own = [word.value for word in call.keywords if word.arg == name]
    place = _PLACES.get(name, len(call.args))
    if own or len(named) == 1:
        return _checked(_replaced(source, (own or named)[0], new))
    starred = any(isinstance(one, ast.Starred) for one in call.args)
    if place < len(call.args) and not starred:
        return _checked(_replaced(source, call.args[place], new))
    if starred or any(word.arg is None for word in call.keywords):
        raise ScriptError(f"the call in line {call.lineno} may have {name} by its * or **; change it by task.patch")
    line, column = call.end_lineno or 1, (call.end_col_offset or 1) - 1
    end = ast.Constant(None, lineno=line, col_offset=column, end_lineno=line, end_col_offset=column)
    for text in (f", {name}={new}", f"{name}={new}"):
        try:
            return _checked(_replaced(source, end, text))
        except ScriptError:
            continue
    raise ScriptError(f"the call in line {call.lineno} takes no further argument; change it by task.patch")


def _split(target: str) -> tuple[ast.expr | None, str]:
    """Return an owner and the name of what it has: `a` and `lr` of `a.lr` and of `a['lr']`; None where it has none.

    Raises:
        ScriptError: It is neither a name nor the like.
    """
    try:
        tree = ast.parse(target, mode="eval").body
    except (SyntaxError, ValueError):
        tree = ast.Constant(None)
    if isinstance(tree, ast.Attribute):
        return tree.value, tree.attr
    if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Constant) and isinstance(tree.slice.value, str):
        return tree.value, tree.slice.value
    if isinstance(tree, ast.Name | ast.Subscript):
        return None, ""
    raise ScriptError(f"{target!r} is no name; write n_critic, optimizer.lr, config['lr'] or Trainer().lr")


def _with_seed(source: str, tree: ast.Module, new: str) -> str:
    """The text with a line that sets all seeds, below the docstring and what is imported from __future__."""
    libraries = {"numpy.random": "seed", "torch": "manual_seed"}
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    if any(name.partition(".")[0] in ("keras", "tensorflow") for name in imported):
        libraries = {"keras.utils": "set_random_seed"}
    line = 0
    for node in tree.body:
        is_docstring = node is tree.body[0] and ast.get_docstring(tree, clean=False) is not None
        if not is_docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            line = line or first - 1
            break
        line = node.end_lineno or 0
    calls = f"[getattr(importlib.import_module(m), f)({new}) for m, f in {[*libraries.items()]}"
    text = f"import importlib.util, random; random.seed({new}); {calls} if importlib.util.find_spec(m.split('.')[0])]"
    lines = source.split("\n")
    return "\n".join([*lines[:line], text, *lines[line:]])


def _check_names(tree: ast.Module, new: str) -> None:
    """Raise ScriptError for a name that the file does not have: it is a text without its quotes."""
    name = ast.parse(new, mode="eval").body
    if not isinstance(name, ast.Name) or hasattr(builtins, name.id):
        return
    known = {word for node in ast.walk(tree) for word in (getattr(node, "id", ""), getattr(node, "name", "") or "")}
    if name.id not in known and not any(one.split(".")[0] == name.id for one in known):
        raise ScriptError(f"{name.id} is a name that the file does not have; a text stands in quotes: \"'{name.id}'\"")


def _replaced(source: str, node: ast.expr, new: str) -> str:
    """The text with another one in place of a node. Columns are counted in bytes of UTF-8."""
    lines = source.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first].encode()[: node.col_offset], lines[last].encode()[node.end_col_offset :]
    return "\n".join([*lines[:first], before.decode() + new + after.decode(), *lines[last + 1 :]])


def _checked(text: str) -> str:
    """The text. Raises ScriptError where it is not Python any more."""
    try:
        parsed(text)
    except (SyntaxError, ValueError) as error:
        raise ScriptError(f"the file would not be Python any more: {error}") from None
    return text
