"""Samples in a results folder, and their kinds."""

from typing import Any

import numpy as np
import pytest

from gansearch.store.folder import Folder, StudyError
from gansearch.store.nan_json import to_json
from gansearch.store.samples import (
    SampleSet,
    read_moments,
    read_real,
    read_samples,
    write_moments,
    write_real,
    write_samples,
)

TONE = np.sin(np.arange(16.0))[None]
AUDIO = {"kind": "audio", "rate": 8_000}


@pytest.mark.parametrize("number", [3, None])
@pytest.mark.parametrize("confirmed", [False, True])
def test_samples_come_back_with_their_display(tmp_path, number, confirmed):
    folder = Folder(tmp_path)
    assert read_samples(folder, number, confirmed) is None
    write_samples(folder, number, TONE, AUDIO, confirmed)
    found = read_samples(folder, number, confirmed)
    assert found.array == pytest.approx(TONE)
    assert (found.display, found.kind, found.rate) == (AUDIO, "audio", 8_000)
    assert read_samples(folder, number, not confirmed) is None


def test_the_first_real_samples_are_kept_and_a_damaged_display_is_none(tmp_path):
    folder = Folder(tmp_path)
    assert read_real(folder) is None
    write_real(folder, TONE, AUDIO)
    write_real(folder, 0 * TONE, {})
    assert read_real(folder).array == pytest.approx(TONE)
    assert read_real(folder).display == AUDIO
    for text in ("[1", "[1]"):
        folder.real.with_suffix(".json").write_text(text)
        assert read_real(folder).display == {}
    folder.real.write_bytes(b"half")
    assert read_real(folder) is None
    np.save(folder.real, np.float32(1.0))
    assert read_real(folder) is None


def test_samples_whose_display_cannot_be_read_are_not_left_out_without_a_word(tmp_path):
    folder = Folder(tmp_path)
    write_real(folder, TONE, AUDIO)
    folder.real.with_suffix(".json").unlink()
    folder.real.with_suffix(".json").mkdir()
    with pytest.raises(StudyError, match=r"real\.json"):
        read_real(folder)


def test_samples_of_several_moments_come_back_by_their_updates(tmp_path):
    assert read_moments(tmp_path) == {}
    array = np.arange(24.0).reshape(3, 4, 2)
    write_moments(tmp_path / "seed", [0, 50, 1_000], array, {"kind": "points"})
    found = read_moments(tmp_path / "seed")
    assert list(found) == [0, 50, 1_000]
    assert found[50].array == pytest.approx(array[1])
    assert found[50].kind == "points"


def test_moments_are_of_pictures_and_points_alone(tmp_path):
    write_moments(tmp_path, [0, 9], np.stack([TONE, TONE]), AUDIO)
    write_moments(tmp_path, [], np.empty(0), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("updates", [None, "many", [[1], {}, "x"], {"0": 1}])
def test_damaged_moments_are_none(tmp_path, updates):
    write_moments(tmp_path, [0, 1], np.zeros((2, 4, 2)), {})
    (tmp_path / "moments.json").write_text(to_json({"updates": updates, "display": {}}))
    assert read_moments(tmp_path) == {}
    write_moments(tmp_path, range(2_000), np.zeros((2_000, 4, 2)), {})
    assert len(read_moments(tmp_path)) == 20, "a stranger's file does not make a page of any size"
    np.save(tmp_path / "moments.npy", np.float32(1))
    assert read_moments(tmp_path) == {}


@pytest.mark.parametrize(
    ("shape", "shown", "kind"),
    [
        ((9, 1, 8, 8), {}, "image"),
        ((9, 2), {}, "points"),
        ((9, 3), {}, ""),
        ((9, 8, 8), {"kind": "audio", "rate": 100}, "audio"),
        ((9, 3), {"kind": "points"}, "points"),
        ((9, 3), {"kind": "image"}, ""),
        ((9, 1, 8, 8), {"kind": "points"}, "image"),
        ((9, 1, 8, 8), {"kind": "hologram"}, "image"),
        ((9, 2), {"kind": "audio", "rate": "fast"}, "points"),
        ((9, 2), {"kind": "audio"}, "points"),
        ((9, 2), {"kind": "audio", "rate": float("inf")}, "points"),
        ((9, 2), {"kind": "text", "texts": "one"}, "points"),
        ((9, 2), {"kind": "table", "columns": ["a"], "rows": [[1, 2]]}, "points"),
        ((9, 2), {"kind": ["text"]}, "points"),
        ((0, 2), {}, ""),
        ((9,), {}, ""),
    ],
)
def test_an_impossible_kind_is_replaced_by_the_shape_s(
    shape: tuple[int, ...], shown: dict[str, Any], kind: str
) -> None:
    assert SampleSet(np.zeros(shape), shown).kind == kind
