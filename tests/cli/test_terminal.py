"""Nothing that looks on stops a command: a pipe that closes, a full disk, a terminal without letters, none at all."""

import errno
import io
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from gansearch.cli.live import FitConsole
from gansearch.cli.main import app
from gansearch.cli.terminal import Stream, print_document, print_json, show_logs
from gansearch.cli.view import picture
from gansearch.store.folder import write_whole
from gansearch.store.nan_json import to_json
from gansearch.store.trial_files import read_record, write_record
from gansearch.study.status import status
from gansearch.study.study import load_study
from tests.synthetic import write_study


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
    print_json({"name": "Müller → \udce9"})
    assert json.loads(printed(out, reader, "")) == {"name": "Müller → \udce9"}


EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"


@pytest.fixture
def evil(tmp_path):
    """A study whose name, errors, host and nodes are commands for a terminal, and whose errors hold a password."""
    folder = write_study(tmp_path / "out", trials=6, name=f"name{EVIL}")
    for number in folder.numbers():
        record = read_record(folder, number)
        error = f"http://me:hunter2@host{EVIL}"
        write_record(folder, replace(record, status="failed", verdict=None, error=error, node=EVIL))
    folder.trials.unlink()
    facts = {"written": time.time(), "every": 2.0, "host": EVIL, "pid": 1, "state": "running", "in_turn": [EVIL]}
    facts |= {"storage": f"http://me:hunter2@host{EVIL}", "left_out": {EVIL: EVIL}, "address": EVIL, "slots": 1}
    write_whole(folder.progress, to_json(facts))
    folder.confirmation.unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize(
    "words", [["status"], ["status", "--json"], ["report"], ["report", "--json"], ["export"], ["export", "--anyway"]]
)
def test_commands_for_a_terminal_are_displayed_and_passwords_are_not(evil, monkeypatch, words):
    monkeypatch.setattr("gansearch.store.lock._BEATS", 0.01)
    result = CliRunner().invoke(app, [words[0], str(evil.path), *words[1:]])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    printed = result.stdout + result.stderr
    assert printed
    assert not set(EVIL) & {"\x1b", "\x07", "\u202e", "\x9b"} & set(printed)
    assert "hunter2" not in printed
    if "--json" in words:
        json.loads(result.stdout)


def test_the_live_view_obeys_its_own_escapes_alone(evil, monkeypatch):
    monkeypatch.setattr("gansearch.store.lock._BEATS", 0.01)
    console = FitConsole(file=io.StringIO(), force_terminal=True, width=120, height=40)
    console.print(picture(status(load_study(evil.path)), 120, 40))
    printed = console.file.getvalue()
    assert "\x1b[" in printed, "styles of ours"
    assert r"\x1b]0;owned" in printed  # rich itself removes bells
    assert not {"\x07", "\u202e", "\x9b"} & set(printed)
    assert "\x1b]" not in printed
    assert "hunter2" not in printed


def test_warnings_that_are_logged_are_displayed_so_too():
    show_logs()
    try:
        record = logging.LogRecord("a", logging.WARNING, "", 0, "%s", (f"http://me:hunter2@host{EVIL}",), None)
        assert logging.lastResort.format(record).startswith(r"http://***@host\x1b]0;owned\x07")
    finally:
        logging.lastResort.setFormatter(None)
