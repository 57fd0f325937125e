"""Nothing that looks on stops a command: a pipe that closes, a full disk, a terminal without letters, none at all."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gansearch.cli.main import _print_json
from gansearch.cli.terminal import Stream, print_document


@pytest.fixture
def stream():
    """Makes a stream with an encoding that writes into a pipe, and the other end of the pipe."""
    opened = []

    def make(encoding="ascii"):
        read, write = os.pipe()
        inner = os.fdopen(write, "w", encoding=encoding)
        opened.extend([inner, Stream(inner, write)])
        return opened[-1], os.fdopen(read, "rb")

    yield make
    for file in opened:
        file.close()


def printed(stream, reader, text):
    stream.write(text)
    stream.close()
    return reader.read()


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("ascii", "lr_ratio 1 → 3 – 5…", b"lr_ratio 1 > 3 - 5~"),
        ("ascii", "Müller ✖", b"M?ller ?"),
        ("latin-1", "Müller ✖ → 1", b"M\xfcller ? > 1"),
        ("utf-8", "Müller ✖", "Müller ✖".encode()),
        ("utf-8", "caf\udce9 \ud800", b"caf\\xe9 \\ud800"),
    ],
)
def test_what_the_terminal_lacks_is_replaced(stream, encoding, text, expected):
    assert printed(*stream(encoding), text) == expected


def test_what_programs_read_is_utf_8_everywhere(stream, monkeypatch):
    out, reader = stream("latin-1")
    monkeypatch.setattr("sys.stdout", out)
    print("ü")
    print_document("name: Müller\n")
    assert printed(out, reader, "ü") == b"\xfc\nname: M\xc3\xbcller\n\xfc"


def test_a_reader_that_leaves_is_no_trouble(stream):
    out, reader = stream()
    reader.close()
    assert out.write("x" * 100_000) == 100_000
    out.flush()
    assert out.lost
    assert out.trouble == ""
    out.write("more")
    out.close()


def test_a_full_disk_is(stream):
    out, _ = stream()
    out._lose(OSError(errno.ENOSPC, "No space left on device"))
    out._lose(OSError(errno.EPIPE, "Broken pipe"))
    assert out.trouble == "No space left on device"


def test_a_process_without_a_stream_writes_nowhere():
    Stream(None, 1).write("ü")


@pytest.fixture
def command(tmp_path):
    """Runs a command by a shell, and returns its exit status and its stderr."""

    def run(words, **environment):
        end = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m gansearch {words}"],
            env={**os.environ, "PYTHONPATH": str(Path.cwd()), **environment},
            capture_output=True,
            check=False,
            text=True,
        )
        return SimpleNamespace(status=end.returncode, out=end.stdout, err=end.stderr)

    return run


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        ("schema | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("schema >&-", 0, ""),
        ("schema > /dev/full", 1, "error: stdout is incomplete: No space left on device\n"),
        ("schema nonsense 2> /dev/full", 2, ""),
        ("init >&- 2>&- <&-", 2, ""),
    ],
)
def test_a_command_ends_as_its_work_does(command, words, status, err):
    end = command(words)
    assert (end.status, end.err) == (status, err)


def test_json_is_whole_in_ascii(stream, monkeypatch):
    out, reader = stream("ascii")
    monkeypatch.setattr("sys.stdout", out)
    _print_json({"name": "Müller → \udce9"})
    assert json.loads(printed(out, reader, "")) == {"name": "Müller → \udce9"}
