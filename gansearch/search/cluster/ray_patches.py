"""Room for trials, given back whole.

Ray 2.60 loses what it has just prepared for a placement group that is removed before it is created: a CPU or a GPU
then counts as taken for as long as that Ray runs. Tune does so whenever a worker falls free for a trial that had asked
for one of its own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import ray
from ray.air.execution import PlacementGroupResourceManager
from ray.air.execution.resources.request import ResourceRequest
from ray.tune.execution import tune_controller
from ray.util.placement_group import PlacementGroup, remove_placement_group

_MOMENT_SECONDS = 2
"""Ray tries again once a second to create a group for which there was no room."""


def release(places: Iterable[PlacementGroup]) -> None:
    """Removes placement groups, which are given a moment to be created first: one for all of them."""
    places = list(places)
    _settled(places)
    for place in places:
        remove_placement_group(place)


def _settled(places: Iterable[PlacementGroup]) -> None:
    by = time.monotonic() + _MOMENT_SECONDS
    for place in places:
        place.wait(max(0.0, by - time.monotonic()))


class Room(PlacementGroupResourceManager):
    """Tune's own, but that a group which is not wanted any more serves the next request, or is removed once created."""

    def __init__(self, update_interval_s: float = 0.1):
        super().__init__(update_interval_s)
        self._unwanted = Counter[ResourceRequest]()
        """How many groups that are not created yet nobody waits for."""

    def cancel_resource_request(self, resource_request: ResourceRequest) -> None:
        if self._unwanted[resource_request] < len(self._request_to_staged_pgs[resource_request]):
            self._unwanted[resource_request] += 1
        else:
            self._remove(resource_request)

    def request_resources(self, resource_request: ResourceRequest) -> None:
        if self._unwanted[resource_request]:
            self._unwanted[resource_request] -= 1
        else:
            super().request_resources(resource_request)

    def update_state(self) -> None:
        super().update_state()
        for request, unwanted in self._unwanted.items():
            # Those that are created first serve who waits; what is too many then is removed.
            for _ in range(unwanted - len(self._request_to_staged_pgs[request])):
                self._unwanted[request] -= 1
                self._remove(request)

    def _remove(self, request: ResourceRequest) -> None:
        place = self._request_to_ready_pgs[request].pop()
        del self._pg_to_request[place]
        remove_placement_group(place)

    def clear(self) -> None:
        if ray.is_initialized():
            _settled(self._pg_to_staging_future)
        super().clear()


@contextmanager
def given_back() -> Iterator[None]:
    """Tune takes `Room` inside; no setting of it would say so."""
    original = tune_controller.PlacementGroupResourceManager
    tune_controller.PlacementGroupResourceManager = Room
    try:
        yield
    finally:
        tune_controller.PlacementGroupResourceManager = original
