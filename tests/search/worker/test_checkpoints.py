"""Checkpoints on a real S3 server, through the file system that Ray Tune is given."""

import multiprocessing
import pickle
import threading
import time
from pathlib import Path

import pyarrow
import pytest
import torch
from ray import tune
from ray.train._internal.storage import _upload_to_fs_path

from gansearch.search.mirror import Mirrored
from gansearch.search.worker.checkpoints import (
    checkpoints,
    forget,
    local_copy,
    own_checkpoints,
    ray_folder,
    storage_options,
)
from gansearch.search.worker.saves import STATE, read_state
from gansearch.store.folder import Folder
from gansearch.store.object_store import Storage

URL = "s3://bucket/runs/tiny"


def test_a_checkpoint_gets_there_though_the_server_is_away_and_is_read_and_removed(objects, tmp_path):
    folder = Mirrored(tmp_path / "out", Storage(URL, 60))
    place = storage_options(folder)
    filesystem = pickle.loads(pickle.dumps(place["storage_filesystem"]))  # noqa: S301 (as Ray sends it to workers)
    assert filesystem == place["storage_filesystem"]
    (tmp_path / "saved").mkdir()
    torch.save({"a": torch.ones(1000)}, tmp_path / "saved" / STATE)

    def save(number: int) -> str:
        path = f"{place['storage_path']}/ray/00003/checkpoint_00000{number}"
        _upload_to_fs_path(str(tmp_path / "saved"), filesystem, path)
        return path

    first = save(0)
    with objects.away():
        late = threading.Thread(target=save, args=(1,))
        late.start()
        time.sleep(1)
        assert late.is_alive()
    late.join(60)
    newest, oldest = checkpoints(folder, "00003")
    assert newest == f"{URL}/trials/ray/00003/checkpoint_000001"
    with local_copy(tune.Checkpoint(path=first, filesystem=filesystem)) as copied:
        for saved in (newest, copied):
            assert read_state(saved)["a"].sum() == 1000
    forget(folder, oldest)
    assert checkpoints(folder, "00003") == [newest]
    forget(folder, ray_folder(folder, "00003"))
    forget(folder, ray_folder(folder, "00004"))  # there is none
    assert Storage(URL).files() == {}


def test_two_workers_of_a_node_read_one_checkpoint_and_neither_writes_the_others_copy(objects, tmp_path):
    # A member that goes on and one that becomes its copy read it at the same time.
    place = storage_options(Mirrored(tmp_path / "out", Storage(URL)))
    (tmp_path / STATE).write_text("whole")
    path = f"{place['storage_path']}/ray/00001/checkpoint_000000"
    _upload_to_fs_path(str(tmp_path / STATE), place["storage_filesystem"], f"{path}/{STATE}")
    checkpoint = tune.Checkpoint(path=path, filesystem=place["storage_filesystem"])
    with local_copy(checkpoint) as one:
        Path(one, STATE).write_text("read just now")
        with local_copy(checkpoint) as other:
            assert Path(other, STATE).read_text() == "whole"
        assert Path(one, STATE).read_text() == "read just now"
    assert not Path(one).exists()
    assert not Path(other).exists()
    with local_copy(tune.Checkpoint.from_directory(tmp_path)) as place_itself:
        assert Path(place_itself, STATE) == tmp_path / STATE


@pytest.mark.timeout(60)
def test_more_files_are_sent_at_once_than_there_are_threads_to_send_them(objects, tmp_path):
    place = storage_options(Mirrored(tmp_path / "out", Storage(URL, 60)))
    (tmp_path / "many").mkdir()
    names = {f"{number:02d}" for number in range(3 * pyarrow.io_thread_count())}
    for name in names:
        (tmp_path / "many" / name).write_text(name)
    # In a process of its own: threads that wait for ever would keep this one from ending.
    send = multiprocessing.get_context("spawn").Process(
        target=_upload_to_fs_path, args=(str(tmp_path / "many"), place["storage_filesystem"], "bucket/many")
    )
    send.start()
    send.join(40)
    send.kill()
    assert send.exitcode == 0
    assert set(Storage("s3://bucket/many").files()) == names


def test_in_a_folder_they_are_paths(tmp_path):
    folder = Folder(tmp_path)
    for number in (0, 1):
        (ray_folder(folder, "00003") / f"checkpoint_00000{number}").mkdir(parents=True)
    newest, oldest = checkpoints(folder, "00003")
    assert newest.endswith("ray/00003/checkpoint_000001")
    forget(folder, oldest)
    assert checkpoints(folder, "00003") == [newest]
    assert storage_options(folder) == {"storage_path": str(tmp_path / "trials")}


def test_checkpoints_that_a_journal_names_are_the_folders_own(tmp_path):
    folder = Folder(tmp_path / "moved")
    ours = f"{folder.records}/ray/00003/checkpoint_000001"
    named = ["/home/other/out/trials/ray/00003/checkpoint_000001", "s3://other/trials/ray/00003/checkpoint_000001?a=b"]
    outside = ["/etc", "../../x", "s3://bucket/secret", "/a/trials/ray/../checkpoint_1", 5, None]
    assert own_checkpoints(folder, [*named, *outside]) == [ours, ours]
