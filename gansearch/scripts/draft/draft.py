"""An experiment file for a script, with comments that say what it took for what. Nothing of the script is run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gansearch.scripts.draft import habits
from gansearch.scripts.draft.knobs import (
    Knob,
    Rate,
    names_read,
    of_constants,
    of_options,
    of_settings,
    rates,
    role_of,
    settings_of,
)
from gansearch.scripts.draft.signatures import signature_options
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.command import text_of
from gansearch.scripts.prepare.edits import assigned
from gansearch.scripts.prepare.modules import Module, modules
from gansearch.scripts.prepare.options import Option, argparse_options, is_hydra, literal

FILL_IN = "FILL-IN"


@dataclass
class _Draft:
    """The parts of the file, as they are found."""

    words: list[tuple[str, str]] = field(default_factory=list)
    """Words of the command, each with its comment."""
    settings: list[tuple[str, str, str]] = field(default_factory=list)
    """Paths of the file of settings, each with its value and comment."""
    edits: list[tuple[str, str, str]] = field(default_factory=list)
    search: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    """Folders of data."""

    def give(self, knob: Knob, value: str, comment: str = "") -> None:
        """Give the script a value in the way that the knob takes it."""
        comment = f"{knob.where}{comment}"
        if knob.edit:
            self.edits.append((knob.edit, value, comment))
        elif knob.setting:
            self.settings.append((knob.setting, value, comment))
        else:
            self.words.append((f"{knob.word}{value}", comment))


def draft(script: Path, folder: Path, cwd: Path) -> str:
    """Return an experiment file for a script, to be written into `folder`.

    Args:
        script: A file of Python.
        folder: Where the file will be; its paths are relative to it.
        cwd: The folder that the script is started from, if the script is below it.

    Raises:
        ScriptError: The script is no file, no Python, or a notebook.
    """
    if script.suffix == ".ipynb":
        raise ScriptError(f"{script} is a notebook; write it as a script: jupyter nbconvert --to script {script}")
    if script.suffix != ".py":
        raise ScriptError(f"{script} is no file of Python (.py)")
    script, cwd = script.resolve(), cwd.resolve()
    package = [one for one in script.parents if (one / "__init__.py").is_file()]
    here = cwd if script.is_relative_to(cwd) else (package[-1] if package else script).parent
    code = modules(script, here)
    made = _Draft()
    options, command, remark = _of_subcommand([*argparse_options(code), *signature_options(code)], code)
    made.remarks += remark
    hydra = is_hydra(code)
    read = names_read(code)
    source, data = _settings(options, code, here, read)
    knobs = [*of_options(options, code), *of_settings(data, source.name if source else "", read, hydra)]
    knobs += [knob for knob in of_constants(code) if knob.role]
    _balance(made, knobs, code)
    for name in ("d_steps", "pretrain_steps"):
        if knob := _first(knobs, name):
            made.give(knob, f"{{{name}}}")
            made.search[name] = _range(name, knob.value)
    if late := _first(knobs, "d_start"):
        made.remarks.append(f"{late.name} ({late.where}) says when D starts, now at {late.value}")
    updates = _rest(made, knobs, code)
    if hydra:
        made.words.append(("hydra.run.dir={out}", "Hydra's own output"))
    elif source and made.settings and (config := _first(knobs, "config")):
        made.give(config, f"run{source.suffix}", ", with what is set below")
    _required(made, options)
    if command:
        flags = {option.flag for option in options if option.command == ""}  # of the script itself
        before = [word for word in made.words if word[0].partition("=")[0] in flags]
        made.words = [*before, (command, "the subcommand"), *(word for word in made.words if word not in before)]
    made.links = habits.data_folders(code, options, here)
    made.remarks += dict.fromkeys(habits.remarks(code))
    return _text(made, script, here, folder.resolve(), code, source, updates)


def _of_subcommand(options: Sequence[Option], code: Sequence[Module]) -> tuple[list[Option], str, list[str]]:
    """Return the options without those of other subcommands than the one with the learning rates; it; and a remark."""
    roles: dict[str, set[str]] = {}
    for one in options:
        if one.command:
            roles.setdefault(one.command, set()).add(role_of(one.name, one.default))
    chosen = max(roles, key=lambda name: (len(roles[name] & {"lr_d", "lr_g", "lr"}), "train" in name), default="")
    remark = f"it has the subcommands {', '.join(roles)}; {chosen} is run" if len(roles) > 1 else ""
    if not chosen and any(name.endswith("add_subparsers") for module in code for name, _ in module.calls):
        remark = "its command line has subcommands: put one before its options"
    return [one for one in options if one.command in (chosen, "", None)], chosen, [remark] if remark else []


def _first(knobs: Sequence[Knob], role: str) -> Knob | None:
    """Return the first knob of a role that can be given by name."""
    return next((one for one in knobs if one.role == role and (one.word or one.setting or one.edit)), None)


def _settings(options: Sequence[Option], code: Sequence[Module], here: Path, read: set[str]) -> tuple[Path | None, Any]:
    """Return the file of settings that a script reads, with its data: an option's default, Hydra's, or the first."""
    for module in code:
        for node in module.nodes:
            for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("hydra.main"):
                    words = dict(zip(("config_path", "config_name"), map(literal, call.args), strict=False))
                    words |= {str(word.arg): literal(word.value) for word in call.keywords}
                    name = str(words.get("config_name") or "config").removesuffix(".yaml")
                    path = module.path.parent / str(words.get("config_path") or ".") / f"{name}.yaml"
                    return path, _composed(settings_of(path), path.parent)
    knob = next((one for one in of_options(options, code) if one.role == "config"), None)
    if knob is None:
        return None, None
    own = here / str(knob.value or "none")
    files = (
        [own]
        if own.is_file()
        else sorted(
            (one for ending in ("y*ml", "json") for one in here.rglob(f"*.{ending}") if "." not in one.parent.name),
            key=lambda path: (len(path.parts), path),
        )[:500]
    )
    tried = ((path, list(of_settings(settings_of(path), "", read))) for path in files if path.is_file())
    found = [(path, {one.role for one in knobs}) for path, knobs in tried if knobs]
    best = max(found, key=lambda one: len({"lr_d", "lr_g", "lr"} & one[1]), default=None)
    return (best[0], settings_of(best[0])) if best else (None, None)


def _composed(data: Any, folder: Path) -> Any:
    """Hydra's data with the groups of its defaults: `- model/optim: adam` is model/optim/adam.yaml, in model.optim.

    `- model/optim@optim_d: adam` is the same file in optim_d.
    """
    groups = data.pop("defaults", []) if isinstance(data, dict) else []
    for one in groups if isinstance(groups, list) else ():
        for group, name in one.items() if isinstance(one, dict) else ():
            path, _, package = str(group).removeprefix("override ").removeprefix("optional ").partition("@")
            chosen = settings_of(folder / path / f"{name}.yaml")
            if isinstance(chosen, dict):
                inner = data
                for key in filter(None, re.split(r"[/.]", (package or path).removeprefix("_global_"))):
                    if not isinstance(inner.get(key), dict):
                        inner[key] = {}
                    inner = inner[key]
                inner.update({**chosen, **inner})
    return data


def _balance(made: _Draft, knobs: Sequence[Knob], code: Sequence[Module]) -> None:
    """Give D and G a rate each: by what the script offers, else by edits of the optimizers."""
    found = rates(code)
    pairs, others = _pair([rate for rate in found if rate.edit], knobs)
    made.remarks += [f"{name} has optimizers of D and G too: edit those if it is what runs" for name in others]
    texts = [{rate.text for rate in its} for its in pairs.values()]
    shared = set.intersection(*texts) if texts else set()
    for role in ("lr_d", "lr_g"):
        knob = _first(knobs, role)
        given = [knob] if knob else [_of_rate(rate, knobs, shared) for rate in pairs.get(role, ())]
        for i, one in enumerate(given):
            if one not in given[:i]:
                made.give(one, f"{{{role}}}")
        if given:
            made.search[role] = _range(role, given[0].value)
        made.remarks += [
            f"the rate of {rate.optimizer} ({rate.at}) comes by * or **: change it by a patch"
            for rate in found
            if rate.of == role and not rate.edit and not knob
        ]
    edits = {rate.edit for its in pairs.values() for rate in its}
    if shared and len(pairs) == 2 and any(edit in edits for edit, _, _ in made.edits):
        d, g = (next(rate for rate in its if rate.text in shared) for its in pairs.values())
        text = d.text or "their optimizer's default"
        made.remarks.append(f"D ({d.at}) and G ({g.at}) share {text}; edits give each its own")
    if len(made.search) < 2:  # nothing but rates so far
        both = _first(knobs, "lr")
        text = f"{both.name} ({both.where}) for both" if both else "no learning rate of D and of G"
        made.remarks.append(f"found {text}: without one each there is no balance to search; name them under edits")


def _of_rate(rate: Rate, knobs: Sequence[Knob], shared: set[str]) -> Knob:
    """Return what gives an optimizer its rate: an option or a setting that no other role shares, else an edit."""
    traced = next((one for one in knobs if one.name == re.split(r"\W+", rate.text)[-1]), None)
    if traced and rate.text not in shared and not traced.edit:
        return traced
    own = literal(ast.parse(rate.text or "None", mode="eval").body)
    return Knob(rate.of, rate.text, own or (traced and traced.value), rate.at, edit=rate.edit)


def _pair(found: Sequence[Rate], knobs: Sequence[Knob]) -> tuple[dict[str, list[Rate]], list[str]]:
    """Return the rates of D and G of one file, and the names of others that have both.

    It is the file that an option's default names, or the first one.
    """
    files: dict[str, dict[str, list[Rate]]] = {}
    for one in found:
        files.setdefault(one.module.name, {}).setdefault(one.of, []).append(one)
    both = [name for name, pair in files.items() if len(pair) == 2] or list(files)
    named = {knob.value for knob in knobs if knob.word and isinstance(knob.value, str) and knob.value}
    chosen = next((name for name in both if any(value in name for value in named)), both[0] if both else "")
    pair = files.get(chosen, {})
    others = [name for name in both if name != chosen and len(files[name]) == 2]
    return {role: pair[role] for role in ("lr_d", "lr_g") if role in pair}, others


def _rest(made: _Draft, knobs: Sequence[Knob], code: Sequence[Module]) -> int:
    """Give the folder, the length, the seed, the GPUs and the port; return how long the script trains by itself."""
    if out := _first([knob for knob in knobs if not knob.edit], "out"):
        made.give(out, "{out}")
    lengths = [one for one in knobs if one.role == "updates" and isinstance(one.value, int) and one.value > 0]
    if length := _first(lengths, "updates"):
        made.give(length, "{updates}", ", the time of a trial")
        more = [one for one in lengths if one.word and one.name.startswith(f"{length.name}_")]
        made.remarks += [f"{one.name} ({one.where}) makes it longer than {length.name}" for one in more]
    else:
        made.remarks.append(
            "nothing sets how long it trains: it is ended once training.updates of its own time are over"
        )
    _seed(made, _first(knobs, "seed"), code)
    visible = [
        (name, ast.unparse(node), one) for one in code for name, node in assigned(one.tree) if name == habits.GPU
    ]
    if gpu := _first([one for one in knobs if not one.edit], "gpu"):
        sets = any(gpu.name.rpartition(".")[2] in text for _, text, _ in visible)
        made.give(gpu, "{gpus}" if sets else "{gpu_ids}", ", which sets CUDA_VISIBLE_DEVICES" if sets else "")
    elif visible:
        made.edits.append((f"{visible[0][2].name}: {habits.GPU}", "'{gpus}'", "sets CUDA_VISIBLE_DEVICES"))
    for one in knobs:
        if one.role == "port" and not one.edit:
            made.give(one, re.sub(r":\d+", ":{port}", one.value) if ":" in str(one.value) else "{port}")
        elif one.name == "display_id" and one.word:
            made.give(one, "-1", ": no server of visdom's")
    for module in code:
        if any(name == habits.PORT for name, _ in assigned(module.tree)):
            made.edits.append((f"{module.name}: {habits.PORT}", "'{port}'", "a fixed port"))
    return int(length.value) if length else 10


def _seed(made: _Draft, knob: Knob | None, code: Sequence[Module]) -> None:
    """Give the seed: as the script takes it, in place of the one that it sets, or by a line that sets all."""
    seeds = habits.seeds(code)
    for where, text, module in seeds:
        if [name for name, _ in assigned(module.tree)].count(text) == 1:
            knob = knob or Knob("seed", text, None, where, edit=f"{module.name}: {text}")
        elif text.isdigit():
            made.remarks.append(f"{where}: the seed is {text} in every run; change it by a patch")
    if knob:
        made.give(knob, "{seed}")
    elif not any(text.isdigit() for _, text, _ in seeds):
        made.edits.append((f"{code[0].name}: seed", "{seed}", "none is set: a line that sets all"))


def _required(made: _Draft, options: Sequence[Option]) -> None:
    """Add what the command cannot do without, to be filled in."""
    for option in options:
        if option.required and not any(word.startswith(f"{option.flag}=") for word, _ in made.words):
            is_out = not option.flag and role_of(option.name, None) == "out"
            value = f"{{out}}/{option.name}" if is_out else FILL_IN
            made.words.append(
                (f"{option.flag}={value}" if option.flag else value, f"{option.where}: {option.name}, required")
            )


def _range(role: str, value: Any) -> str:
    """The entry of `search:` around the script's own value."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
    prior = f", prior: {text_of(number)}" if number else ""
    if role in ("lr_d", "lr_g"):
        low, high = (float(f"{(number or 2e-4) * factor:.0e}") for factor in (0.05, 20))
        return f"{{low: {text_of(low)}, high: {text_of(high)}, log: true{prior}}}"
    most = max(5, 2 * int(number or 1)) if role == "d_steps" else max(100, 4 * int(number or 0))
    return f"{{low: {int(role == 'd_steps')}, high: {most}{prior}}}"


