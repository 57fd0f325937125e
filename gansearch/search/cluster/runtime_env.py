"""The user's code on every node: what a cluster is sent, and how an experiment names it there."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray._private.runtime_env import packaging

from gansearch.experiment import Experiment
from gansearch.gan.registry import task_named
from gansearch.search.errors import SweepError

LEFT_OUT = (
    *(".git", ".venv", "venv", "node_modules", "__pycache__", "*.pyc", ".ipynb_checkpoints"),
    *(".mypy_cache", ".pytest_cache", ".ruff_cache", "/results", "/wandb", "/mlruns"),
)
"""Never sent, as in a .gitignore; files that .gitignore and .rayignore name are not sent either."""
_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Set by Ray in a submitted job, whose working directory every node has already."""
FROM = "GANSEARCH_FROM"
"""Set in a job of ours: the folder that the working directory is a copy of, on the machine that submitted it."""


@dataclass(frozen=True)
class Code:
    """What Ray brings to each node, once and not once a trial, and the experiment as workers read it."""

    experiment: Experiment
    """Paths into the folder that is sent are relative to it: a worker's working directory is its copy."""
    runtime_env: dict[str, Any] = field(default_factory=dict)


def code_for(experiment: Experiment, out: Path | None = None) -> Code:
    """For a cluster: this very gansearch, and the folder of the task's code, if that is the user's own.

    That is the folder of `./file.py`, or the working directory for a module in it; an installed package has to be
    installed on the nodes too. `out`, where results go, is left out. In a Ray that this process started or joined
    already nothing is sent: it is used as it is. Raises TaskError where the code cannot be imported here, and
    SweepError where its folder is too large to be sent.
    """
    if ray.is_initialized():
        return Code(experiment)
    experiment, job = here(experiment), os.environ.get(_JOB, "")
    task_named(experiment.task)
    env: dict[str, Any] = {} if "py_modules" in job else {"py_modules": [str(Path(__file__).parents[2])]}
    root = _root(experiment.task)
    if root is None:
        return Code(experiment, env)
    if "working_dir" in job:
        return Code(_seen_from(Path.cwd(), experiment), env)
    excludes = [*LEFT_OUT]
    if out and out.is_relative_to(root) and out != root:
        excludes.append(f"/{out.relative_to(root).as_posix()}")
    _check_size(root, excludes)
    return Code(_seen_from(root, experiment), {**env, "working_dir": str(root), "excludes": excludes})


def here(experiment: Experiment) -> Experiment:
    """The experiment as this process reads it: a job of ours finds the user's folder in its working directory."""
    root = os.environ.get(FROM)
    return _seen_from(Path(root), experiment) if root else experiment


def _root(task: str) -> Path | None:
    """The folder that holds the code of a task; None for a built-in one and for an installed package."""
    where = task.rpartition(":")[0]
    if where.endswith(".py"):
        return Path(where).parent
    file = getattr(sys.modules.get(where), "__file__", None)
    if not where or file is None or "site-packages" in Path(file).parts:
        return None
    return Path.cwd() if Path(file).is_relative_to(Path.cwd()) else None


def _seen_from(root: Path, experiment: Experiment) -> Experiment:
    """The experiment with relative paths where they lead into `root`."""
    where, _, name = experiment.task.rpartition(":")
    path = experiment.data_path
    update: dict[str, Any] = {}
    if where.endswith(".py") and Path(where).is_relative_to(root):
        update["task"] = f"{Path(where).relative_to(root)}:{name}"
    if path is not None and Path(path).is_relative_to(root):
        update["task_options"] = {**experiment.task_options, "path": str(Path(path).relative_to(root))}
    return experiment.model_copy(update=update)


def _check_size(root: Path, excludes: list[str]) -> None:
    """Raises SweepError where Ray would refuse the folder, before it is packed."""
    sizes: dict[Path, int] = {}
    limit = packaging.GCS_STORAGE_MAX_SIZE

    def note(path: Path) -> None:
        if path.is_file():
            sizes[path] = path.stat().st_size
            if sum(sizes.values()) > limit:
                raise OverflowError

    quiet = logging.Logger("quiet", level=logging.CRITICAL)
    ignored = [packaging._get_excludes(root, excludes)]
    try:
        packaging._dir_travel(root, ignored, note, include_gitignore=True, logger=quiet)
    except OverflowError:
        largest = max(sizes, key=lambda path: sizes[path])
        raise SweepError(
            f"task: {root} goes to every node of the cluster, but holds more than {limit / 2**20:,.0f} MB (such as "
            f"{largest.relative_to(root)}, {sizes[largest] / 2**20:,.0f} MB). Name what the code does not need in a "
            ".rayignore file there, or keep data where every node sees it"
        ) from None
