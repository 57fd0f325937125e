"""The options that click, typer and fire make of a function's parameters, by its syntax tree."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Sequence

from gansearch.scripts.prepare.modules import Module
from gansearch.scripts.prepare.options import Option, literal


def signature_options(modules: Sequence[Module]) -> Iterator[Option]:
    """Yield the options of functions that are commands."""
    for module in modules:
        called = {ast.unparse(one): name for name, call in module.calls for one in call.args[:1]}
        for node in module.nodes:
            if not isinstance(node, ast.FunctionDef):
                continue
            decorators = [ast.unparse(one) for one in node.decorator_list]
            found = [one for call in node.decorator_list if (one := _of_click(module, call))]
            if called.get(node.name, "").endswith("typer.run") or any(".command" in one for one in decorators):
                if not any("option(" in one or "argument(" in one for one in decorators):
                    found += _of_parameters(module, node, True)
            elif called.get(node.name, "") in ("fire.Fire", "Fire"):
                found += _of_parameters(module, node, False)
            command = _subcommand(module, node)
            yield from (dataclasses.replace(one, command=command) for one in found)


def _subcommand(module: Module, node: ast.FunctionDef) -> str | None:
    """Return the subcommand that a function is, of a group of click's or an app of typer's; as `Option.command`."""
    functions = [one for one in module.nodes if isinstance(one, ast.FunctionDef)]
    decorators = [(one.name, ast.unparse(call).partition("(")[0]) for one in functions for call in one.decorator_list]
    called = [name for _, name in decorators]
    groups = {name for name, decorator in decorators if decorator.endswith(".group")}
    added = {ast.unparse(one) for name, call in module.calls if name.endswith(".add_command") for one in call.args[:1]}
    for one in node.decorator_list:
        owner, _, kind = ast.unparse(one).partition("(")[0].rpartition(".")
        is_one_of_several = owner != "click" and (called.count(f"{owner}.command") > 1 or f"{owner}.callback" in called)
        if kind in ("group", "callback"):
            return ""
        if kind == "command" and (owner in groups or node.name in added or is_one_of_several):
            call = one if isinstance(one, ast.Call) else ast.Call(one, [], [])
            given = [*call.args, *(word.value for word in call.keywords if word.arg == "name")]
            return literal(given[0]) if given else node.name.replace("_", "-")
    return None


def _of_click(module: Module, node: ast.expr) -> Option | None:
    """The option of `@click.option("--lr", default=2e-4)`."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in ("option", "argument"):
        return None
    texts = [text for one in node.args if isinstance(text := literal(one), str)]
    if not texts:
        return None
    words = {word.arg: literal(word.value) for word in node.keywords}
    flag = next((one for one in texts if one.startswith("--")), texts[0])
    long, slash, _ = flag.partition("/")
    name = next((one for one in texts if not one.startswith("-")), long.lstrip("-").replace("-", "_"))
    kind = "both" if slash else "on" if words.get("is_flag") else "value"
    positional = not long.startswith("-")
    required = bool(words.get("required")) or (positional and "default" not in words)
    return Option(name, "" if positional else long, words.get("default"), kind, required, module.at(node))


def _of_parameters(module: Module, node: ast.FunctionDef, is_typer: bool) -> Iterator[Option]:
    """Yield an option for each parameter, as typer does, or fire."""
    arguments = [*node.args.args, *node.args.kwonlyargs]
    defaults: list[ast.expr | None] = [None] * (len(node.args.args) - len(node.args.defaults))
    for one, given in zip(arguments, [*defaults, *node.args.defaults, *node.args.kw_defaults], strict=False):
        text = f"{ast.unparse(given) if given else ''} {ast.unparse(one.annotation) if one.annotation else ''}"
        parts = [given, *(ast.walk(one.annotation) if one.annotation else ())]  # or Annotated[…, typer.Option(…)]
        made = next((part for part in parts if isinstance(part, ast.Call)), None)
        flags = [flag for part in (made.args if made else ()) if isinstance(flag := literal(part), str)]
        flag = next((part for part in flags if part.startswith("--")), f"--{one.arg}")
        flag = flag if flags or not is_typer else flag.replace("_", "-")
        default = literal(made.args[0] if made and made is given and made.args else given)
        positional = is_typer and ("Argument(" in text or (given is None and "Option(" not in text))
        kind = "both" if is_typer and isinstance(default, bool) else "value"
        required = given is None or text.startswith(("typer.Option(...", "typer.Argument(..."))
        yield Option(one.arg, "" if positional else flag.partition("/")[0], default, kind, required, module.at(one))
