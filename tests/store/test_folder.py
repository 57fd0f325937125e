"""The paths of a results folder, its format, and files that are written whole or not at all."""

import json

import numpy as np
import pytest

from gansearch import Experiment, load_study, sweep, train
from gansearch.store.folder import (
    FORMAT,
    Folder,
    StudyError,
    as_begun,
    check_format,
    check_links,
    write_array,
    write_whole,
)
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


@pytest.mark.parametrize(
    ("format", "kept"),
    [
        (1, {"encoding": "scores"}),
        (2, {"encoding": "scores"}),
        (3, {"reading": "pandas"}),
        (4, {"reading": "pandas"}),
        (5, {}),
    ],
)
def test_tables_of_earlier_formats_keep_their_encoding_and_reading(tmp_path, format, kept):
    table, digits = (Experiment(name="x", task=task, task_options={"path": "a.csv"}) for task in ("table", "digits"))
    if format > 1:
        set_format(tmp_path, format=format, gansearch="0.2.0")
    assert as_begun(table, tmp_path).task_options == {**table.task_options, **kept}
    assert as_begun(digits, tmp_path) == digits
    given = table.model_copy(update={"task_options": {"encoding": "kinds", "reading": "texts"}})
    assert as_begun(given, tmp_path) == given


@pytest.mark.parametrize("task", ["images", "audio", "prose"])
@pytest.mark.parametrize(("format", "copies"), [(1, "anywhere"), (4, "anywhere"), (5, None)])
def test_files_of_earlier_formats_keep_their_split(tmp_path, task, format, copies):
    set_format(tmp_path, format=format, gansearch="0.2.0")
    begun = as_begun(Experiment(name="x", task=task, task_options={"path": "/a"}), tmp_path)
    assert begun.task_options == {"path": "/a", **({"copies": copies} if copies else {})}


@pytest.mark.parametrize(("format", "distance"), [(4, "plain_frechet"), (5, None)])
def test_pictures_of_earlier_formats_keep_their_distance(tmp_path, format, distance):
    set_format(tmp_path, format=format, gansearch="0.2.0")
    options = {"path": "/a", "features": "inception"}
    begun = as_begun(Experiment(name="a", task="images", task_options=options), tmp_path)
    assert begun.task_options.get("distance") == distance


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


@pytest.mark.parametrize(
    "name", ["study.journal", "trials", "trials/00000", "trials.parquet", "real.npy", "tensorboard"]
)
def test_a_folder_whose_parts_are_links_is_not_opened(tmp_path, name):
    folder = write_study(tmp_path / "out", trials=1)
    part = folder.path / name
    if part.exists():
        part.rename(tmp_path / "elsewhere")
    part.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudyError, match=f"{name}: a results folder holds its files itself, no links"):
        load_study(folder.path)


def test_optunas_own_lock_is_a_link_that_harms_nobody(tmp_path):
    folder = write_study(tmp_path / "out", trials=1)
    (folder.path / "study.journal.lock").symlink_to(folder.journal)
    assert len(load_study(folder.path).trials) == 1


def test_a_sweep_goes_on_in_no_folder_from_which_a_link_leads_out(tmp_path):
    folder = write_study(tmp_path / "out", trials=1)
    treasure = tmp_path / "treasure"
    (treasure / "00000").mkdir(parents=True)
    (treasure / "00000" / "file").write_text("mine")
    (folder.records / "ray").symlink_to(treasure)
    with pytest.raises(StudyError, match=r"ray: a results folder holds its files itself"):
        sweep(experiment(), folder.path, resume=True)
    (folder.records / "ray").unlink()
    (folder.records / "ray").mkdir()
    (folder.records / "ray" / "00000").symlink_to(treasure / "00000")
    with pytest.raises(StudyError, match=r"ray/00000: leads out of the folder, to .*treasure"):
        sweep(experiment(), folder.path, resume=True)
    assert (treasure / "00000" / "file").read_text() == "mine"
    (folder.records / "ray" / "00000").unlink()
    (folder.records / "ray" / "last").symlink_to("00001")
    check_links(folder.path)  # as a training loop's own checkpoints have them


def test_training_goes_on_in_no_folder_from_which_a_link_leads_out(tmp_path):
    ring = Experiment(name="ring", task="ring", training={"updates": 4, "batch_size": 8})
    train(ring, out=tmp_path / "out")
    (tmp_path / "out/seed-20000/checkpoint.pt").unlink()
    (tmp_path / "out/seed-20000/checkpoint.pt").symlink_to(tmp_path / "other")
    with pytest.raises(StudyError, match=r"checkpoint\.pt: leads out of the folder"):
        train(ring, out=tmp_path / "out", resume=True)
    assert not (tmp_path / "other").exists()


def test_what_is_written_follows_no_link(tmp_path):
    (tmp_path / "file").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "file", "text")
    assert not (tmp_path / "other").exists()


def test_what_a_sweep_left_that_was_killed_as_it_began_is_in_nobodys_way(tmp_path):
    folder = Folder(tmp_path)
    folder.journal.touch()
    folder.records.mkdir()
    folder.format.write_text("{}")
    (tmp_path / ".seen-1").touch()
    assert folder.is_free
    (folder.records / "00000").mkdir()
    assert not folder.is_free
    (folder.records / "00000").rmdir()
    (tmp_path / "thesis.tex").touch()
    assert not folder.is_free
