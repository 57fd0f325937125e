"""Importing any module of ours changes nothing in the process."""

import subprocess
import sys

import pytest

IMPORT_ALL = """
import importlib, os, pkgutil, signal, sys, warnings
# These set filters and variables of their own, which is none of our doing.
for library in ("ray.tune", "ray.job_submission", "aiohttp.web", "optuna", "plotly.offline", "scipy.stats", "typer"):
    importlib.import_module(library)
os.environ["KERAS_BACKEND"] = "torch"
for library in ("pytorch_lightning", "lightning.pytorch", "keras", "ignite.engine", "monai"):
    try:
        importlib.import_module(library)
    except ImportError:
        pass
import torch

def ground():
    return {
        "environment": dict(os.environ),
        "handlers": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "dtype": torch.get_default_dtype(),
        "random": torch.initial_seed(),
        "warnings": list(warnings.filters),
        "hooks": (sys.excepthook, sys.unraisablehook),
        "directory": os.getcwd(),
    }

import gansearch
modules = [m.name for m in pkgutil.walk_packages(gansearch.__path__, "gansearch.") if m.name != "gansearch.__main__"]
OPTIONAL = {"pytorch_lightning", "lightning", "mlflow", "wandb", "tensorboard"}
before, missing = ground(), []
for name in modules:
    try:
        importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").split(".")[0] not in OPTIONAL and "pip install 'gansearch[" not in str(error):
            raise
        missing.append(name)
    now = ground()
    changed = [what for what in now if now[what] != before[what]]
    assert not changed, f"importing {name} changes {changed}"
print(len(modules), "modules, of which cannot be imported:", missing)
"""


@pytest.mark.slow
def test_importing_any_module_changes_nothing_in_the_process():
    found = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split()[0]) > 100
