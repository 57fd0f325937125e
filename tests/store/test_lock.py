"""One sweep at a time writes into a folder, and others see that it does."""

import errno
import fcntl
import socket
import threading
import time

import pytest

from gansearch.store.folder import Folder, StudyError, write_format, write_whole
from gansearch.store.lock import held, is_alive, is_locked, lock, read_progress
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


def no_locks(*arguments):
    raise OSError(errno.EOPNOTSUPP, "no locks here")


def test_a_second_sweep_is_refused_while_the_first_one_holds_the_folder(folder):
    assert not is_locked(folder)
    with lock(folder):
        assert is_locked(folder)
        with pytest.raises(StudyError, match="another sweep is writing"), lock(folder):
            pass
    assert not is_locked(folder)
    with lock(folder):
        pass


def test_a_new_folder_is_held_before_its_sweep_begins_and_is_gone_if_it_does_not(tmp_path):
    folder = Folder(tmp_path / "a" / "b")
    with lock(folder):
        assert folder.is_free, "a second sweep gets as far as the lock"
        with pytest.raises(StudyError, match="another sweep is writing"), lock(folder):
            pass
        assert is_locked(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_a_failing_sweep_has_begun_is_removed_and_nothing_else(tmp_path):
    folder = Folder(tmp_path / "out")
    folder.path.mkdir()
    with lock(folder):
        folder.records.mkdir()
        write_format(folder.path)
        (folder.path / "mine.txt").touch()
    assert [path.name for path in folder.path.iterdir()] == ["mine.txt"]


def test_a_sweep_that_has_begun_is_kept(tmp_path):
    folder = Folder(tmp_path / "out")
    with lock(folder):
        folder.experiment.touch()
    assert folder.is_ours


def test_who_gets_a_lock_that_was_just_removed_takes_the_new_one(tmp_path, monkeypatch):
    file, flock, calls = tmp_path / "lock", fcntl.flock, []

    def removed_before(stream, operation):
        if not calls:
            file.unlink()
        calls.append(operation)
        flock(stream, operation)

    monkeypatch.setattr(fcntl, "flock", removed_before)
    with held(file, tmp_path, "sweep"):
        assert len(calls) == 2
        with pytest.raises(StudyError), held(file, tmp_path, "sweep"):
            pass


def test_a_glance_of_another_process_refuses_no_sweep(folder):
    with folder.journal.open("rb") as journal:
        fcntl.flock(journal, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (journal, fcntl.LOCK_UN)).start()
        with lock(folder):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    folder = Folder(tmp_path / "file" / "out")
    with pytest.raises(StudyError, match="cannot be written"), lock(folder):
        pass


@pytest.mark.parametrize("has_locks", [True, False])
def test_a_driver_that_no_lock_tells_of_is_seen_by_its_file(folder, monkeypatch, has_locks):
    """Network file systems may lock on each machine alone, or not at all: then the host may be this one."""
    if not has_locks:
        monkeypatch.setattr(fcntl, "flock", no_locks)
    host = "elsewhere" if has_locks else socket.gethostname()
    facts = progress(folder, state="running", host=host, pid=7, every=0.2)
    writer = threading.Timer(0.3, progress, (folder,), {**facts, "written": 2.0})
    writer.start()
    with pytest.raises(StudyError, match=rf"another sweep is writing to it \(process 7 on {host}\)"), lock(folder):
        pass
    writer.join()
    progress(folder, state="running", host=host)  # it died
    with lock(folder):
        pass


def test_where_there_are_no_locks_the_file_tells_of_a_driver_on_this_machine(folder, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert is_locked(folder) is None
    facts = progress(folder, host=socket.gethostname())
    assert is_alive(folder, facts)
    assert not is_alive(folder, {**facts, "written": 1.0} | progress(folder, written=1.0))


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
