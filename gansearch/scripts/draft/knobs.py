"""What a script can be given: its options, its files of settings, its constants, and its optimizers' rates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gansearch.diagnosis.numbers.names import DISCRIMINATOR, GENERATOR, one_of, words
from gansearch.experiment import load_yaml
from gansearch.scripts.prepare.edits import assigned, given_to_calls
from gansearch.scripts.prepare.modules import Module
from gansearch.scripts.prepare.options import Option, literal

_COUNTED = one_of("steps step iters iter repeats repeat updates update iterations")
_NO_RATE = one_of("decay policy scheduler schedule sched step gamma warmup min factor mult power")
_ROLES = {
    "seed": r"(.*_)?(seed|random_state)",
    "out": r"(out|output|save|results?|checkpoints?|ckpts?|log|exp|work|run|default_root)_?(dir|f|folder|path)|outf|out"
    r"|output|experiment",
    "updates": r"(n|num|max|total|train|training)_((max|train|training)_)?(epochs?|iters?|iterations?|steps|kimg)"
    r"|epochs|(n_?iter|n_?epochs?)(_decay)?|iterations",
    "gpu": r"gpus?(_ids?)?|device_ids?|cuda_visible_devices?",
    "port": r"((master|dist|visdom|display)_)?port|dist_url|init_method",
    "config": r"(config|cfg|hparams?|settings)(_?(file|path))?|yaml",
    "d_steps": r"(n_?)?critic(_iters)?|n_?dis|d_?iters|disc?_iters",
}
_OPTIMIZERS = re.compile(r"(Adam\w*|\wAdam|AdamW|SGD|RMS[Pp]rop|Adagrad|Adadelta|Lion|AdaBelief|Optimizer)$")


@dataclass(frozen=True)
class Knob:
    """Something that a trial can give a script, in one of three ways."""

    role: str
    """What it is taken for: lr_d, lr_g, lr, d_steps, pretrain_steps, d_start, seed, out, updates, gpu, port, config."""
    name: str
    value: Any
    """Its own value."""
    where: str
    word: str = ""
    """The beginning of a word of the command: `--lr=`."""
    setting: str = ""
    """A path in the file of settings."""
    edit: str = ""
    """A key of `edits:`."""


def role_of(name: str, value: Any) -> str:
    """Return what a name is taken for; empty for none. Roles of numbers need a number, or no value."""
    have, last = set(words(name)), "_".join(words(name.rpartition(".")[2]))
    is_number = isinstance(value, int | float | None) and not isinstance(value, bool)
    d, g = have & DISCRIMINATOR, have & GENERATOR
    if ("lr" in have or {"learning", "rate"} <= have) and is_number and not have & _NO_RATE:
        return "" if d and g else "lr_d" if d else "lr_g" if g else "lr"
    if is_number and have & {"start", "pretrain", "pretraining"} and have & _COUNTED:
        return "pretrain_steps" if g or have & {"pretrain", "pretraining"} else "d_start" if d else ""
    if is_number and d and have & _COUNTED and not have & {"layers", "log", "save", "decay", "size", "scheduler"}:
        return "d_steps"
    role = next((role for role, pattern in _ROLES.items() if re.fullmatch(pattern, last)), "")
    return "" if role in ("seed", "updates", "d_steps") and not is_number else role


def of_options(options: Sequence[Option], code: Sequence[Module]) -> Iterator[Knob]:
    """Yield the options that the code reads: `opt.name`, `opt["name"]`, or all of them by `vars(opt)`."""
    read = names_read(code)
    for option in options:
        if option.kind == "value" and (option.name in read or "vars" in read):
            role = role_of(option.name, option.default)
            yield Knob(role, option.name, option.default, option.where, word=f"{option.flag}=" if option.flag else "")


def of_settings(data: Any, where: str, read: set[str], word: bool = False, path: str = "") -> Iterator[Knob]:
    """Yield the values of a file of settings whose names are read; with `word` they are Hydra's overrides."""
    for name, value in data.items() if isinstance(data, dict) else ():
        whole = f"{path}.{name}".lstrip(".")
        if isinstance(value, dict):
            yield from of_settings(value, where, read, word, whole)
        elif set(whole.split(".")) & read:
            given = {"word": f"{whole}="} if word else {"setting": whole}
            yield Knob(role_of(whole, value), whole, value, where, **given)


