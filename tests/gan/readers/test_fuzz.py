"""Broken files of every kind end in a warning or in an error of ours; benchmarks/fuzz_readers.py reads more of them."""

import os
import random

import pytest

KINDS = [
    "animation",
    "apng",
    "avif",
    "bmp",
    "csv",
    "flac",
    "gif",
    "jp2",
    "jpeg",
    "npy",
    "npz",
    "ogg",
    "png",
    "ppm",
    "pt",
]
KINDS += ["parquet", "text", "tiff", "tiff-lzw", "wav", "webp"]


@pytest.fixture(scope="module")
def fuzz(benchmarks):
    return benchmarks("fuzz_readers")


@pytest.mark.parametrize("name", KINDS)
def test_broken_files_are_told_in_one_line(fuzz, name, tmp_path):
    kind, draw = fuzz.KINDS[name], random.Random(name)
    for number in range(8 if kind.at_once == 1 else 1):
        folder = tmp_path / "data" / f"{number}"
        fuzz.write_broken(kind, folder, min(20, kind.at_once), draw)
        before = sorted(folder.iterdir())
        assert fuzz.reading(kind, folder) == ""
        assert sorted(folder.iterdir()) == before


def test_an_error_of_another_is_found(fuzz, tmp_path):
    def fails(folder):
        raise KeyError(folder.name)

    kind = fuzz.KINDS["text"]
    fuzz.write_broken(kind, tmp_path / "data", 1, random.Random(0))
    assert fuzz.reading(kind._replace(read=fails), tmp_path / "data") == "errors: KeyError: 'data'"
    escaping = kind._replace(read=lambda _: ["\x1b[2J"])
    assert fuzz.reading(escaping, tmp_path / "data") == "errors: what a terminal cannot print: '\\x1b[2J'"


def test_a_kind_that_is_read_wrong_is_counted(fuzz, tmp_path, monkeypatch):
    def crashes(folder):
        return [].pop() if folder.name != "0" else os._exit(3)

    monkeypatch.setitem(fuzz.KINDS, "text", fuzz.KINDS["text"]._replace(read=crashes, at_once=2))
    monkeypatch.setattr(fuzz, "SECONDS", 5)
    assert fuzz.fuzz("text", 200, 0, tmp_path) == {"crashes": 1, "errors": 50}
