"""What gansearch changes in Ray 2.60, and what it takes from Ray by a private name.

No other module uses a private name of Ray, but for what `gansearch.search.population.scheduler` overrides of Tune's
scheduler. Each entry says why it is here, which code of Ray it is about and when it can go.
"""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ray
import ray.tune.tune as tune_run
import requests
from ray import tune
from ray._private import services
from ray._private import utils as ray_utils
from ray._private import worker as ray_worker
from ray._private.authentication.grpc_authentication_client_interceptor import _get_authentication_metadata_tuple
from ray._private.node import Node
from ray._private.ray_constants import DASHBOARD_CLIENT_MAX_SIZE
from ray._private.runtime_env import packaging
from ray._private.utils import estimate_available_memory, get_num_cpus
from ray.air._internal import usage
from ray.air.execution import PlacementGroupResourceManager
from ray.air.execution.resources.request import AcquiredResources, ResourceRequest
from ray.job_config import JobConfig
from ray.job_submission import JobSubmissionClient
from ray.train._internal import storage
from ray.tune.execution import tune_controller
from ray.tune.experiment import Trial
from ray.tune.impl.tuner_internal import TunerInternal
from ray.util.placement_group import PlacementGroup, remove_placement_group

from gansearch.signals import blocked

NODE_PACKAGE_BYTES: int = packaging.GCS_STORAGE_MAX_SIZE
"""Largest package that Ray sends to nodes. Ray says so only after it has packed everything."""
JOB_PACKAGE_BYTES: int = DASHBOARD_CLIENT_MAX_SIZE
"""Largest package that the dashboard takes with a job. Ray says so only after it has been sent."""
LOOPBACK = "127.0.0.1"
_CREATION_SECONDS = 2
"""Time for a placement group to be created. Ray tries once a second to create one that did not fit."""
_ANSWER_SECONDS = 60.0
_ANSWER_BYTES = 2**31


@contextmanager
def patched() -> Iterator[None]:
    """Change Ray Tune for the time of one `Tuner.fit()` in this process."""
    with ExitStack() as stack:
        # Placement groups: see ResourceManager. The controller has a parameter for it, which Tuner does not pass on.
        stack.enter_context(_replaced(tune_controller, "PlacementGroupResourceManager", ResourceManager))
        # Usage statistics (ray/air/_internal/usage.py): to count which trackers a sweep has, Ray imports each one that
        # is installed. MLflow alone takes a second, and records that it was used. No setting turns off the import.
        stack.enter_context(_replaced(usage, "tag_callbacks", lambda callbacks: False))
        # Signals (ray/tune/tune.py): Tune takes SIGUSR1 and returns from `fit()` as if all were well. No setting keeps
        # it from that.
        stack.enter_context(_replaced(tune_run, "_setup_signal_catching", threading.Event))
        if ray.util.client.ray.is_connected():
            # Driver files (ray/train/_internal/storage.py): Tune keeps them in the session folder of this node, and a
            # client is on no node. It can go with `make_tuner`.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gansearch-"))
            stack.enter_context(_replaced(storage, "_get_ray_train_session_dir", lambda: folder))
        yield


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def make_tuner(trainable: Any, **settings: Any) -> Any:
    """Return a tuner whose `fit()` runs in this process, also through Ray Client.

    Through Ray Client, `tune.Tuner` would move itself to the cluster's head node, away from the Optuna study and the
    results folder. It has no parameter against that (ray/tune/tuner.py, `_force_on_current_node`).
    """
    if ray.util.client.ray.is_connected():
        return TunerInternal(trainable=trainable, _tuner_kwargs={"_remote": False}, **settings)
    return tune.Tuner(trainable, **settings)


