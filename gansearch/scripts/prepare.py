"""One run of a script made ready: its folder, its files, its words and its environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gansearch.experiment import ScriptTask


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
    raise NotImplementedError
