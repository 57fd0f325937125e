"""Fixtures of all tests, which test runs first, and the programs that were missing."""

import importlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

# Read when Ray starts; its own default writes a token under the home directory.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
# Tests run beside each other, and their networks are tiny.
os.environ.setdefault("OMP_NUM_THREADS", "1")
import optuna
import pytest

from gansearch.formatting import many
from gansearch.signals import ENDING
from gansearch.store.folder import Folder
from tests.programs import missing_programs
from tests.synthetic import write_study
from tests.workers import RUN, local_ray

# What runs in the background of a script ignores some signals, and a sweep leaves what is ignored so.
for name in ("INT", "TERM", "HUP", "USR1", "USR2"):
    if signal.getsignal(signal.Signals[f"SIG{name}"]) is signal.SIG_IGN:
        signal.signal(signal.Signals[f"SIG{name}"], signal.default_int_handler if name == "INT" else signal.SIG_DFL)

os.environ.setdefault(RUN, str(os.getpid()))
optuna.logging.set_verbosity(optuna.logging.WARNING)
FREE_SECONDS = 60
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use Ray or a server, and put files that take long first: all processes end together."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "ray_session" in fixtures:
            item.add_marker(pytest.mark.ray)
        if "objects" in fixtures:
            item.add_marker(pytest.mark.slow)
    long = {item.path for item in items if item.get_closest_marker("slow")}
    ray = {item.path for item in items if item.get_closest_marker("ray")}
    items.sort(key=lambda item: (item.path not in ray, item.path not in long))  # stable


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the programs for want of which tests were skipped, and what installs them."""
    reasons = [report.longrepr[2] for report in terminalreporter.getreports("skipped") if report.longrepr]
    for program, package, count in missing_programs(reasons):
        line = f"skipped for want of {program}: {many(count, 'test')} (apt-get install {package})"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="module")
def benchmarks():
    """A module of benchmarks/ by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module


@pytest.fixture(scope="session")
def ray_session() -> Iterator[ExitStack]:
    """A Ray that sweeps of this process use and leave running; closing the stack ends it."""
    with ExitStack() as stack:
        stack.enter_context(local_ray())
        yield stack


@pytest.fixture
def ray_with_a_gpu(ray_session: ExitStack) -> Iterator[None]:
    """A Ray that believes to have a GPU, in place of the session's while a test runs."""
    ray_session.close()
    with local_ray(gpus=1):
        yield
    ray_session.enter_context(local_ray())


@pytest.fixture(autouse=True)
def everything_is_free(request):
    """Fails a test after which resources of Ray stay taken. The next test gets a new Ray.

    So does one that follows a test without `ray_session` whose code has left the session's Ray.
    """
    if "ray_session" not in request.fixturenames:
        yield
        return
    import ray

    if not ray.is_initialized():
        request.getfixturevalue("ray_session").enter_context(local_ray())
    yield
    by = time.monotonic() + FREE_SECONDS
    while time.monotonic() < by:
        free, whole = ray.available_resources(), ray.cluster_resources()
        groups = {group["state"] for group in ray.util.placement_group_table().values()}
        if free.get("CPU") == whole["CPU"] and groups <= {"REMOVED"}:
            return
        time.sleep(0.1)
    stack = request.getfixturevalue("ray_session")
    stack.close()
    stack.enter_context(local_ray())
    raise AssertionError(f"after {FREE_SECONDS} s: {free} of {whole} are free; placement groups: {groups}")


@pytest.fixture(autouse=True)
def signals_are_as_before(request):
    """Fails a test that leaves a signal to somebody else: what other tests send would not reach them."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    left = [number.name for number, handler in before.items() if signal.getsignal(number) is not handler]
    for number, handler in before.items():
        signal.signal(number, handler)
    assert not left or "tune_run" in request.fixturenames, f"{left} have other handlers than before the test"


@pytest.fixture
def tune_run() -> Iterator[None]:
    """For a test with a run of Tune itself in this process, which takes signals for good and imports trackers."""
    loaded = set(sys.modules)
    yield
    for name in set(sys.modules) - loaded:
        if name.startswith("ray.air.integrations"):
            del sys.modules[name]


@pytest.fixture
def pretend(monkeypatch):
    """Replaces functions of `time` for one module alone: Ray's threads in this process go on with the true ones."""

    def replace(module, **functions):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **functions}))

    return replace


@pytest.fixture(scope="session")
def object_server():
    """The S3 server of all tests of a session."""
    from tests.objects import Objects

    server = Objects()
    yield server
    server.stop()


@pytest.fixture
def objects(object_server, monkeypatch, tmp_path):
    """An empty bucket that s3:// means, also for processes that a test starts, and a cache of the test's own."""
    object_server.reset()
    for name, value in {**object_server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    return object_server


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A finished sweep of 40 trials; not to be written to."""
    return write_study(tmp_path_factory.mktemp("results") / "digits")


@pytest.fixture
def folder(finished: Folder, tmp_path: Path) -> Folder:
    """A copy of it that a test may change."""
    return Folder(shutil.copytree(finished.path, tmp_path / "digits"))
