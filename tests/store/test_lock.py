"""One sweep at a time writes into a folder, and others see that it does."""

import socket
import time

import pytest

from gansearch.store.folder import Folder, StudyError, write_whole
from gansearch.store.lock import is_alive, is_locked, lock, read_progress
from gansearch.store.nan_json import to_json


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path)
    folder.journal.touch()
    return folder


def progress(folder, **fields):
    facts = {"host": "elsewhere", "every": 0.02, "written": time.time(), **fields}
    write_whole(folder.progress, to_json(facts))
    return facts


def test_a_second_sweep_is_refused_while_the_first_one_holds_the_folder(folder):
    assert not is_locked(folder)
    with lock(folder):
        assert is_locked(folder)
        with pytest.raises(StudyError, match="another sweep is writing"), lock(folder):
            pass
    assert not is_locked(folder)
    with lock(folder):
        pass


def test_a_driver_on_this_machine_is_alive_while_it_holds_the_lock(folder):
    facts = progress(folder, host=socket.gethostname())
    assert not is_alive(folder, facts)
    with lock(folder):
        assert is_alive(folder, {**facts, "written": 0.0})


def test_a_driver_elsewhere_is_alive_while_its_file_changes(folder):
    assert is_alive(folder, progress(folder))
    silent = progress(folder, written=1.0)
    assert not is_alive(folder, silent)
    assert is_alive(folder, {**silent, "written": 2.0}), "it has written since, by a clock that is wrong"


def test_results_that_were_fetched_count_as_those_of_a_running_sweep(folder):
    folder.fetched.write_text("{}")
    assert is_alive(folder, progress(folder, written=1.0))


@pytest.mark.parametrize("content", [None, "", "[1, 2]"])
def test_progress_that_cannot_be_read_is_empty(folder, content):
    if content is not None:
        folder.progress.write_text(content)
    assert read_progress(folder) == {}
