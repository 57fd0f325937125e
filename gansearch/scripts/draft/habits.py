"""What a script does that its trials have to reckon with: fixed folders, ports and GPUs, seeds, a notebook's words."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gansearch.scripts.draft.knobs import role_of
from gansearch.scripts.prepare.edits import assigned
from gansearch.scripts.prepare.modules import Module
from gansearch.scripts.prepare.options import Option, literal

_SAVES = re.compile(
    r"(save|savez|save_image|savefig|savemat|to_csv|imsave|imwrite|open|makedirs|mkdir|Path|SummaryWriter)$"
)
_SEEDS = re.compile(r"(manual_seed(_all)?|random\.seed|set_seed|seed_everything|set_random_seed)$")
_PORT = "set limits.concurrent: 1, or put {port} in its place"
GPU = "os.environ['CUDA_VISIBLE_DEVICES']"
PORT = "os.environ['MASTER_PORT']"


def texts(module: Module) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the texts in a module."""
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node


def seeds(code: Sequence[Module]) -> list[tuple[str, str, Module]]:
    """Return where seeds are set, to what expression, and the module."""
    return [
        (module.at(call), ast.unparse(seed), module)
        for module in code
        for name, call in module.calls
        if _SEEDS.search(name)
        for seed in [*(word.value for word in call.keywords if word.arg == "seed"), *call.args][:1]
    ]


def folders(code: Sequence[Module]) -> dict[str, str]:
    """Return the folders, by name, that are written to whatever the script is given, each with where."""
    found: dict[str, str] = {}
    for module in code:
        for name, call in module.calls:
            inner = [one for argument in call.args[:2] for one in ast.walk(argument)]
            paths = [str(one.value) for one in inner if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            is_read = name == "open" and (len(call.args) < 2 or "r" in str(literal(call.args[1])))
            for path in paths if _SAVES.search(name) and not is_read else ():
                whole = name.endswith(("makedirs", "mkdir"))
                folder = re.split(r"[%{]", path)[0] if whole else re.split(r"[%{]", path)[0].rpartition("/")[0]
                if re.fullmatch(r"(\./)?\w[\w./-]*", folder):
                    found.setdefault(folder.removeprefix("./").rstrip("/"), module.at(call))
    return found


def missing(code: Sequence[Module], here: Path) -> list[str]:
    """Return the folders that the script writes to, but that nothing makes."""
    made = {
        text.removeprefix("./").rstrip("/")
        for module in code
        for name, call in module.calls
        if name.endswith(("makedirs", "mkdir", "system"))
        for one in ast.walk(call)
        if isinstance(one, ast.Constant) and isinstance(text := one.value, str)
    }
    return [one for one in folders(code) if not (here / one).is_dir() and not any(one in text for text in made)]


def data_folders(code: Sequence[Module], options: Sequence[Option], here: Path) -> list[str]:
    """Return the folders that are there, without code, and that a text of the script names, if it does not write there.

    A link to a folder that it writes to would have its trials overwrite what the user has in it.
    """
    found = dict.fromkeys(text.rstrip("/") for module in code for text, _ in texts(module) if re.search(r"\w", text))
    written = _written(code, options)
    return [
        one
        for one in found
        if len(one) < 200 and "\n" not in one and os.path.normpath(one) not in written and _is_data(one, here)
    ]


def _written(code: Sequence[Module], options: Sequence[Option]) -> set[str]:
    """Return the folders that a script writes to, by their texts or by names of these; none of a dataset."""
    saved = {str(option.default) for option in options if role_of(option.name, option.default) == "out"}
    read: set[str] = set()
    for module in code:
        values = {option.name: option.default for option in options}
        for name, node in assigned(module.tree):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).endswith("Path"):
                node = node.args[0]
            values[name.rpartition(".")[2]] = literal(node)
        for name, call in module.calls:
            inner = list(ast.walk(call))
            named = _texts(values.get(getattr(one, "attr", getattr(one, "id", ""))) for one in inner)
            plain = _texts(getattr(one, "value", None) for one in inner)
            if re.search(r"(Folder|Dataset)$", name) or any(word.arg == "download" for word in call.keywords):
                read.update(named, plain)
            elif _writes(name, call) and name.endswith(("makedirs", "mkdir", "SummaryWriter")):
                saved.update(named, plain)
            elif _writes(name, call):
                calls = [one for one in inner if isinstance(one, ast.Call) and ast.unparse(one.func).endswith("join")]
                saved.update(named, _texts(literal(one) for join in calls for one in join.args[:1]))
                saved.update(one.rpartition("/")[0] for one in (*named, *plain))
    return set(map(os.path.normpath, saved)) - set(map(os.path.normpath, read))


