"""One Ray for all tests of a session, on two CPUs, with nothing written into the user's home."""

import os

# Read when Ray starts; its own default writes a token under the home directory.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import pytest


@pytest.fixture(scope="session")
def ray_session():
    """Ray with two CPUs and no GPU, which sweeps in this process use and leave running."""
    import ray

    import gansearch.search  # noqa: F401 (its settings come before Ray)

    ray.init("local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture
def objects(monkeypatch, tmp_path):
    """A server that s3:// means, also for processes that a test starts, and a cache of the test's own."""
    from .objects import Objects

    server = Objects()
    for name, value in {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    yield server
    server.stop()
