"""Room for trials, given back whole.

Ray 2.60 loses what it has just prepared for a placement group that is removed before it is created: a CPU or a GPU
then counts as taken for as long as that Ray runs. Tune does so whenever a worker falls free for a trial that had asked
for one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ray
from ray.air.execution import PlacementGroupResourceManager
from ray.air.execution.resources.request import ResourceRequest
from ray.tune.execution import tune_controller
from ray.util.placement_group import PlacementGroup, remove_placement_group

_MOMENT_SECONDS = 2
"""Ray tries again once a second to create a group for which there was no room."""


def release(place: PlacementGroup) -> None:
    """Removes a placement group, which is given a moment to be created first."""
    place.wait(_MOMENT_SECONDS)
    remove_placement_group(place)


class Room(PlacementGroupResourceManager):
    """Tune's own, but that a group which is not wanted any more serves the next request, or is removed once created."""

    def __init__(self, update_interval_s: float = 0.1):
        super().__init__(update_interval_s)
        self._spare: list[PlacementGroup] = []

    def cancel_resource_request(self, resource_request: ResourceRequest) -> None:
        staged = self._request_to_staged_pgs[resource_request]
        if staged:
            self._spare.append(staged.pop())
        else:
            super().cancel_resource_request(resource_request)

    def request_resources(self, resource_request: ResourceRequest) -> None:
        for place in self._spare:
            if self._pg_to_request[place] == resource_request:
                self._spare.remove(place)
                self._request_to_staged_pgs[resource_request].add(place)
                return
        super().request_resources(resource_request)

    def update_state(self) -> None:
        for place in self._spare:
            self._request_to_staged_pgs[self._pg_to_request[place]].add(place)
        super().update_state()
        still = []
        for place in self._spare:
            request = self._pg_to_request[place]
            if place in self._request_to_staged_pgs[request]:
                self._request_to_staged_pgs[request].remove(place)
                still.append(place)
            else:
                self._request_to_ready_pgs[request].remove(place)
                del self._pg_to_request[place]
                remove_placement_group(place)
        self._spare = still

    def clear(self) -> None:
        if not ray.is_initialized():
            return
        for place in list(self._pg_to_staging_future):
            place.wait(_MOMENT_SECONDS)
        for place in self._spare:
            remove_placement_group(place)
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
