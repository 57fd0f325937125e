"""The other workers of a trial that has several: Ray tasks in its placement group, each with a process of its own.

They belong to the trial's first worker and to its placement group: whatever ends either ends them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray.exceptions import RayError
from ray.tune import PlacementGroupFactory
from ray.util import get_current_placement_group, get_node_ip_address
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from gansearch.experiment import Resources
from gansearch.search.worker.process import Origin, call

_CAUSE_SECONDS = 20.0
"""In which a worker that broke a group off is known to have ended."""
_CHECK_SECONDS = 1.0


def placement(resources: Resources, bundle: Mapping[str, float]) -> PlacementGroupFactory:
    """Return what a trial reserves: a bundle for each of its workers."""
    strategy = "PACK" if resources.across_nodes else "STRICT_PACK"
    return PlacementGroupFactory([dict(bundle)] * resources.processes, strategy=strategy)


def placement_of(resources: Resources, bundle: Mapping[str, float], config: Mapping[str, Any]) -> PlacementGroupFactory:
    """Return what the trial of a config reserves, whose share of a GPU may be another one."""
    return placement(resources, {**bundle, "GPU": config["gpus"]} if config.get("gpus") else bundle)


class Followers:
    """The workers beside the first one of a trial, from the time that its process asks for them."""

    def __init__(self, origin: Origin):
        """Start with none."""
        self._origin = origin
        self._tasks: list[ray.ObjectRef] = []

    @property
    def known(self) -> dict[str, Callable[..., Any]]:
        """What the process of the first worker may call, by name."""
        return {
            "node": get_node_ip_address,
            "follow": self.start,
            "follower_ended": lambda: bool(self._tasks and ray.wait(self._tasks, timeout=0)[0]),
            "follower_failed": lambda: any(map(_failure, self._done(0))),
            "why_parted": self.why_parted,
            "part": self.part,
        }

    def start(self, size: int, cpus: float, gpus: float, given: bytes) -> None:
        """Start them, in a group of `size` workers with so many CPUs and GPUs each; `given` is for their processes."""
        self.cancel()
        follow = ray.remote(_follow)

        def options(rank: int) -> dict[str, Any]:
            bundle = PlacementGroupSchedulingStrategy(get_current_placement_group(), placement_group_bundle_index=rank)
            return {"num_cpus": cpus, "num_gpus": gpus, "max_retries": 0, "scheduling_strategy": bundle}

        self._tasks = [follow.options(**options(rank)).remote(self._origin, given, rank) for rank in range(1, size)]

    def part(self) -> None:
        """Wait for them to end by themselves, for some seconds, and end them."""
        ray.wait(self._tasks, num_returns=len(self._tasks), timeout=_CAUSE_SECONDS)
        self.cancel()

    def cancel(self) -> None:
        """End those that have not ended: to cancel a task that just has can end this worker."""
        ended = self._done(0)
        for task in self._tasks:
            if task not in ended:
                ray.cancel(task, force=True)
        self._tasks = []

    def why_parted(self) -> tuple[bool, str]:
        """Return why the group broke off: whether the user's code raised, and what; else which worker is lost."""
        ray.wait(self._tasks, timeout=_CAUSE_SECONDS)
        failures = [failure for failure in map(_failure, self._done(_CHECK_SECONDS)) if failure]
        raised = [failure for failure in failures if failure[0]]
        return next(iter([*raised, *failures]), (False, ""))

    def _done(self, seconds: float) -> list[ray.ObjectRef]:
        done: list[ray.ObjectRef] = []
        if self._tasks:
            done, _ = ray.wait(self._tasks, num_returns=len(self._tasks), timeout=seconds)
        return done


def _follow(origin: Origin, given: bytes, rank: int) -> str:
    """Follow, on another worker of a trial. Return the traceback of what the user's code raised, or ""."""
    known = {"node": get_node_ip_address}
    return str(call(origin, "gansearch.search.worker.distributed:take_part", (given, rank), known))


def _failure(task: ray.ObjectRef) -> tuple[bool, str] | None:
    """Return what went wrong on a follower that has ended, and whether the user's code raised; None if nothing did."""
    try:
        raised = ray.get(task)
    except RayError as error:
        return False, f"another worker of the trial died: {str(error).strip().splitlines()[-1]}"
    return (True, raised) if raised else None
