"""The results on fresh seeds, of candidates and of the default settings."""

import errno
import json
import math
import os

import pytest

from gansearch.store.confirmation import (
    FreshSeed,
    read_confirmation,
    read_default,
    write_confirmation,
    write_default,
)
from gansearch.store.folder import Folder, StudyError
from gansearch.store.run_file import read_run
from gansearch.store.trial_files import read_record


def fresh(seed, number=None, **fields):
    return FreshSeed(seed=seed, number=number, verdict="balanced", stability=0.8, distance=2.0, **fields)


def test_candidates_come_back_in_their_order(tmp_path):
    seeds = [fresh(10_001, 4, budget=80), fresh(10_000, 4, budget=80), fresh(10_000, 2)]
    write_confirmation(Folder(tmp_path), seeds)
    assert json.loads((tmp_path / "confirmation.json").read_text())[0]["number"] == 4
    found = read_confirmation(Folder(tmp_path))
    assert [(seed.number, seed.seed, seed.budget) for seed in found] == [
        (4, 10_001, 80),
        (4, 10_000, 80),
        (2, 10_000, None),
    ]


def test_default_settings_are_no_trial_and_ordered_by_seed(tmp_path):
    write_default(Folder(tmp_path), [fresh(10_001), fresh(10_000)])
    entries = json.loads((tmp_path / "default.json").read_text())["seeds"]
    assert [entry["seed"] for entry in entries] == [10_000, 10_001]
    assert "number" not in entries[0]
    assert [seed.number for seed in read_default(Folder(tmp_path))] == [None, None]


def test_what_train_prints_will_do_as_default_settings(tmp_path):
    seed = {"seed": 20_000, "stability": None, "verdict": "diverged", "distance": None, "quality": {}}
    (tmp_path / "default.json").write_text(json.dumps({"seeds": [seed], "healthy": 0}))
    (found,) = read_default(Folder(tmp_path))
    assert (found.seed, found.verdict) == (20_000, "diverged")
    assert math.isnan(found.distance)
    assert math.isnan(found.train_seconds), "it is not known"


@pytest.mark.parametrize("text", ["", "{half", "{}", '{"seeds": [{"seed": 1}]}', '[{"number": 1}]', "[1]"])
def test_what_is_damaged_counts_as_not_done(tmp_path, text):
    for name in ("confirmation.json", "default.json"):
        (tmp_path / name).write_text(text)
    assert read_confirmation(Folder(tmp_path)) == []
    assert read_default(Folder(tmp_path)) == []


@pytest.mark.parametrize(
    "read",
    [read_confirmation, read_default, read_run, lambda folder: read_record(folder, 3), lambda folder: folder.races],
)
def test_what_cannot_be_read_for_now_does_not_count_as_not_done(tmp_path, monkeypatch, read):
    """Else a sweep that goes on would do it again, or write what it knows over it."""

    def failing(path, *arguments, **options):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(StudyError, match=r"cannot be read \(Input/output error\)"):
        read(Folder(tmp_path))
