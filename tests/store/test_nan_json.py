"""JSON with the numbers that JSON does not have."""

import errno
import json
import math
import os
from datetime import UTC, datetime

import numpy as np
import pytest

from gansearch.store.folder import StudyError
from gansearch.store.nan_json import from_json, read_json, to_json


def test_every_number_comes_back_from_strict_json():
    data = {"a": [math.inf, -math.inf, 0.1], "b": {"c": np.float32(0.5), "d": np.int64(3)}, 4: "text"}
    text = to_json({**data, "nan": math.nan, "array of one": np.float64("nan")})
    json.loads(text, parse_constant=lambda name: 1 / 0)
    back = from_json(text)
    assert math.isnan(back.pop("nan"))
    assert math.isnan(back.pop("array of one"))
    assert back == {"a": ["Infinity", "-Infinity", 0.1], "b": {"c": 0.5, "d": 3}, "4": "text"}


def test_times_are_iso_text():
    assert from_json(to_json({"at": datetime(2030, 1, 2, tzinfo=UTC)})) == {"at": "2030-01-02T00:00:00+00:00"}


def test_a_file_that_is_missing_or_damaged_is_replaced(tmp_path):
    file = tmp_path / "a.json"
    assert read_json(file) is None
    file.write_text(to_json({"a": math.inf}))
    assert read_json(file, {}) == {"a": math.inf}
    file.write_text('{"a":')
    assert read_json(file, {}) == {}
    assert read_json(file / "b.json", 3) == 3, "a file is no folder"


def test_a_file_that_cannot_be_read_for_now_is_not_taken_for_none(tmp_path, monkeypatch):
    def stale(path, *arguments, **options):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))

    file = tmp_path / "a.json"
    file.write_text("[1]")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", stale)
        with pytest.raises(StudyError, match=r"a\.json: cannot be read \(Stale file handle\)"):
            read_json(file, {})
    assert read_json(file, {}) == [1]
