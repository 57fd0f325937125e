"""The wheel and the sdist, installed where there is no clone."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import gansearch

ROOT = Path(__file__).parents[2]
FILES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    "OMP_NUM_THREADS": "1",
    "RAY_prestart_worker_first_driver": "0",  # a trial uses one worker
}


def run(*command, cwd):
    done = subprocess.run([*map(str, command)], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `gansearch` command of an environment that holds the wheel; dependencies are this environment's."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "gansearch", folder / "clone/gansearch")
    for name in FILES:
        shutil.copy(ROOT / name, folder / "clone")
    # Builds the sdist of the clone, and the wheel of the sdist.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "clone", cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    files = {
        str(path.relative_to(ROOT)) for path in (ROOT / "gansearch").rglob("*.*") if "__pycache__" not in path.parts
    }
    assert {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("gansearch/")} == files
    assert (folder / f"dist/gansearch-{gansearch.__version__}.tar.gz").is_file()
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv/bin/python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder)
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv/bin/gansearch"


@pytest.mark.ray
def test_a_wheel_runs_a_shipped_experiment_without_a_clone(installed, tmp_path):
    code = "import gansearch, importlib.metadata as m; print(gansearch.__file__, m.version('gansearch'))"
    path, version = run(installed.with_name("python"), "-c", code, cwd=tmp_path).split()
    assert Path(path).is_relative_to(installed.parents[1])
    assert version == gansearch.__version__
    assert run(installed, "--version", cwd=tmp_path) == f"gansearch {version}\n"
    assert "digits-default" in run(installed, "init", "--list", cwd=tmp_path)
    short = ("--set", "training.updates=60", "--set", "search.pretrain_steps=0", "--set", "confirm=null")
    run(installed, "sweep", "ring", "--trials", "1", *short, "--quiet", cwd=tmp_path)
    assert json.loads(run(installed, "report", "results/ring", "--json", cwd=tmp_path))["trials"]["total"] == 1
    assert "1 of 1 have ended" in run(installed, "status", "results/ring", cwd=tmp_path)
    run(installed, "export", "results/ring", "-o", "best.yaml", "--anyway", cwd=tmp_path)  # 60 updates are few
    run(installed, "train", "best.yaml", "--seeds", "1", "--out", "trained", cwd=tmp_path)
    assert (tmp_path / "trained/report.html").is_file()
