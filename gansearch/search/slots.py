"""How many trials run at once while nodes come and go, and which nodes are kept free of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.placement_group import PlacementGroup, placement_group

from gansearch.experiment import Experiment
from gansearch.search.callbacks.listener import Listener
from gansearch.search.cluster.cluster import Cluster, alive, fits
from gansearch.search.cluster.nodes import answer, ask
from gansearch.search.cluster.ray_patches import remove_groups

EVERY = 3.0
"""Seconds between two looks at the cluster."""

_LOG = logging.getLogger(__name__)


class Slots:
    """As many trials as fit on the nodes that are there now, and can do their part.

    `cluster` are the nodes of the beginning, which have been asked. A node that joins later is asked first, for code,
    data and `seen`, a file of the results folder or its URL. Until it has answered it adds no slot, though a trial that
    waits may get there before; if it lacks something its room is taken, so that trials go elsewhere.
    """

    def __init__(self, experiment: Experiment, cluster: Cluster, seen: Path | str, listeners: Listener):
        self.bundle = cluster.bundle(experiment.resources)
        self._experiment, self._seen, self._listeners = experiment, seen, listeners
        self._fit = dict(zip(cluster.ids, cluster.nodes, strict=True))
        self._asked: dict[str, ray.ObjectRef] = {}
        self._unfit: dict[str, list[PlacementGroup]] = {}
        self._there = set(self._fit)
        self._due = time.monotonic() + EVERY
        self.now = self.most = 0
        """`most` is the largest number so far."""
        self._count()

    @property
    def asked(self) -> int:
        """Trials that are asked for at once. One more than fits waits for its turn: a slot that falls free need not
        wait for the sampler."""
        return self.now + (self.now == self._room)

    def trusts(self, node: str) -> bool:
        """Whether a node has shown that it can do its part: what fails elsewhere says nothing of a trial."""
        return node in self._fit

    def is_there(self, node: str) -> bool:
        """Whether the cluster still has a node, asked anew."""
        return node in {one["NodeID"] for one in _alive()}

    def look(self) -> None:
        """Counts again, every few seconds."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        nodes = {node["NodeID"]: node for node in _alive()}
        if not nodes:
            return  # the cluster cannot be asked just now
        self._there = set(nodes)
        for name in self._unfit.keys() - nodes.keys():
            remove_groups(self._unfit.pop(name))
        for name in nodes.keys() - self._fit.keys() - self._asked.keys() - self._unfit.keys():
            self._asked[name] = ask(name, self._experiment, self._seen)
        for name, reference in list(self._asked.items()):
            wrong = answer(reference, 0) if name in nodes else ""
            if wrong is None:
                continue
            del self._asked[name]
            if name in nodes and not wrong:
                self._fit[name] = nodes[name]["Resources"]
            elif name in nodes:
                self._keep_free(name, nodes[name], wrong)
        before = self.now
        self._count()
        if self.now != before:
            self._listeners.resized(self.now)

    def close(self) -> None:
        """Gives back the room of the nodes that were kept free."""
        remove_groups(place for places in self._unfit.values() for place in places)
        self._unfit.clear()

    def _count(self) -> None:
        """At least one: a sweep whose nodes are all gone waits for others."""
        there = [node for name, node in self._fit.items() if name in self._there]
        self._room = max(1, fits(there, self.bundle, self._experiment.resources))
        self.now = min(self._room, self._experiment.limits.concurrent or self._room)
        self.most = max(self.most, self.now)

    def _keep_free(self, name: str, node: Mapping[str, Any], wrong: str) -> None:
        here = [{"ray.io/node-id": name}]
        room = fits([node["Resources"]], self.bundle)
        self._unfit[name] = [placement_group([self.bundle], bundle_label_selector=here) for _ in range(room)]
        _LOG.warning("warning: node %s gets no trials: it %s", node["NodeManagerAddress"], wrong)
        self._listeners.left_out(node["NodeManagerAddress"], wrong)


def _alive() -> list[Mapping[str, Any]]:
    try:
        return alive()
    except (RayError, RuntimeError, OSError):
        return []
