"""What is read of a run.json that others may have written."""

import json

import pytest

from gansearch.store.folder import Folder
from gansearch.store.run_file import read_run

PRIOR = {"trials": 3, "balanced": 1, "distance": 0.5, "won": 0.75}
TPE = {"trials": 3, "balanced": 0, "distance": None}


def read(tmp_path, data):
    folder = Folder(tmp_path)
    folder.run.write_text(json.dumps(data))
    return read_run(folder)


def test_whole_fields_are_read(tmp_path):
    run = {"slots": 2, "wall_seconds": 3, "ended": "", "score": [3], "sources": {"prior": PRIOR, "tpe": TPE}}
    assert read(tmp_path, run) == run


@pytest.mark.parametrize("data", [None, [1], "x", {"slots": "two", "versions": [1], "score": 3, "sources": ["prior"]}])
def test_what_is_of_a_wrong_type_is_left_out(tmp_path, data):
    assert read(tmp_path, data) == {}


@pytest.mark.parametrize(
    "wrong", [3, None, {}, {**PRIOR, "trials": "3"}, {**PRIOR, "distance": "near"}, {**PRIOR, "won": [1]}]
)
def test_a_source_without_its_numbers_is_left_out(tmp_path, wrong):
    assert read(tmp_path, {"sources": {"prior": wrong, "tpe": TPE}}) == {"sources": {"tpe": TPE}}


def test_a_file_that_is_missing_or_cut_off_has_nothing(tmp_path):
    assert read_run(Folder(tmp_path)) == {}
    Folder(tmp_path).run.write_text('{"slots": ')
    assert read_run(Folder(tmp_path)) == {}
