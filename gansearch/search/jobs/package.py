"""What a job is sent: the experiment, the user's code or the data of a built-in task, and this gansearch."""

from __future__ import annotations

import zipfile
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from pydantic_core import to_jsonable_python

from gansearch.experiment import Experiment, ExperimentError
from gansearch.scripts.prepare.left_out import is_private
from gansearch.search.cluster.ray_patches import JOB_PACKAGE_BYTES, write_package
from gansearch.search.cluster.runtime_env import FROM, code_for
from gansearch.search.cluster.sending import agree
from gansearch.search.errors import SweepError
from gansearch.search.sampling.start_points import PUBLISHED, fields_of

FILE = "gansearch-experiment.yaml"
"""The experiment in the job's working directory."""
_SPARE_BYTES = 2**20
"""What a package holds at most beside the data of a built-in task."""
_KEPT = {"ray", "torch"}
"""What --pip never changes on a cluster: what it runs, and a build that fits its GPUs."""


def packed(experiment: Experiment, package: Path, pip: bool = False) -> dict[str, Any]:
    """Write the .zip file `package`, the job's working directory, and return the job's runtime environment.

    Raises:
        SweepError: The package is larger than a dashboard takes, or the user does not agree to send it.
        TaskError: The task's code cannot be imported.
        ExperimentError: requirements.txt has more than packages in it.
    """
    code = code_for(experiment)
    root, data = code.runtime_env.get("working_dir"), _data(experiment)
    if root is not None:
        write_package(root, package, code.runtime_env["excludes"])
    elif data:
        root = str(Path(str(experiment.data_path)).parent)
        agree(len(data), sum(file.stat().st_size for file in data), str(experiment.data_path))
    with zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(FILE, _portable(experiment).to_yaml(secrets=True))
        for file in data:
            archive.write(file, file.relative_to(str(root)))
    size = package.stat().st_size
    if size > JOB_PACKAGE_BYTES:
        raise SweepError(
            f"task: {root} holds {size / 2**20:,.0f} MB when packed, and the cluster's dashboard takes "
            f"{JOB_PACKAGE_BYTES / 2**20:,.0f} MB. Name what the code does not need in a .rayignore file there, or "
            "keep data where every node sees it"
        )
    env: dict[str, Any] = {
        "working_dir": str(package),
        "py_modules": code.runtime_env["py_modules"],
        "env_vars": {FROM: root} if root else {},
    }
    if pip:
        env["pip"] = packages(Path(root) if root else None)
    return env


def packages(root: Path | None) -> list[str]:
    """Return what gansearch needs, in the versions of this machine, and the lines of the user's requirements.txt.

    Raises:
        ExperimentError: requirements.txt has an option in it.
    """
    needs = [Requirement(text) for text in requires("gansearch") or ()]
    own = [f"{need.name}=={version(need.name)}" for need in needs if not need.marker and need.name not in _KEPT]
    file = root and root / "requirements.txt"
    if not file or not file.is_file():
        return own
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    wrong = next((line for line in lines if line.startswith("-")), None)
    if wrong:
        raise ExperimentError(str(file), {"": f"--pip sends packages alone, not {wrong!r}"})
    return own + [line for line in lines if line and not line.startswith("#")]


def _data(experiment: Experiment) -> list[Path]:
    """Return the files that a built-in task reads, or none where they are too large to be sent."""
    path = experiment.data_path
    if experiment.is_loop or ":" in experiment.task_name or path is None:
        return []
    below = (file for file in sorted(Path(path).rglob("*")) if not _is_private(file.relative_to(path)))
    files = [file for file in (Path(path), *below) if file.is_file()]
    return files if sum(file.stat().st_size for file in files) <= JOB_PACKAGE_BYTES - _SPARE_BYTES else []


def _is_private(name: Path) -> bool:
    return any(map(is_private, name.parts))


def _portable(experiment: Experiment) -> Experiment:
    """Return the experiment with the fields of the files that `start_from` names, which are not sent."""
    points = [
        to_jsonable_python(fields_of(point), exclude_none=True)
        if isinstance(point, str) and point not in PUBLISHED
        else point
        for point in experiment.start_from
    ]
    return experiment.model_copy(update={"start_from": points})
