"""Encodings, control characters and line numbers."""

import pytest

from gansearch.diagnosis.lines.text import Lines, wide_encoding


def lines(data, size=None):
    reader, found, numbers = Lines(), [], []
    for start in range(0, len(data), size or len(data)):
        new, at = reader.feed(data[start : start + (size or len(data))])
        found += new
        numbers += at
    new, at, rest = reader.finish()
    return found + new + ([rest] if rest else []), [*numbers, *at]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("size", [None, 1, 3])
def test_encodings(encoding, size):
    data = "perte générateur: 1\r\nzwei: 2\n".encode(encoding)
    assert lines(data, size)[0] == ["perte générateur: 1", "zwei: 2"]


def test_what_overwrites_itself_has_the_number_of_its_line():
    assert lines("a\nb\rc\b\b\b\x1b[1md\x1b[0m\ne") == (["a", "b", "c", "d", "e"], [1, 2, 2, 2])


def test_returns_alone_count_as_lines():
    assert lines("\ra\rb\rc") == (["a", "b", "c"], [1, 2])


def test_short_data_are_no_utf_16():
    assert wide_encoding(b"ab") is None