def of_constants(code: Sequence[Module]) -> Iterator[Knob]:
    """Yield the numbers that are assigned to a name once: constants, defaults of yacs, and then those of parameters."""
    read, given = names_read(code), {name for module in code for name, _ in given_to_calls(module.tree)}
    given |= _given_by_position(code)
    found = []
    for module in code:
        pairs = list(assigned(module.tree))
        for name, node in pairs:
            dotted = re.sub(r"\['(\w+)'\]", r".\1", name)  # of a dictionary
            value, owner, last = literal(node), name.rpartition(".")[0], dotted.rpartition(".")[2]
            default = owner in module.functions  # of a parameter, which no call may give
            usable = [other for other, _ in pairs].count(name) == 1 and last in read and not (default and last in given)
            if isinstance(value, int | float) and usable:
                knob = Knob(role_of(dotted, value), name, value, module.at(node), edit=f"{module.name}: {name}")
                found.append((default, knob))
    yield from (knob for _, knob in sorted(found, key=lambda one: one[0]))


def _given_by_position(code: Sequence[Module]) -> set[str]:
    """Return the names of the parameters that calls give by their position."""
    nodes = [node for module in code for node in module.nodes]
    functions = [(one.name, one) for one in nodes if isinstance(one, ast.FunctionDef) and one.name != "__init__"]
    for owner in nodes:
        if isinstance(owner, ast.ClassDef):
            inner = [one for one in owner.body if isinstance(one, ast.FunctionDef)]
            functions += [(owner.name, one) for one in inner if one.name == "__init__"]
    parameters: dict[str, list[list[str]]] = {}
    for name, one in functions:
        names = [each.arg for each in (*one.args.posonlyargs, *one.args.args) if each.arg not in ("self", "cls")]
        parameters.setdefault(name, []).append(names)
    found: set[str] = set()
    for module in code:
        for called, call in module.calls:
            for names in parameters.get(called.rpartition(".")[2], ()):
                found.update(names if _has_starred(call) else names[: len(call.args)])
    return found


def _has_starred(call: ast.Call) -> bool:
    return any(isinstance(one, ast.Starred) for one in call.args)


@dataclass(frozen=True)
class Rate:
    """The learning rate of an optimizer, as the code writes it."""

    of: str
    """lr_d or lr_g."""
    optimizer: str
    text: str
    """The expression: `opt.lr`, 0.0002; empty for the optimizer's own default."""
    module: Module
    line: int
    edit: str
    """A key of `edits:`; empty where the rate may come by `*args` or `**options`, which no edit can reach."""

    @property
    def at(self) -> str:
        """Where it is: `train.py:12`."""
        return f"{self.module.name}:{self.line}"


def rates(code: Sequence[Module]) -> list[Rate]:
    """Return the rates of optimizers that are assigned, or given to a call such as Keras' `compile`, to D or to G."""
    found = []
    for module in code:
        for name, call in (*assigned(module.tree), *given_to_calls(module.tree)):
            if not isinstance(call, ast.Call) or not _OPTIMIZERS.search(ast.unparse(call.func)):
                continue
            have = set(words(name)) & (DISCRIMINATOR | GENERATOR) or set(
                words(ast.unparse(call.args[0]) if call.args else "")
            )
            d, g = have & DISCRIMINATOR, have & GENERATOR
            if bool(d) == bool(g):
                continue
            is_keras = not call.args or isinstance(call.args[0], ast.Constant)
            keyword, place = ("learning_rate", 0) if is_keras else ("lr", 1)
            named = [word.value for word in call.keywords if word.arg in ("lr", "learning_rate")]
            keyword = next((str(word.arg) for word in call.keywords if word.arg in ("lr", "learning_rate")), keyword)
            node = next(iter(named or call.args[place : place + 1]), None)
            hidden = not named and (_has_starred(call) or (not node and any(not word.arg for word in call.keywords)))
            text = ast.unparse(node) if node and not hidden else ""
            key = "" if hidden else f"{module.name}: {name}.{keyword}"
            found.append(Rate("lr_d" if d else "lr_g", name, text, module, call.lineno, key))
    return [one for one in found if not one.edit or [other.edit for other in found].count(one.edit) == 1]


def names_read(code: Sequence[Module]) -> set[str]:
    """Return the names that are read of anything: `opt.name`, `opt["name"]`, `name`; `vars` where all of one are."""
    read: set[str] = set()
    for module in code:
        for node in module.nodes:
            if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
                read.add(node.attr if isinstance(node, ast.Attribute) else node.id)
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                read.add(str(node.slice.value))
        for name, call in module.calls:
            if name in ("getattr", "hasattr") or name.endswith(".get"):
                read |= {str(one.value) for one in call.args if isinstance(one, ast.Constant)}
    return read


def settings_of(path: Path) -> Any:
    """Return the data of a file of settings; None where it cannot be read."""
    try:
        return load_yaml(path.read_text(encoding="utf-8")) if path.suffix in (".yaml", ".yml", ".json") else None
    except (OSError, ValueError, yaml.YAMLError):  # a template, or another program's tags
        return None
