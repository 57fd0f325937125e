"""Whether each node can train trials: it is asked before the first trial, or when it joins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gansearch.experiment import Experiment, ScriptTask
from gansearch.gan import TaskError
from gansearch.gan.registry import task_named
from gansearch.search.cluster.cluster import alive
from gansearch.search.errors import SweepError
from gansearch.store.folder import MARKER, writing
from gansearch.store.object_store import Storage, is_url, join, reason

_SECONDS = 300.0
"""Time for a node to receive the code and to import it."""


def check_nodes(experiment: Experiment, out: Path | Storage) -> None:
    """Ask every node whether it can import the task, and sees the data and the results in `out`.

    `experiment` is that of the workers. A single node that this process runs on is not asked.

    Raises:
        SweepError: A node cannot. The message names it and says what it lacks.
        StudyError: `out` cannot be written.
    """
    nodes = alive()
    if len(nodes) == 1 and not ray.util.client.ray.is_connected():
        return
    with _marker(out) as marker:
        asked = {ask(node["NodeID"], experiment, marker): node for node in nodes}
        for reference, node in asked.items():
            problem = answer(reference, _SECONDS)
            if problem is None:
                problem = f"did not answer within {_SECONDS:g} s"
            if problem and node["NodeID"] in {other["NodeID"] for other in alive()}:  # it has not just left
                raise SweepError(f"node {node['NodeManagerAddress']}: {problem}")


def ask(node: str, experiment: Experiment, marker: Path | str) -> ray.ObjectRef:
    """Ask a node, by Ray's id, whether it can import the task, and sees its data and `marker`.

    `marker` is a file of the results folder, or its URL.
    """
    on_node = NodeAffinitySchedulingStrategy(node, soft=False)
    # The death of a worker says nothing of its node.
    task = ray.remote(num_cpus=0, max_retries=2)(_problem).options(scheduling_strategy=on_node)
    return task.remote(experiment.task, experiment.data_path, str(marker))


def answer(reference: ray.ObjectRef, seconds: float) -> str | None:
    """Return the problem of a node that was asked, "" if it has none; None where it has not answered in time."""
    try:
        return str(ray.get(reference, timeout=seconds))
    except GetTimeoutError:
        return None
    except RayError as error:
        return f"cannot run gansearch: {str(error).strip().splitlines()[-1]}"


def _problem(task: str | ScriptTask, data: str | None, marker: str) -> str:
    """Return what is wrong with the node that this runs on, "" if nothing is."""
    if is_url(marker):
        try:
            Storage(marker).read()
        except (OSError, ValueError, ImportError) as error:
            return (
                f"cannot read {marker}, where checkpoints go ({reason(error)}); it needs the credentials that this "
                "machine has"
            )
    elif not Path(marker).is_file():
        return (
            f"does not see {Path(marker).parent}, where the results go; give --out a folder that every node sees, "
            "such as one on NFS"
        )
    if isinstance(task, ScriptTask):
        missing = next((path for path in map(task.path, task.link) if not path.exists()), None)
        return f"task.link: there is no {missing}; keep data where every node sees it" if missing else ""
    try:
        task_named(task)
    except TaskError as error:
        return str(error)
    if data and not Path(data).exists():
        return f"task_options.path: there is no {data}; keep data where every node sees it"
    return ""


@contextmanager
def _marker(out: Path | Storage) -> Iterator[Path | str]:
    """Make a file in `out`, and remove it afterwards with the folders that were made for it."""
    name = f"{MARKER}{uuid.uuid4().hex}"
    if isinstance(out, Storage):
        out.write(name, b"seen")
        try:
            yield join(out.url, name)
        finally:
            out.delete(name)
        return
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    marker = out / name
    try:
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
            marker.touch()
        yield marker
    finally:
        marker.unlink(missing_ok=True)
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
