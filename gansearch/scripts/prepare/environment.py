"""The environment of a run: the worker's, without what would make the script think that it is part of a job of ours."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gansearch.experiment import ScriptTask
from gansearch.scripts.prepare.command import Values, fill_text, text_of

TOKEN = "GANSEARCH_TRIAL"
"""The variable by which all processes that a run starts are found again."""
_NOT_PASSED = re.compile(r"RAY_.*|(LOCAL_|GROUP_)?RANK|(LOCAL_)?WORLD_SIZE|TORCHELASTIC_.*")


def environment(
    script: ScriptTask,
    values: Values,
    code: Mapping[Path, Path],
    gpu_ids: Sequence[str],
    port: int,
    token: str,
    threads: int,
) -> dict[str, str]:
    """Return the whole environment of a run.

    Args:
        script: The task, whose `env` comes last; a variable without a value is removed.
        values: What `{name}` stands for.
        code: Folders of the user's code, each with its copy, the script's first: Python finds modules in the copies,
            also those of a package that is installed as an editable one.
        gpu_ids: GPUs as `CUDA_VISIBLE_DEVICES` names them; none hides all.
        port: A free port of this machine.
        token: The value of `GANSEARCH_TRIAL`.
        threads: The value of `OMP_NUM_THREADS`.
    """
    given = {name: value for name, value in os.environ.items() if not _NOT_PASSED.fullmatch(name)}
    former = [_moved(Path(one), code) for one in given.get("PYTHONPATH", "").split(os.pathsep) if one]
    sources = [path / "src" for path in code.values() if (path / "src").is_dir()]
    given |= {
        "PATH": _programs(given),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, [*code.values(), *sources, *former]))),
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": str(threads),
        "CUDA_VISIBLE_DEVICES": ",".join(gpu_ids),
        "MASTER_PORT": str(port),
        "WANDB_MODE": "offline",
        TOKEN: token,
    }
    for name, value in script.env.items():
        text = fill_text(value, values) if isinstance(value, str) else None if value is None else text_of(value)
        given.pop(name, None)
        if text is not None:
            given[name] = text
    return given


def _programs(given: Mapping[str, str]) -> str:
    """Return PATH, led by the programs beside this Python unless another environment is activated."""
    path = given.get("PATH", os.defpath)
    if given.get("VIRTUAL_ENV") or given.get("CONDA_PREFIX"):
        return path
    return os.pathsep.join([str(Path(sys.executable).parent), path])


def _moved(path: Path, code: Mapping[Path, Path]) -> Path:
    """Return a folder's copy where it is one of the code, else the folder."""
    return next((copy / path.relative_to(own) for own, copy in code.items() if path.is_relative_to(own)), path)
