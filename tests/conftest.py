"""One Ray for all tests of a session, on two CPUs, with nothing written into the user's home."""

import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

# Read when Ray starts; its own default writes a token under the home directory.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import optuna
import pytest

from gansearch.store.folder import Folder
from tests.synthetic import write_many, write_study

optuna.logging.set_verbosity(optuna.logging.WARNING)
FREE_SECONDS = 10


@pytest.fixture(scope="session")
def ray_session():
    """Ray with two CPUs and no GPU, which sweeps in this process use and leave running."""
    import ray

    _start()
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def everything_is_free(request):
    """Holds every test to it that all of Ray is free soon after what it did; the next one finds it so in any case."""
    yield
    if "ray_session" not in request.fixturenames:
        return
    import ray

    by = time.monotonic() + FREE_SECONDS
    while time.monotonic() < by:
        free, whole = ray.available_resources(), ray.cluster_resources()
        groups = {group["state"] for group in ray.util.placement_group_table().values()}
        if free.get("CPU") == whole["CPU"] and groups <= {"REMOVED"}:
            return
        time.sleep(0.1)
    ray.shutdown()
    _start()
    raise AssertionError(f"after {FREE_SECONDS} s: {free} of {whole} are free; placement groups: {groups}")


def _start():
    import ray

    ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="ERROR")


@pytest.fixture
def pretend(monkeypatch):
    """Replaces functions of `time` for one module alone: Ray's threads in this process go on with the true ones."""

    def replace(module, **functions):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **functions}))

    return replace


@pytest.fixture
def objects(monkeypatch, tmp_path):
    """A server that s3:// means, also for processes that a test starts, and a cache of the test's own."""
    from tests.objects import Objects

    server = Objects()
    for name, value in {**server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A finished sweep of 40 trials; not to be written to."""
    return write_study(tmp_path_factory.mktemp("results") / "digits")


@pytest.fixture
def folder(finished: Folder, tmp_path: Path) -> Folder:
    """A copy of it that a test may change."""
    return Folder(shutil.copytree(finished.path, tmp_path / "digits"))


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A finished sweep of 10,000 trials; not to be written to."""
    return write_many(tmp_path_factory.mktemp("results") / "many", 10_000)