class ResourceManager(PlacementGroupResourceManager):
    """Tune's resource manager, which removes no placement group before it is created.

    Ray loses the CPUs and GPUs that it has just prepared for a group that is removed too early: they count as taken as
    long as that Ray runs (https://github.com/ray-project/ray/issues/64693, open). Tune removes groups so whenever a
    worker falls free for a trial that has asked for a new one. Here such a group serves the next request of the same
    resources, or is removed once it is created. This class can go when the issue is closed.
    """

    def __init__(self, update_interval_s: float = 0.1):
        """Start with no requests; `update_interval_s` is as in the base class, in seconds."""
        super().__init__(update_interval_s)
        self._cancelled = Counter[ResourceRequest]()
        """Number of groups, not created yet, that nobody waits for."""

    def cancel_resource_request(self, resource_request: ResourceRequest) -> None:
        """Take back a request. Its group stays until it is created."""
        if self._cancelled[resource_request] < len(self._request_to_staged_pgs[resource_request]):
            self._cancelled[resource_request] += 1
        else:
            self._remove_ready(resource_request)

    def request_resources(self, resource_request: ResourceRequest) -> None:
        """Ask for resources: a cancelled group of the same ones, else a new one."""
        if self._cancelled[resource_request]:
            self._cancelled[resource_request] -= 1
        else:
            super().request_resources(resource_request)

    def update_state(self) -> None:
        """Note which groups have been created, and remove those that nobody waits for."""
        super().update_state()
        for request, cancelled in self._cancelled.items():
            # The groups that are created first serve those that wait.
            for _ in range(cancelled - len(self._request_to_staged_pgs[request])):
                self._cancelled[request] -= 1
                self._remove_ready(request)

    def free_resources(self, acquired_resource: AcquiredResources) -> None:
        """Give resources back, once.

        Tune may free those of a worker that it stops before it has started although they are given back already: a
        KeyError that was seen at the end of a sweep through Ray Client, from `_cleanup_actor` of
        ray/air/execution/_internal/actor_manager.py.
        """
        if acquired_resource.placement_group in self._acquired_pgs:
            super().free_resources(acquired_resource)

    def clear(self) -> None:
        """Remove all groups."""
        if ray.is_initialized():
            _wait_until_created(self._pg_to_staging_future)
        super().clear()

    def _remove_ready(self, request: ResourceRequest) -> None:
        group = self._request_to_ready_pgs[request].pop()
        del self._pg_to_request[group]
        remove_placement_group(group)


def remove_groups(groups: Iterable[PlacementGroup]) -> None:
    """Remove placement groups once they are created, or after two seconds in all: see `ResourceManager`."""
    groups = list(groups)
    _wait_until_created(groups)
    for group in groups:
        remove_placement_group(group)


def _wait_until_created(groups: Iterable[PlacementGroup]) -> None:
    deadline = time.monotonic() + _CREATION_SECONDS
    for group in groups:
        try:
            group.wait(max(0.0, deadline - time.monotonic()))
        except Exception as error:  # Ray's own for a group that is removed already, as after a Ctrl-C, is of this class
            if "does not exist" not in str(error):
                raise


@contextmanager
def on_loopback() -> Iterator[None]:
    """Let `ray.init` take LOOPBACK as the address of this node, at which all its processes then listen, and no other.

    Ray listens on every address otherwise, and so do those of its processes that have no setting for it. It replaces
    127.0.0.1 by an address that other machines reach (ray/_private/services.py, `resolve_ip_for_localhost`), but for
    macOS and Windows.
    """
    with _replaced(services, "resolve_ip_for_localhost", lambda host: host):
        yield


@contextmanager
def without_watchers() -> Iterator[None]:
    """Keep `ray.init` from starting two processes that have nothing to do where nobody looks at logs and dashboard.

    One reads the workers' logs for a driver that shows them, the other is the server of the dashboard, which
    `include_dashboard=False` leaves without its pages and with Ray's usage statistics. They take one to three seconds
    of a CPU at every start, and the first one more with every worker. `ray start` alone has a parameter for the first,
    and there is none for the second (ray/_private/node.py, `start_head_processes` and `start_ray_processes`).
    """
    with ExitStack() as stack:
        stack.enter_context(_replaced(Node, "start_log_monitor", lambda node: None))
        stack.enter_context(_replaced(Node, "start_api_server", lambda node, **options: None))
        yield


class _Unchanged(list[str]):
    """A list that nothing is added to."""

    def extend(self, others: Iterable[str]) -> None:
        """Ignore what is added."""


def without_current_directory() -> JobConfig:
    """Return the settings of a Ray job whose workers do not look for modules in the current directory first.

    Ray puts the driver's directory first into the `sys.path` of every worker (ray/_private/worker.py, `connect`), where
    a user's statistics.py is imported by gansearch and its libraries. Only where gansearch itself is there is it left.
    """
    config = JobConfig()
    if Path(__file__).parents[3] != Path.cwd():
        config._py_driver_sys_path = _Unchanged()
    return config


def kill_worker(trial: Trial) -> None:
    """Kill the worker process of a trial, after which Tune counts a failure and tries again.

    Tune has no public way to end the worker of a trial that may go on; the actor is known to the trial's temporary
    state alone (ray/tune/experiment/trial.py).
    """
    ray.kill(trial.temporary_state.ray_actor)


