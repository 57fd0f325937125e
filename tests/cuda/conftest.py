"""Runs the tests of this folder in a process with a pretended CUDA device, and reports each as it went there."""

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.workers import RUN, local_ray

HERE = Path(__file__).parent
REPORTS = "PRETENDED_CUDA_REPORTS"
"""In that process, the file to which the reports are written."""
_reports: dict[str, list[pytest.TestReport]] = {}


def compiler() -> str | None:
    """The C++ compiler of this machine."""
    return shutil.which("c++") or shutil.which("g++")


def library(folder: Path) -> Path:
    """The device, compiled for this torch into a folder, where it is kept."""
    torch_folder, source = Path(torch.__file__).parent, HERE / "device.cpp"
    key = hashlib.sha256(source.read_bytes() + f"{torch_folder} {torch.__version__}".encode()).hexdigest()[:12]
    made = folder / f"{key}.so"
    if not made.exists():
        libraries = [
            f"-L{torch_folder}/lib",
            "-Wl,--no-as-needed",
            "-lc10",
            "-ltorch_cpu",
            f"-Wl,-rpath,{torch_folder}/lib",
        ]
        options = ["-std=c++20", "-shared", "-fPIC", "-w", f"-I{torch_folder}/include"]
        part = made.with_suffix(f".{os.getpid()}")
        subprocess.run([str(compiler()), *options, str(source), "-o", str(part), *libraries], check=True)
        part.rename(made)
    return made


def environment(config: pytest.Config) -> dict[str, str]:
    """The environment of a process that is to have the device."""
    if REPORTS in os.environ:
        return dict(os.environ)
    paths = [str(HERE / "site"), str(config.rootpath), *filter(None, [os.environ.get("PYTHONPATH")])]
    made = library(config.cache.mkdir("cuda"))
    inherited = {name: value for name, value in os.environ.items() if name != RUN}  # its forks need the device as well
    return {**inherited, "PRETENDED_CUDA": str(made), "PYTHONPATH": os.pathsep.join(paths)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = ""
    if torch.version.cuda or torch.version.hip:
        reason = "this build of torch has a CUDA of its own; the pretended one is for a CPU build"
    elif not sys.platform.startswith("linux"):
        reason = "the pretended CUDA device is for Linux"
    elif compiler() is None:
        reason = "needs the program c++"
    if reason:
        for item in items:
            if item.path.parent == HERE:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Reports a test of this folder as it went in the process that has run all of its file."""
    if item.path.parent != HERE or REPORTS in os.environ or item.get_closest_marker("skip"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    if item.nodeid not in _reports:
        _run([other.nodeid for other in item.session.items if other.path == item.path], item)
    for report in _reports.pop(item.nodeid):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run(names: list[str], item: pytest.Item) -> None:
    """Runs the tests of these names in a process with the device, and keeps their reports."""
    config = item.config
    written = config.cache.mkdir("cuda") / f"reports-{os.getpid()}"
    written.write_text("")
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--durations=0", *names],
        cwd=config.rootpath,
        env={**environment(config), REPORTS: str(written)},
        capture_output=True,
        text=True,
        check=False,
    )
    for line in written.read_text().splitlines():
        report = config.hook.pytest_report_from_serializable(config=config, data=json.loads(line))
        _reports.setdefault(report.nodeid, []).append(report)
    written.unlink()
    output = (
        f"{process.stdout[-3000:]}{process.stderr[-3000:]}\nended with status {process.returncode}, before this test"
    )
    for name in names:
        lost = pytest.TestReport(name, item.location, {}, "failed", output, "call")
        _reports.setdefault(name, [lost])


class Writer:
    """Writes the reports of a process with the device."""

    def __init__(self, config: pytest.Config, path: Path):
        self._config, self._path = config, path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._path.open("a") as file:
            file.write(json.dumps(data) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    if REPORTS in os.environ:
        config.pluginmanager.register(Writer(config, Path(os.environ[REPORTS])))


@pytest.fixture
def cuda() -> Iterator:
    """The pretended device."""
    return importlib.import_module("tests.cuda.device")


@pytest.fixture
def ray_with_a_gpu():
    """A Ray that believes to have a GPU; the tests that use it are alone in their process."""
    with local_ray(gpus=1):
        yield
