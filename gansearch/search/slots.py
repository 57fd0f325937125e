"""How many trials run at once while nodes come and go, and which nodes are kept free of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup, placement_group

from gansearch.experiment import Experiment
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.cluster import Cluster, alive, fits, workers_on
from gansearch.search.cluster.nodes import answer, ask
from gansearch.search.cluster.ray_patches import remove_groups
from gansearch.search.dry_run.fill import Fill, share
from gansearch.search.dry_run.stack import Stack, row_of

UPDATE_SECONDS = 3.0
"""Between two looks at the cluster."""

_LOG = logging.getLogger(__name__)


class Slots:
    """The number of trials that fit on the nodes that are alive and can do their part.

    The nodes of the given cluster have been asked. A node that joins later is asked first, for code, data and
    `visible_file`, a file of the results folder or its URL. Until it has answered it adds no slot, though a trial that
    waits may get there before. If it lacks something, placement groups take its resources, so that trials go elsewhere.
    """

    def __init__(
        self,
        experiment: Experiment,
        cluster: Cluster,
        visible_file: Path | str,
        listeners: Listener,
        fill: Fill | None = None,
        stack: Stack | None = None,
    ):
        """Count the slots of a cluster. `experiment` is the one that workers read; `fill` says how full GPUs are.

        `stack` says how many trials share a process.
        """
        self.stack = stack
        self.rows = stack.at_once if stack else 1
        """Trials that share a process."""
        self.bundle = row_of(cluster.bundle(experiment.resources), self.rows)
        self.fill: Fill | None = None
        self._experiment, self._visible_file, self._listeners = experiment, visible_file, listeners
        self._fit = dict(zip(cluster.ids, cluster.nodes, strict=True))
        self._asked: dict[str, ray.ObjectRef] = {}
        self._unfit: dict[str, list[PlacementGroup]] = {}
        self._alive = set(self._fit)
        self._next_update = time.monotonic() + UPDATE_SECONDS
        self.now = self.most = 0
        """`most` is the largest number so far."""
        self._fill_gpus(fill)

    @property
    def wanted(self) -> int:
        """Trials that are asked for at once.

        One more than fits waits for its turn, so that a slot that falls free does not wait for the sampler.
        """
        return self.now + (self.now == self._capacity)

    def thin_out(self, gpus: float) -> bool:
        """Let later trials be one less on each GPU, since one with such a share of it ran out of its memory.

        Return whether they are: not where the number was given, or is smaller by now.
        """
        if self.fill is None or self.fill.at_once == 1 or gpus != self.bundle["GPU"]:
            return False
        self._fill_gpus(replace(self.fill, at_once=self.fill.at_once - 1))
        self._listeners.resized(self.now)
        return True

    @property
    def fit(self) -> list[str]:
        """The nodes that are known to be fit: an error on another one says nothing about a trial."""
        return list(self._fit)

    def is_alive(self, node: str) -> bool:
        """Ask the cluster whether it has a node."""
        return node in {one["NodeID"] for one in _alive_nodes()}

    def update(self) -> None:
        """Count again, every few seconds."""
        if time.monotonic() < self._next_update:
            return
        self._next_update = time.monotonic() + UPDATE_SECONDS
        nodes = {node["NodeID"]: node for node in _alive_nodes()}
        if not nodes:
            return  # the cluster does not answer at the moment
        self._alive = set(nodes)
        for name in self._unfit.keys() - nodes.keys():
            remove_groups(self._unfit.pop(name))
        for name in nodes.keys() - self._fit.keys() - self._asked.keys() - self._unfit.keys():
            self._asked[name] = ask(name, self._experiment, self._visible_file)
        for name, reference in list(self._asked.items()):
            wrong = answer(reference, 0) if name in nodes else ""
            if wrong is None:
                continue
            del self._asked[name]
            if name in nodes and not wrong:
                self._fit[name] = nodes[name]["Resources"]
            elif name in nodes:
                self._block(name, nodes[name], wrong)
        before = self.now
        self._count()
        if self.now != before:
            self._listeners.resized(self.now)

    def close(self) -> None:
        """Free the nodes that were blocked."""
        remove_groups(group for groups in self._unfit.values() for group in groups)
        self._unfit.clear()

    def _fill_gpus(self, fill: Fill | None) -> None:
        self.fill = fill
        if fill:
            self.bundle = {**self.bundle, "GPU": share(fill.at_once)}
        self._count()

    def _count(self) -> None:
        """Count at least one slot: a sweep whose nodes are all gone waits for others."""
        alive_nodes = [node for name, node in self._fit.items() if name in self._alive]
        self._capacity = max(1, fits(alive_nodes, self.bundle, self._experiment.resources))
        self.now = min(self._capacity, self._experiment.limits.concurrent or self._capacity)
        self.most = max(self.most, self.now)

    def _block(self, name: str, node: Mapping[str, Any], wrong: str) -> None:
        """Take the resources of an unfit node, so that no trial goes there."""
        label = [{"ray.io/node-id": name}]
        count = workers_on(node["Resources"], self.bundle)
        self._unfit[name] = [placement_group([self.bundle], bundle_label_selector=label) for _ in range(count)]
        _LOG.warning("warning: node %s gets no trials: it %s", node["NodeManagerAddress"], wrong)
        self._listeners.left_out(node["NodeManagerAddress"], wrong)


def _alive_nodes() -> list[Mapping[str, Any]]:
    try:
        return alive()
    except (RayError, RuntimeError, OSError):
        return []