def _text(
    made: _Draft, script: Path, here: Path, folder: Path, code: Sequence[Module], source: Path | None, updates: int
) -> str:
    """The text of the file."""
    name = script.relative_to(here).as_posix()
    is_module = (script.parent / "__init__.py").is_file()
    dotted = name.removeprefix("src/").removesuffix(".py").removesuffix("/__main__").replace("/", ".")
    runs = "ipython" if any(call == "get_ipython" for one in code for call, _ in one.calls) else "python"
    up = habits.levels_above(code, here)
    lines = [f"# From {name} by its text alone; nothing of it was run. Comments say what is taken from where."]
    lines += [f"# - {one}" for one in made.remarks]
    lines += [f"name: {_plain(dotted.rpartition('.')[2])}", "task:"]
    if here != folder:
        lines.append(f"  here: {_plain(os.path.relpath(here, folder))}")
    lines += [f"  root: {'/'.join(['..'] * up)}  # it reads ../"] if up else []
    lines += ["  command:", f"    - {runs}", *(["    - -m"] if is_module else [])]
    lines += [f"    - {_plain(dotted if is_module else name)}"]
    lines += [f"    - {_plain(word)}  # {comment}" for word, comment in made.words]
    if made.settings and source:
        lines += [
            "  files:",
            f"    run{source.suffix}:",
            f"      from: {_plain(os.path.relpath(source, here))}",
            "      set:",
        ]
        lines += [f"        {_plain(path)}: {_plain(value)}  # {comment}" for path, value, comment in made.settings]
    if made.edits:
        lines += [
            "  edits:",
            *(f"    {_plain(key)}: {_plain(value)}  # {comment}" for key, value, comment in made.edits),
        ]
    for part, found in (("link", made.links), ("mkdir", habits.missing(code, here))):
        lines += [f"  {part}: {_plain(found)}"] if found else []
    fixed = ", ".join(f"{one} ({where})" for one, where in habits.folders(code).items())
    lines += [f"  # It writes to {fixed}: of the run's own copy."] if fixed else []
    lines += ["  # distance: a column of what it prints, or {command: …} that prints one number"]
    lines += [f"training: {{updates: {updates}}}", "search:" if made.search else "search: {}"]
    lines += [f"  {role}: {entry}" for role, entry in made.search.items()]
    return "\n".join([*lines, "trials: 24", ""])


def _plain(value: Any) -> str:
    """A value as YAML writes it in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()
