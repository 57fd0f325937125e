"""Optuna's studies in files and databases, and files that are none."""

import os
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from gansearch.experiment import Choices, Range
from gansearch.store.folder import StudyError
from gansearch.study.foreign.optuna_study import is_optuna, read_optuna
from tests.study.foreign.studies import filled, journal, judged, sqlite


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies")
    filled(journal(folder / "study.log"), train=judged)
    filled(sqlite(folder / "study #1.db"), train=judged)
    return folder


def state(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["study.log", "study #1.db", "sqlite:///{}/study #1.db"])
def test_a_study_is_read_whole_and_its_file_stays_as_it_was(files, name):
    before = state(files)
    source = name.format(files) if "{" in name else str(files / name)
    assert is_optuna(source)
    found = read_optuna(source, None)
    assert (found.name, found.kind, found.objectives) == ("celeba", "Optuna study", {"value": True})
    assert [row["status"] for row in found.rows].count("pruned") == 4
    assert found.rows[8]["status"] == "failed"
    assert found.rows[0]["verdict"] in ("balanced", "collapsed")
    lr, loss, layers = (found.search[name] for name in ("lr", "loss", "layers"))
    assert isinstance(lr, Range)
    assert (lr.low, lr.high, lr.log) == (1e-5, 1e-1, True)
    assert isinstance(loss, Choices)
    assert loss.choices == ["hinge", None, 2]
    assert (layers.low, layers.high) == (1, 5)
    assert any(not row["feasible"] for row in found.rows)
    assert state(files) == before


def test_a_file_that_may_not_be_written_is_read(files, tmp_path):
    copy = tmp_path / "study.db"
    copy.write_bytes((files / "study #1.db").read_bytes())
    copy.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        assert len(read_optuna(str(copy), None).rows) == 24
        assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
    finally:
        tmp_path.chmod(0o755)


def test_names_and_directions_of_objectives_and_trials_that_run(tmp_path):
    study = filled(journal(tmp_path / "log"), trials=0, directions=["maximize", "minimize"])
    study.set_metric_names(["is", "fid"])
    study.tell(study.ask(), [1.0, 2.0])
    study.ask()
    found = read_optuna(str(tmp_path / "log"), None)
    assert found.objectives == {"is": False, "fid": True}
    assert (found.rows[0]["is"], found.rows[0]["fid"]) == (1.0, 2.0)
    assert found.remarks == ["1 trial of it waits or runs, and is left out."]
    study.ask()
    assert read_optuna(str(tmp_path / "log"), None).remarks == ["2 trials of it wait or run, and are left out."]


def test_times_that_are_local_become_utc(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        begin = datetime.now(UTC)
        filled(journal(tmp_path / "log"), trials=1)
        row = read_optuna(str(tmp_path / "log"), None).rows[0]
        assert begin <= row["started"] <= row["ended"] <= datetime.now(UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_of_several_studies_one_is_chosen(tmp_path):
    for name in ("celeba", "mnist"):
        filled(sqlite(tmp_path / "two.db"), name, trials=1)
    assert read_optuna(str(tmp_path / "two.db"), "mnist").name == "mnist"
    with pytest.raises(StudyError, match=r"has several; choose one with '.*two.db.study=celeba': celeba, mnist"):
        read_optuna(str(tmp_path / "two.db"), None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello\nworld\n",
        b"SQLite format 3\0" + b"x" * 100,
        b'{"op_code": 0}\n{"op_code": 99}\n',
        b'[1, 2]\n"three"\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_no_study_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(StudyError) as error:
        read_optuna(str(tmp_path / "file"), None)
    assert str(error.value).startswith(f"{tmp_path / 'file'}: ")
    assert "\n" not in str(error.value)


def test_a_database_of_something_else_is_refused_and_nothing_is_made_in_it(tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE things (name TEXT)")
    before = (tmp_path / "other.db").read_bytes()
    with pytest.raises(StudyError, match="cannot be read as an Optuna study"):
        read_optuna(str(tmp_path / "other.db"), None)
    assert (tmp_path / "other.db").read_bytes() == before


def test_a_pipe_and_a_server_that_is_not_there_are_refused_without_a_password(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StudyError, match="no regular file"):
        read_optuna(str(tmp_path / "pipe"), None)
    with pytest.raises(StudyError) as error:
        read_optuna("mysql+nodriver://me:hunter2@127.0.0.1:1/db", None)
    assert "hunter2" not in str(error.value)
    with pytest.raises(StudyError, match="cannot be read"):
        read_optuna(f"sqlite:///{tmp_path}/none.db", None)
    assert not (tmp_path / "none.db").exists()


def test_a_journal_that_was_cut_off_is_read_up_to_there(tmp_path):
    filled(journal(tmp_path / "log"), trials=5)
    whole = (tmp_path / "log").read_bytes()
    (tmp_path / "log").write_bytes(whole[:-20])
    assert len(read_optuna(str(tmp_path / "log"), None).rows) in (4, 5)
