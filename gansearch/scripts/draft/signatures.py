"""The options that click, typer and fire make of a function's parameters, by its syntax tree."""

from __future__ import annotations

import ast
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
            yield from (one for call in node.decorator_list if (one := _of_click(module, call)))
            if called.get(node.name, "").endswith("typer.run") or any(".command" in one for one in decorators):
                if not any("option(" in one or "argument(" in one for one in decorators):
                    yield from _of_parameters(module, node, True)
            elif called.get(node.name, "") in ("fire.Fire", "Fire"):
                yield from _of_parameters(module, node, False)


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
