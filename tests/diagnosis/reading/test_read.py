"""Files and streams."""

import gzip
import io
import os
import subprocess
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


@pytest.mark.parametrize("data", [TEXT.encode(), gzip.compress(TEXT.encode())])
def test_a_pipe_is_read_once(data):
    end, begin = os.pipe()
    os.write(begin, data)
    os.close(begin)
    assert read_log(f"/dev/fd/{end}").records == 9
    os.close(end)


def test_the_home_of_nobody():
    with pytest.raises(LogError, match=r"^~nobody-of-this-name/a\.log does not exist"):
        read_log("~nobody-of-this-name/a.log")


def test_an_empty_stream(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(LogError, match=r"^standard input has no numbers"):
        read_log("-")


def test_no_file(tmp_path):
    with pytest.raises(LogError, match="does not exist"):
        read_log(tmp_path / "nothing.log")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pt", b"PK\x03\x04", "is no text"),
        ("a.log", b"", "no numbers"),
        ("a.log", bytes(range(256)) * 100, "no numbers|no column"),
        ("a.csv", b"epoch,accuracy_of_classifier\n1,2\n2,3\n", "no column|no numbers"),
        ("a.json", b"[1, 2", "no numbers|no column"),
        ("a.gz", b"\x1f\x8b\x08broken", "no numbers"),
        ("b.gz", b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 99, "cannot be read"),
        ("a.ipynb", b'{"cells": [1, {"outputs": 3}]}', "no numbers|no column"),
    ],
)
def test_what_is_no_log_is_a_sentence(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LogError, match=message) as error:
        read_log(tmp_path / name)
    assert len(str(error.value)) < 400


def test_the_import_is_light():
    code = (
        "import sys, gansearch.diagnosis.reading; print({'torch', 'pandas', 'pyarrow', 'tensorboard'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
