"""One run of a script made ready: its folder, its files, its words and its environment."""

from __future__ import annotations

import glob
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from gansearch.experiment import DistanceCommand, ScriptTask, suggest
from gansearch.scripts.errors import ScriptError
from gansearch.scripts.prepare.changes import changed
from gansearch.scripts.prepare.command import fill_pattern, fill_text, fill_words, with_whole_numbers
from gansearch.scripts.prepare.environment import environment
from gansearch.scripts.prepare.modules import Module, modules
from gansearch.scripts.prepare.options import argparse_options, is_hydra, refuses
from gansearch.scripts.prepare.workplace import Workplace, make_workplace


@dataclass(frozen=True)
class Prepared:
    """What a run of a script is started with."""

    words: list[str]
    """The program and its arguments; no shell reads them."""
    environment: dict[str, str]
    """The whole environment, in place of the worker's."""
    cwd: Path
    """The folder to run in."""
    out: Path
    """The run's own folder for what it leaves behind, `{out}`; not there yet if the script refuses one that is."""
    diff: str
    """What was changed in the copy of the code, as a unified diff; empty where nothing was."""
    metrics: str
    """The file, or the pattern of files, that the script writes its progress to, absolute; empty for its output."""
    distance_words: list[str] | None
    """The command that prints the distance, run like `words`; None where the distance is a column, or there is none."""


def prepare(
    script: ScriptTask,
    values: Mapping[str, Any],
    *,
    folder: Path,
    seed: int,
    updates: int,
    gpu_ids: Sequence[str],
    port: int,
    token: str,
    threads: int,
) -> Prepared:
    """Make one run ready in a new folder.

    Args:
        script: The task.
        values: The searched values and those of `params:`; None is a parameter without a value.
        folder: The run's folder, absolute. It must not exist, or be empty.
        seed: `{seed}`.
        updates: `{updates}`, in the script's own unit of time.
        gpu_ids: The GPUs of the run as `CUDA_VISIBLE_DEVICES` names them; none for a CPU.
        port: A free port of this machine, `{port}` and `MASTER_PORT`.
        token: `GANSEARCH_TRIAL`, by which all processes that the run starts are found again.
        threads: `OMP_NUM_THREADS`.

    Raises:
        ScriptError: The code is missing or too large, or a file, an edit or the patch does not fit it.
    """
    place = make_workplace(script, folder)
    given = {
        **with_whole_numbers(values),
        **{"out": str(place.out), "seed": seed, "updates": updates, "port": port, "here": str(script.path("."))},
        **{"gpus": ",".join(gpu_ids) or "-1", "gpu_ids": ",".join(map(str, range(len(gpu_ids)))) or "-1"},
        "python": sys.executable,
    }
    diff = changed(script, place, given)
    code = _code(script, place)
    if not any(refuses(code, name) for name in _names_of_out(script)):
        place.out.mkdir(exist_ok=True)
    for text in script.mkdir:
        place.inside("mkdir", fill_text(text, given) or "").mkdir(parents=True, exist_ok=True)
    truths = {option.flag for option in argparse_options(code) if option.kind == "bool"}
    copies = {} if script.cwd == "here" else {script.path("."): place.cwd, script.path(script.root): place.code}
    variables = environment(script, given, copies, gpu_ids, port, token, threads)
    words = fill_words(script.command, given, truths, is_hydra(code))
    measure = fill_words(script.distance.command, given) if isinstance(script.distance, DistanceCommand) else None
    metrics = fill_pattern(script.metrics, given)
    return Prepared(
        words=_found("command", words, place.cwd, variables["PATH"]),
        environment=variables,
        cwd=place.cwd,
        out=place.out,
        diff=diff,
        metrics=str(Path(glob.escape(str(place.cwd))) / metrics) if metrics else "",
        distance_words=measure and _found("distance.command", measure, place.cwd, variables["PATH"]),
    )


def _code(script: ScriptTask, place: Workplace) -> list[Module]:
    """Return the files of the script's code as they are in the copy; none where it is another program, or installed.

    Raises:
        ScriptError: The script is not there.
    """
    own = script.script
    if own is None:
        return []
    root = script.path(script.root)
    path = place.code / own.relative_to(root) if own.is_relative_to(root) else own
    if not path.is_file():
        if own.name not in (Path(word).name for word in script.command):
            return []  # a module that is installed
        known = [one.name for one in own.parent.glob("*.py")]
        raise ScriptError(f"task.command: there is no {own}{suggest(own.name, known)}")
    try:
        return modules(path, place.cwd)
    except ScriptError:  # for another version of Python, which says better what it finds wrong
        return []


def _names_of_out(script: ScriptTask) -> set[str]:
    """Return the names by which the script reads `{out}`."""
    found = {edit.partition(":")[2].strip() for edit, value in script.edits.items() if value == "{out}"}
    found |= {path for file in script.files.values() for path, value in file.values.items() if value == "{out}"}
    for before, word in pairwise(["", *script.command]):
        name, _, value = word.partition("=")
        if value == "{out}":
            found.add(name)
        elif word == "{out}" and before.startswith("-"):
            found.add(before)
    return {re.split(r"[.\s\"'\[\]]+", name.strip("-+\"'[] "))[-1].replace("-", "_") for name in found}


def _found(field: str, words: list[str], cwd: Path, path: str) -> list[str]:
    """Return the words with the whole path of the program. Raises ScriptError where it is not there."""
    program = words[0] if words else ""
    found = shutil.which(str(cwd / program) if "/" in program else program, path=path)
    if not found:
        where = cwd if "/" in program else "PATH"
        raise ScriptError(f"task.{field}: there is no program {program!r} in {where}, or it cannot be executed")
    return [found, *words[1:]]