def give_whole_gpu(trial: Trial) -> None:
    """Let each worker of a trial have a GPU to itself once the trial is started again.

    `Trial.update_resources` refuses a trial that runs, and once it waits Tune has noted what it waits for
    (ray/tune/execution/tune_controller.py, `_set_trial_status`).
    """
    factory = trial.placement_group_factory
    bundles = [{**bundle, "GPU": 1.0} for bundle in factory.bundles]
    trial.placement_group_factory = tune.PlacementGroupFactory(bundles, strategy=factory.strategy)


@contextmanager
def signals_left_to_us() -> Iterator[None]:
    """Keep `ray.init` from taking SIGTERM, and its processes from ending by signals that a whole job is sent.

    A batch system signals every process of a job, and the sweep ends its Ray itself. Ray blocks only SIGINT in its
    processes (ray/_private/services.py, `start_ray_process`). SIGTERM is how it ends them, so its server of the cluster
    alone does without: calls to that would wait for a minute. Ray's handler of SIGTERM, for which there is no parameter
    (ray/_private/worker.py, `connect`, and node.py), exits the process.
    """
    start = services.start_gcs_server

    def start_gcs_server(*arguments: Any, **options: Any) -> Any:
        with blocked({signal.SIGTERM}):
            return start(*arguments, **options)

    with ExitStack() as stack:
        stack.enter_context(_replaced(ray_utils, "set_sigterm_handler", lambda handler: None))
        stack.enter_context(_replaced(services, "start_gcs_server", start_gcs_server))
        stack.enter_context(blocked({signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}))
        yield


@contextmanager
def no_worker_logs() -> Iterator[None]:
    """Keep Ray from printing about its processes.

    `ray.init(log_to_driver=False)` leaves out what workers print, but not Ray's own lines about dead processes, which
    would break up the live view (ray/_private/worker.py, `print_worker_logs`).
    """
    with _replaced(ray_worker, "_worker_logs_enabled", False):
        yield


def machine() -> dict[str, float]:
    """Return the CPUs and the free memory in bytes that Ray would find on this machine, without starting it.

    Ray respects the limits of a container; `os.cpu_count()` and psutil do not.
    """
    return {"CPU": float(get_num_cpus(override_docker_cpu_warning=True)), "memory": float(estimate_available_memory())}


def token_metadata() -> tuple[tuple[str, str], ...]:
    """Return the gRPC metadata with the token that Ray's own clients send; empty where none is set.

    Ray tries for minutes to join a cluster whose token is another one, so the token is tried out before.
    """
    return tuple(_get_authentication_metadata_tuple())


def visit_package(root: Path, excludes: list[str], visit: Callable[[Path], None]) -> None:
    """Call `visit` with each path that Ray would pack of a folder; what `visit` raises ends the walk.

    Ray reads .gitignore and .rayignore files with a copy of pathspec that is private to it.
    """
    ignored = [packaging._get_excludes(root, excludes)]
    quiet = logging.Logger("quiet", logging.CRITICAL)
    packaging._dir_travel(root, ignored, visit, include_gitignore=True, logger=quiet)


def write_package(root: str, file: Path, excludes: list[str]) -> None:
    """Write the .zip file that Ray would send of a folder.

    `JobSubmissionClient` packs a folder by itself, but has no way to add files to it.
    """
    packaging.create_package(root, file, include_gitignore=True, excludes=excludes)


class JobClient(JobSubmissionClient):
    """Ray's client for jobs, with a limit for the time and the size of each answer.

    Ray's own waits for ever where the network is gone, and takes whatever a dashboard sends into memory.
    """

    def _do_request(self, *request: Any, **options: Any) -> requests.Response:
        bounds = {"timeout": _ANSWER_SECONDS, "stream": True, "hooks": {"response": _read_bounded}}
        return super()._do_request(*request, **{**bounds, **options})


def _read_bounded(answer: requests.Response, **options: Any) -> None:
    """Read an answer before anybody else does. Raises OSError where it is too large."""
    content = bytearray()
    for piece in answer.iter_content(2**20):
        content += piece
        if len(content) > _ANSWER_BYTES:
            answer.close()
            raise OSError(f"its answer is larger than {_ANSWER_BYTES / 1e9:.0f} GB")
    answer._content = bytes(content)
