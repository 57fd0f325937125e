"""Folders that are damaged, or made to damage whoever opens them; ten thousand of them are in a benchmark."""

import json
import os
import pickle
import random
import warnings

import pytest

from gansearch.store import lock
from gansearch.study.study import load_study

MUTATIONS = 12


@pytest.fixture
def fuzzing(benchmarks, monkeypatch):
    monkeypatch.setattr(lock, "_BEATS", lock._BEATS)  # which the benchmark changes
    return benchmarks("fuzz_folders")


def test_changed_folders_open_or_are_refused_and_nothing_is_written_outside(fuzzing, tmp_path):
    with warnings.catch_warnings(action="ignore"):
        ends, faults = fuzzing.fuzz(tmp_path, MUTATIONS, report_every=MUTATIONS)
    assert faults == {}
    assert ends["opened"] + ends["refused"] == MUTATIONS
    assert ends["refused"], "some changes are so large"


def test_the_same_seed_makes_the_same_changes(fuzzing, tmp_path):
    found = []
    for name in ("a", "b"):
        folder = fuzzing.example(tmp_path / name).path
        found.append([fuzzing.mutate(folder, random.Random(n)) for n in range(20)])
    assert found[0] == found[1]
    assert len({entry.split()[0] for done in found[0] for entry in done}) >= 4


class Ran:
    """Pickled, it makes a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_of_a_folder_is_unpickled(fuzzing, tmp_path):
    folder = fuzzing.example(tmp_path / "out").path
    read = ["real.npy", "trials/00001/samples.npy", "trials/00001/curves.parquet", "trials/00002/result.json"]
    for name in (*read, "tuner.pkl", "study.pkl", "trials/ray/experiment_state.pkl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(pickle.dumps(Ran(tmp_path / "ran")))
    fuzzing.open_all(folder, with_report=True)
    assert not (tmp_path / "ran").exists()


def test_a_progress_file_that_is_too_large_is_refused_in_a_sentence(fuzzing, tmp_path):
    folder = fuzzing.example(tmp_path / "out")
    with folder.progress.open("wb") as file:
        file.truncate(2**27)  # takes no space
    with pytest.raises(Exception, match=r"progress\.json has 134 MB; at most 67 are read") as error:
        fuzzing.open_all(folder.path, with_report=False)
    assert error.value.exit_status == 2
    folder.progress.unlink()
    record = folder.record(1) / "result.json"
    record.write_text(json.dumps({"row": "\ud800", "seeds": 5}))
    assert len(load_study(folder.path).trials) == 4
