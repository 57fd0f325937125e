from __future__ import annotations

import shutil
from pathlib import Path

import optuna
import pytest

from gansearch.store.folder import Folder

from .synthetic import write_many, write_study

optuna.logging.set_verbosity(optuna.logging.WARNING)


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