def _texts(values: Iterable[Any]) -> list[str]:
    """Return the texts among values, up to what is filled in."""
    return [re.split(r"[%{]", one)[0] for one in values if isinstance(one, str)]


def _writes(name: str, call: ast.Call) -> bool:
    """Whether a call saves something. A `Path` may be read as well."""
    if name.endswith("open"):
        return name == "open" and len(call.args) > 1 and not {"w", "a", "x"}.isdisjoint(str(literal(call.args[1])))
    return bool(_SAVES.search(name)) and not name.endswith("Path")


def _is_data(text: str, here: Path) -> bool:
    path = here / text
    if (
        Path(text).is_absolute()
        or not re.fullmatch(r"[\w./ -]+", text)
        or not path.is_dir()
        or here.is_relative_to(path)
    ):
        return False
    return not any(path.glob("*.py")) and not any(path.glob("*.y*ml"))


def levels_above(code: Sequence[Module], here: Path) -> int:
    """Return how many folders above its own a script uses: two for ../../data, which is there or which it makes."""
    calls = [call for module in code for name, call in module.calls if name.endswith("makedirs")]
    made = {one.value for call in calls for one in ast.walk(call) if isinstance(one, ast.Constant)}
    found = [re.match(r"((?:\.\./)+)[\w-]+", text) for module in code for text, _ in texts(module)]
    used = [one[1] for one in found if one and ((here / one[0]).exists() or one.string in made)]
    return max((up.count("/") for up in used), default=0)


def _guarded(module: Module) -> set[int]:
    """Return the nodes that depend on a condition about GPUs."""
    conditions = [node for node in module.nodes if isinstance(node, ast.If | ast.IfExp)]
    about = [node for node in conditions if re.search("cuda|gpu|device", ast.unparse(node.test))]
    return {id(inner) for node in about for inner in ast.walk(node)}


def remarks(code: Sequence[Module]) -> Iterator[str]:
    """Yield what the user should know, each with its place."""
    for module in code:
        guarded = _guarded(module)
        for text, node in texts(module):
            if re.search(r"(localhost|127\.0\.0\.1|0\.0\.0\.0):\d+", text):
                yield f"{module.at(node)}: {text!r} is a fixed port: {_PORT}"
        for name, call in module.calls:
            words = {word.arg: literal(word.value) for word in call.keywords}
            first = next((one.value for one in ast.walk(call) if isinstance(one, ast.Constant)), None)
            if isinstance(words.get("port"), int):
                yield f"{module.at(call)}: {words['port']} is a fixed port: {_PORT}"
            on_gpu = name.endswith(("torch.device", ".to")) and str(first).partition(":")[0] == "cuda"
            if id(call) not in guarded and (name.endswith(".cuda") or on_gpu):
                yield f"{module.at(call)}: needs CUDA, whatever there is"
                guarded |= {id(one) for one in module.nodes}  # once is enough
            if name == "get_ipython":
                yield f"{module.at(call)}: get_ipython is ipython's, which therefore runs it"
    if any(name in module.name.split("/")[-1] for module in code for name in ("visdom", "visualizer")):
        yield "it may start visdom's server: a port, and a process that goes on; it ends with the trial"
