"""The paths of a results folder, its format, and files that are written whole or not at all."""

import json

import numpy as np
import pytest

from gansearch import Experiment, load_study, sweep, train
from gansearch.store.folder import FORMAT, Folder, StudyError, as_begun, check_format, write_array, write_whole
from tests.synthetic import experiment, write_study


def set_format(path, **fields):
    (path / "format.json").write_text(json.dumps(fields))


def test_a_folder_that_is_begun_says_its_format(tmp_path):
    folder = Folder(tmp_path / "out")
    folder.create(experiment())
    assert json.loads(folder.format.read_text())["format"] == FORMAT
    trained = Experiment(name="ring", task="ring", training={"updates": 4, "batch_size": 8})
    train(trained, out=tmp_path / "trained")
    assert json.loads((tmp_path / "trained" / "format.json").read_text())["format"] == FORMAT
    (tmp_path / "trained" / "format.json").unlink()
    train(trained, out=tmp_path / "trained", resume=True)
    assert not (tmp_path / "trained" / "format.json").exists(), "a folder keeps the format that it was begun in"
    set_format(tmp_path / "trained", format=FORMAT + 1, gansearch="9.9")
    with pytest.raises(StudyError, match=r"begun by gansearch 9\.9.*upgrade"):
        train(trained, out=tmp_path / "trained", resume=True)


def test_a_later_format_is_refused_in_one_sentence_before_anything_is_read(tmp_path):
    folder = write_study(tmp_path / "out", trials=1)
    set_format(folder.path, format=FORMAT + 1, gansearch="9.9")
    for use in (load_study, lambda path: sweep(experiment(), path, resume=True)):
        with pytest.raises(StudyError, match=rf"has format {FORMAT + 1}, begun by gansearch 9\.9") as error:
            use(folder.path)
        assert "\n" not in str(error.value)
        assert error.value.exit_status == 2


@pytest.mark.parametrize("content", [None, "", "[1]", '{"format": "new"}', '{"format": 1, "gansearch": "0.1.0"}'])
def test_a_folder_without_a_later_format_opens(tmp_path, content):
    if content is not None:
        (tmp_path / "format.json").write_text(content)
    check_format(tmp_path)


@pytest.mark.parametrize(("format", "encoding"), [(1, "scores"), (2, "scores"), (3, None)])
def test_tables_of_earlier_formats_keep_their_encoding(tmp_path, format, encoding):
    table, digits = (Experiment(name="x", task=task, task_options={"path": "a.csv"}) for task in ("table", "digits"))
    if format > 1:
        set_format(tmp_path, format=format, gansearch="0.2.0")
    assert as_begun(table, tmp_path).task_options.get("encoding") == encoding
    assert as_begun(digits, tmp_path) == digits
    given = table.model_copy(update={"task_options": {"encoding": "kinds"}})
    assert as_begun(given, tmp_path) == given


def test_trials_are_the_folders_with_a_number(tmp_path):
    folder = Folder(tmp_path)
    for name in ("00010", "00002", "default", "ray", "0x"):
        (folder.records / name).mkdir(parents=True)
    assert folder.numbers() == [2, 10]


def half(file):
    file.write_text("half")
    raise OSError("the disk is full")


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    write_whole(path, "before")
    with pytest.raises(OSError, match="full"):
        write_whole(path, half)
    assert path.read_text() == "before"
    with pytest.raises(ValueError, match="pickle"):
        write_array(path, np.array([{}], dtype=object))
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
