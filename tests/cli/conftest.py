"""A sweep that runs, for the views."""

import fcntl

import pytest

from tests.synthetic import write_study


@pytest.fixture
def running_sweep(tmp_path):
    """The folder of a sweep of 40 trials, of which ten have ended. Its journal is locked, as by a driver."""
    folder = write_study(tmp_path / "digits", trials=10, confirmed=False)
    with folder.journal.open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        yield folder
