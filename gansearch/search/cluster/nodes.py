"""Whether every node can do its part, asked of each one before the first trial, or when it joins."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gansearch.experiment import Experiment
from gansearch.gan import TaskError
from gansearch.gan.registry import task_named
from gansearch.search.cluster.cluster import alive
from gansearch.search.errors import SweepError
from gansearch.store.object_store import Storage, is_url, join, reason

_SECONDS = 300.0
"""For a node to receive the code and to import it."""


def check_nodes(experiment: Experiment, out: Path | Storage) -> None:
    """Raises SweepError that names a node which cannot import the task, or see its data or the results in `out`.

    `experiment` is that of the workers. A node that this process runs on is not asked when it is the only one.
    """
    nodes = alive()
    if len(nodes) == 1 and not ray.util.client.ray.is_connected():
        return
    with _marked(out) as marker:
        asked = {ask(node["NodeID"], experiment, marker): node for node in nodes}
        for reference, node in asked.items():
            wrong = answer(reference, _SECONDS)
            if wrong is None:
                wrong = f"did not answer within {_SECONDS:g} s"
            if wrong and node["NodeID"] in {other["NodeID"] for other in alive()}:  # not one that has just left
                raise SweepError(f"node {node['NodeManagerAddress']}: {wrong}")


def ask(node: str, experiment: Experiment, marker: Path | str) -> ray.ObjectRef:
    """Asks a node, by Ray's id, whether it can import the task, and sees its data and `marker`, a file of the results
    folder or its URL."""
    here = NodeAffinitySchedulingStrategy(node, soft=False)
    # A worker that was killed says nothing of its node.
    task = ray.remote(num_cpus=0, max_retries=2)(_look).options(scheduling_strategy=here)
    return task.remote(experiment.task, experiment.data_path, str(marker))


def answer(reference: ray.ObjectRef, seconds: float) -> str | None:
    """What is wrong with a node that was asked, "" if nothing is; None where it has not answered within the time."""
    try:
        return str(ray.get(reference, timeout=seconds))
    except GetTimeoutError:
        return None
    except RayError as error:
        return f"cannot run gansearch: {str(error).strip().splitlines()[-1]}"


def _look(task: str, data: str | None, marker: str) -> str:
    """What a node runs; returns what is wrong with it, or nothing."""
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
    try:
        task_named(task)
    except TaskError as error:
        return str(error)
    if data and not Path(data).exists():
        return f"task_options.path: there is no {data}; keep data where every node sees it"
    return ""


@contextmanager
def _marked(out: Path | Storage) -> Iterator[Path | str]:
    """A file in `out` while it lasts; a folder that was made for it is removed again. Raises SweepError."""
    if isinstance(out, Storage):
        name = f".seen-{uuid.uuid4().hex}"
        out.write(name, b"seen")
        yield join(out.url, name)
        out.delete([name])
        return
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    marker = out / f".seen-{uuid.uuid4().hex}"
    try:
        try:
            out.mkdir(parents=True, exist_ok=True)
            marker.touch()
        except OSError as error:
            raise SweepError(f"{out}: cannot be written ({error.strerror or error})") from None
        yield marker
    finally:
        marker.unlink(missing_ok=True)
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
