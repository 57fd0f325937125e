"""What a Ray worker runs for a trial of Ray Tune: it starts the trial's process, and passes on what this reports.

It imports no torch, and no code of the user's: a worker is used for many trials, a process for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import ray
from ray import tune
from ray.actor import ActorHandle
from ray.exceptions import RayError

from gansearch.search.worker.checkpoints import local_copy
from gansearch.search.worker.followers import Followers
from gansearch.search.worker.link import FAILED, PACKED, Packed
from gansearch.search.worker.process import Origin, call

PROGRAM = "gansearch.search.worker.run:train"
"""What the process of a trial calls."""


def run_trial(
    origin: Origin,
    make: bytes,
    config: Mapping[str, Any],
    rungs: ActorHandle | None = None,
    race: ActorHandle | None = None,
    rows: int = 1,
) -> None:
    """Train what `make`, a pickled callable, makes of a config and this worker's CPUs and GPUs; in a new process.

    `config` holds "number", "params" and "checkpoints", those of an earlier sweep, newest first, and "fit", the nodes
    that are known to be fit. `rungs` and `race` are the actors of Rungs and of Race. With several `rows` so many trials
    share a process and its CPUs, each with a worker of its own; but one whose config says "alone" has a process to
    itself. Reports what `gansearch.search.worker.run.train` does, with "on" and "gpus": Ray's id of the node, and the
    ids of the GPUs.
    """
    resources = tune.get_context().get_trial_resources().bundles[0]
    worker, followers = _Worker(rungs, race), Followers(origin)
    with ExitStack() as stack:
        stack.callback(followers.cancel)
        own = tune.get_checkpoint()
        saved = [stack.enter_context(local_copy(own))] if own else list(config["checkpoints"])
        cpus, gpus = resources.get("CPU", 1.0), resources.get("GPU", 0.0)
        begin = (make, dict(config), round(rows * cpus, 2), gpus, saved, bool(own))
        known = {**worker.known, **followers.known}
        together = 0 if rows == 1 or config.get("alone") else 1 if gpus else _processes(worker.node, rows * cpus)
        left, news = call(origin, PROGRAM, (b"", begin), known, rows=together)
        while left:
            worker.report(news)
            left, news = call(origin, PROGRAM, (left, ()), known)
    failed = news.pop(FAILED, False)
    worker.report(news)
    if failed and (0 < resources.get("GPU", 0.0) < 1 or worker.node not in config.get("fit", ())):
        raise RuntimeError("the trial failed")  # it may be tried again: if this returned, Tune took it for complete


def _processes(here: str, cpus: float) -> int:
    """Return how many processes with so many CPUs there may be on a node, this one."""
    total = next((node["Resources"].get("CPU", 1.0) for node in ray.nodes() if node["NodeID"] == here), 1.0)
    return max(1, int(total / cpus + 0.01))


class _Worker:
    """What the process of a trial may call, but for what is about other workers."""

    def __init__(self, rungs: ActorHandle | None, race: ActorHandle | None):
        self._rungs, self._race = rungs, race
        self.node = ray.get_runtime_context().get_node_id()
        self._about = {"on": self.node, "gpus": ", ".join(map(str, ray.get_gpu_ids()))}

    @property
    def known(self) -> dict[str, Callable[..., Any]]:
        """By name."""
        return {"report": self.report, "reach": self.reach, "another": self.another}

    def report(self, news: Mapping[str, Any], folder: str | None = None) -> str:
        """Report to Tune, with the checkpoint in a folder. Return why that could not be written, or nothing."""
        contents = {name: Packed(value) if name in PACKED else value for name, value in news.items()}
        try:
            checkpoint = tune.Checkpoint.from_directory(folder) if folder else None
            tune.report({**self._about, **contents}, checkpoint=checkpoint)
        except (OSError, RuntimeError) as error:
            if folder is None:
                raise
            return str(error) or type(error).__name__
        return ""

    def reach(self, standing: bytes, number: int) -> tuple[str, bool]:
        """Note a trial's standing at a rung. Return why it should stop there, or "", and whether it is the nearest."""
        reason, nearest = self._asked(self._rungs, "reach", Packed(standing), number) or ("", False)
        return reason, nearest

    def another(self, number: int, seeds: bytes) -> bool:
        """Note a trial's seeds. Return whether it should train one more."""
        return bool(self._asked(self._race, "another", number, Packed(seeds)))

    def _asked(self, actor: ActorHandle | None, method: str, *args: Any) -> Any:
        """Return what an actor answers; None where there is none, or its node is gone."""
        try:
            return None if actor is None else ray.get(getattr(actor, method).remote(*args))
        except RayError:
            return None
