"""What gansearch changes in Ray: no CPU is lost to a group that was removed too early, and no process to a signal."""

import signal
import time
from pathlib import Path

import pytest
import ray
from ray.air.execution import ResourceRequest
from ray.util.placement_group import placement_group

from gansearch.search.cluster import ray_patches
from gansearch.search.cluster.ray_patches import (
    ResourceManager,
    services,
    signals_left_to_us,
    without_current_directory,
)

ONE = ResourceRequest([{"CPU": 1}])


@pytest.fixture
def manager(ray_session):
    return ResourceManager()


def test_no_cpu_is_lost_however_soon_a_request_is_cancelled(manager):
    for i in range(40):
        manager.request_resources(ONE)
        time.sleep(i * 1e-4)
        manager.cancel_resource_request(ONE)
        manager.update_state()
    manager.clear()  # the fixture everything_is_free checks that two CPUs are free


def test_a_cancelled_group_serves_the_next_request(manager):
    manager.request_resources(ONE)
    (future,) = manager.get_resource_futures()
    manager.cancel_resource_request(ONE)
    manager.request_resources(ONE)
    assert manager.get_resource_futures() == [future]
    ray.get(future)
    manager.update_state()
    assert manager.has_resources_ready(ONE)
    manager.free_resources(manager.acquire_resources(ONE))


def test_resources_may_be_given_back_twice(manager):
    manager.request_resources(ONE)
    ray.get(manager.get_resource_futures())
    manager.update_state()
    acquired = manager.acquire_resources(ONE)
    manager.free_resources(acquired)
    manager.free_resources(acquired)
    assert not manager.has_resources_ready(ONE)


def test_what_is_removed_already_is_removed_again_in_silence(ray_session):
    group = placement_group([{"CPU": 1}])
    assert group.wait(10)
    for _ in range(2):
        ray_patches.remove_groups([group])


def test_a_cancelled_group_is_removed_once_it_is_created(manager):
    manager.request_resources(ONE)
    (future,) = manager.get_resource_futures()
    manager.cancel_resource_request(ONE)
    ray.get(future)
    manager.update_state()
    assert not manager.has_resources_ready(ONE)
    assert manager.get_resource_futures() == []


def test_the_group_that_is_created_first_serves_the_request_that_is_left(manager):
    for _ in range(2):
        manager.request_resources(ONE)
    futures = manager.get_resource_futures()
    manager.cancel_resource_request(ONE)
    ready, _ = ray.wait(futures, num_returns=1)
    manager.update_state()
    assert manager.has_resources_ready(ONE)
    manager.free_resources(manager.acquire_resources(ONE))
    ray.get([future for future in futures if future not in ready])
    manager.update_state()
    assert not manager.has_resources_ready(ONE)


def test_the_processes_of_ray_do_not_end_by_the_signals_of_a_job(monkeypatch):
    def masked():
        return signal.pthread_sigmask(signal.SIG_BLOCK, ())

    monkeypatch.setattr(services, "start_gcs_server", masked)
    before, handler = masked(), signal.getsignal(signal.SIGTERM)
    with signals_left_to_us():
        assert masked() - before == {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
        assert signal.SIGTERM in services.start_gcs_server()
        ray_patches.ray_utils.set_sigterm_handler(lambda number, frame: None)
    assert (masked(), signal.getsignal(signal.SIGTERM)) == (before, handler)


def test_workers_do_not_look_in_the_current_directory_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = without_current_directory()
    config._py_driver_sys_path.extend([str(tmp_path)])
    assert config._py_driver_sys_path == []
    monkeypatch.chdir(Path(ray_patches.__file__).parents[3])
    assert type(without_current_directory()._py_driver_sys_path) is list
