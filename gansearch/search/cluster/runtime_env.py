"""The user's code on every node: what a cluster is sent, and how an experiment names it there."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray

from gansearch.experiment import Experiment, ScriptTask
from gansearch.gan.registry import task_named
from gansearch.search.cluster.ray_patches import NODE_PACKAGE_BYTES, visit_package
from gansearch.search.cluster.sending import agree, excluded
from gansearch.search.errors import SweepError

_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Variable that Ray sets in a submitted job, whose working directory every node has already."""
FROM = "GANSEARCH_FROM"
"""Variable of a submitted sweep: the folder on the submitting machine of which the working directory is a copy."""


@dataclass(frozen=True)
class Code:
    """What Ray brings to each node once for all trials, and the experiment as workers read it."""

    experiment: Experiment
    """Paths into the folder that is sent are relative to it: a worker's working directory is its copy."""
    runtime_env: dict[str, Any] = field(default_factory=dict)
    """Ray's runtime environment."""


def code_for(experiment: Experiment, out: Path | None = None) -> Code:
    """Return what a cluster is sent: this gansearch, and the folder of the task's code if that is the user's own.

    The folder is that of `./file.py`, or the working directory for a module in it; an installed package has to be
    installed on the nodes too. `out`, where results go, is left out. Nothing is sent in a Ray that this process started
    or joined already: it is used as it is.

    Raises:
        TaskError: The code cannot be imported on this machine.
        SweepError: Its folder is too large to be sent, or the user does not agree to that.
    """
    if ray.is_initialized():
        return Code(experiment)
    experiment, job = local(experiment), os.environ.get(_JOB, "")
    if not isinstance(experiment.task, ScriptTask):
        task_named(experiment.task)
    env: dict[str, Any] = {} if "py_modules" in job else {"py_modules": [str(Path(__file__).parents[2])]}
    root = _root(experiment.task)
    if root is None:
        return Code(experiment, env)
    if "working_dir" in job:
        return Code(_relative_to(Path.cwd(), experiment), env)
    excludes = excluded(root)
    if isinstance(experiment.task, ScriptTask):  # every node sees its data
        data = [path for path in map(experiment.task.path, experiment.task.link) if path.is_relative_to(root)]
        excludes += [f"/{path.relative_to(root).as_posix()}" for path in data]
    if out and out.is_relative_to(root) and out != root:
        excludes.append(f"/{out.relative_to(root).as_posix()}")
    agree(*_amount(root, excludes), root)
    return Code(_relative_to(root, experiment), {**env, "working_dir": str(root), "excludes": excludes})


def local(experiment: Experiment) -> Experiment:
    """Return the experiment as this process reads it: a submitted sweep has the user's folder as working directory."""
    root = os.environ.get(FROM)
    return _relative_to(Path(root), experiment) if root else experiment


def _root(task: str | ScriptTask) -> Path | None:
    """Return the folder that holds the code of a task; None for a built-in one and for an installed package."""
    if isinstance(task, ScriptTask):
        return task.path(task.root)
    where = task.rpartition(":")[0]
    if where.endswith(".py"):
        return Path(where).parent
    file = getattr(sys.modules.get(where), "__file__", None)
    if not where or file is None or "site-packages" in Path(file).parts:
        return None
    return Path.cwd() if Path(file).is_relative_to(Path.cwd()) else None


def _relative_to(root: Path, experiment: Experiment) -> Experiment:
    """Return the experiment with paths that lead into `root` relative to it."""
    if isinstance(task := experiment.task, ScriptTask):
        return experiment.model_copy(update={"task": task.below(root)})
    where, _, name = task.rpartition(":")
    path = experiment.data_path
    update: dict[str, Any] = {}
    if where.endswith(".py") and Path(where).is_relative_to(root):
        update["task"] = f"{Path(where).relative_to(root)}:{name}"
    if path is not None and Path(path).is_relative_to(root):
        update["task_options"] = {**experiment.task_options, "path": str(Path(path).relative_to(root))}
    return experiment.model_copy(update=update)


def _amount(root: Path, excludes: list[str]) -> tuple[int, int]:
    """Return the number of files that are sent, and their bytes.

    Raises:
        SweepError: Ray would refuse the folder once it is packed.
    """
    files, total, largest = 0, 0, (0, root)

    def count(path: Path) -> None:
        nonlocal files, total, largest
        if not path.is_file():
            return
        size = path.stat().st_size
        files, total, largest = files + 1, total + size, max(largest, (size, path))
        if total > NODE_PACKAGE_BYTES:
            name, megabytes = largest[1].relative_to(root), largest[0] / 2**20
            raise SweepError(
                f"task: {root} goes to every node of the cluster, but holds more than "
                f"{NODE_PACKAGE_BYTES / 2**20:,.0f} MB (such as {name}, {megabytes:,.0f} MB). Name what the code does "
                "not need in a .rayignore file there, or keep data where every node sees it"
            )

    visit_package(root, excludes, count)
    return files, total
