"""Nothing is lost of the room for which trials ask and which they then do not need."""

import time

import pytest
import ray
from ray.air.execution import ResourceRequest

from gansearch.search.cluster.ray_patches import Room

ONE = ResourceRequest([{"CPU": 1}])


@pytest.fixture
def room(ray_session):
    return Room()


def test_all_is_free_however_soon_a_request_is_taken_back(room):
    for i in range(40):
        room.request_resources(ONE)
        time.sleep(i * 1e-4)
        room.cancel_resource_request(ONE)
        room.update_state()
    room.clear()  # that two CPUs are free is seen to by everything_is_free


def test_what_was_taken_back_serves_the_next_request(room):
    room.request_resources(ONE)
    (future,) = room.get_resource_futures()
    room.cancel_resource_request(ONE)
    room.request_resources(ONE)
    assert room.get_resource_futures() == [future]
    ray.get(future)
    room.update_state()
    assert room.has_resources_ready(ONE)
    room.free_resources(room.acquire_resources(ONE))


def test_what_nobody_wants_does_not_stay(room):
    room.request_resources(ONE)
    (future,) = room.get_resource_futures()
    room.cancel_resource_request(ONE)
    ray.get(future)
    room.update_state()
    assert not room.has_resources_ready(ONE)
    assert room.get_resource_futures() == []


def test_of_two_that_are_asked_for_the_first_that_is_created_serves_who_waits(room):
    for _ in range(2):
        room.request_resources(ONE)
    futures = room.get_resource_futures()
    room.cancel_resource_request(ONE)
    ready, _ = ray.wait(futures, num_returns=1)
    room.update_state()
    assert room.has_resources_ready(ONE)
    room.free_resources(room.acquire_resources(ONE))
    ray.get([future for future in futures if future not in ready])
    room.update_state()
    assert not room.has_resources_ready(ONE)
