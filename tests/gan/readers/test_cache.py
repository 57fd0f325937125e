import os

import numpy as np
import pytest

from gansearch.gan import TaskError
from gansearch.gan.readers.cache import FOLDER, Filled, cached, on_all_cores


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "numbers.txt"
    path.write_text("1 2 3 4")
    return path


def read(source, **options):
    """The numbers of the file in pairs, through the cache."""

    def write(out):
        out.write(np.array(source.read_text().split(), "<i2").tobytes())
        return Filled((2,), ["read"])

    return cached("pairs", [source], options, "<i2", write)


def test_samples_are_written_once(source, monkeypatch):
    samples, warnings, *_ = read(source)
    assert samples.tolist() == [[1, 2], [3, 4]]
    assert warnings == ["read"]
    samples[0] = 9  # of this process alone
    monkeypatch.setattr("gansearch.gan.readers.cache._write", None)
    again, warnings, *_ = read(source)
    assert again.tolist() == [[1, 2], [3, 4]]
    assert warnings == ["read"]


def test_a_change_of_a_file_or_an_option_makes_them_again(source):
    read(source)
    source.write_text("5 6")
    assert read(source)[0].tolist() == [[5, 6]]
    source.write_text("7 8")  # of the same size
    os.utime(source, ns=(0, 0))
    assert read(source)[0].tolist() == [[7, 8]]
    with pytest.raises(TypeError):
        read(source, unwritten=object)
    assert len(list((source.parent / "cache").glob("pairs-*.bin"))) == 3
    read(source, width=3)
    assert len(list((source.parent / "cache").glob("pairs-*.bin"))) == 4


def test_a_failure_leaves_nothing_behind(source):
    source.write_text("one two")
    with pytest.raises(ValueError, match="one"):
        read(source)
    assert not [path for path in (source.parent / "cache").iterdir() if path.suffix != ".lock"]


def test_a_folder_that_cannot_be_written_is_named(source, monkeypatch):
    monkeypatch.setenv(FOLDER, str(source))
    with pytest.raises(TaskError, match=r"numbers.txt: cannot hold .* name another folder in GANSEARCH_CACHE"):
        read(source)


def test_results_of_all_cores_come_in_order():
    assert list(on_all_cores(lambda number: number**2, range(7), 3)) == [0, 1, 4, 9, 16, 25, 36]


def test_a_file_that_is_gone_is_left_to_the_reader(source):
    def write(out):
        out.write(b"0" * 4)
        return Filled((2,), ["one is gone"])

    found = cached("pairs", [source, source.parent / "gone"], {}, "<i2", write)
    assert (len(found.samples), found.warnings) == (1, ["one is gone"])


def test_copies_are_found_once(source, monkeypatch):
    assert read(source).groups is None
    source.write_text("1 2 3 4 1 2 5 6 3 4 1 2")
    assert read(source).groups.tolist() == [0, 1, 0, 3, 1, 0]
    monkeypatch.setattr("gansearch.gan.readers.cache.copies_of", None)
    assert read(source).groups.tolist() == [0, 1, 0, 3, 1, 0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[[2], [], {}]",
        b"[3, [], [], []]",
        b"\xff",
        b'[[2], [], {"9": 1}, []]',
        b"[[7], [], {}, []]",
        b"[[2], [], {}, 5]",
    ],
)
def test_a_damaged_cache_is_written_anew(source, content):
    read(source)
    (facts,) = (source.parent / "cache").glob("pairs-*.json")
    facts.write_bytes(content)
    assert read(source).samples.tolist() == [[1, 2], [3, 4]]
    (samples,) = (source.parent / "cache").glob("pairs-*.bin")
    samples.write_bytes(b"")
    assert read(source).samples.tolist() == [[1, 2], [3, 4]]
