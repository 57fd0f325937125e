"""Files and streams."""

import gzip
import io
import sys

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, read_log

TEXT = "".join(f"step {i} d_loss: 0.{i} g_loss: 1.{i}\n" for i in range(9))


def test_a_file_a_gzip_and_a_stream_read_the_same(tmp_path, monkeypatch):
    (tmp_path / "a.log").write_text(TEXT)
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(TEXT.encode()))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    for source in (tmp_path / "a.log", str(tmp_path / "a.log.gz"), "-"):
        log = read_log(source)
        np.testing.assert_allclose(log.games[0].values["d_loss"], np.arange(9) / 10)
        assert log.file == str(source)


def test_no_file(tmp_path):
    with pytest.raises(LogError, match="does not exist"):
        read_log(tmp_path / "nothing.log")
