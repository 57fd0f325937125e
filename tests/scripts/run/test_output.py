import math
import os
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from gansearch.scripts.run.output import FIRST, LAST, WAITING, Stream
from gansearch.scripts.run.process import Process


def test_the_first_megabyte_and_the_last_ten_are_kept() -> None:
    stream = Stream()
    line = b"%09d\n"
    for start in range(0, 2_000_000, 1000):
        stream.put(b"".join(line % n for n in range(start, start + 1000)))
    kept = stream.kept()
    assert kept.startswith(b"000000000\n000000001\n")
    assert kept.endswith(b"001999999\n")
    assert len(kept) < FIRST + LAST + 100
    assert b"\n[... 8,465,664 bytes ...]\n" in kept


def test_what_nobody_reads_is_left_out_by_whole_lines() -> None:
    stream = Stream()
    line = b"step %012d loss 0.25" + b" " * 400 + b"\n"
    for n in range(0, WAITING // len(line % 0) + 5_000):
        stream.put(line % n)
    read = b""
    while data := stream.take():
        read += data
    assert 0 < stream.left_out < stream.total
    stream.put(line % 7 + line % 8)
    after = stream.take()
    assert read.endswith(b"\n")
    assert {len(one) for one in (read + after).splitlines()} == {len(line % 0) - 1}
    assert after == line % 8


def test_last_lines_are_as_a_terminal_leaves_them() -> None:
    stream = Stream()
    stream.put(b"first\n\x1b[31mred\x1b[0m\n 10%\r 20%\r100%\n\b\b\b3/8\n\nend")
    assert stream.last_lines(4) == ["red", "100%", "3/8", "end"]


def test_last_lines_are_the_last_ones_however_they_were_read() -> None:
    stream = Stream()
    stream.put(b"old\n" * (FIRST // 4))
    for n in range(5_000):
        stream.put(b"new %d\n" % n)
    assert stream.last_lines(1_000) == [f"new {n}" for n in range(4_000, 5_000)]
    assert "old" not in stream.last_lines(5_000)
    short = Stream()
    short.put(b"old\n" * (FIRST // 4) + b"new\n")
    assert short.last_lines(3) == ["old", "old", "new"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a\nfid: 2.5e-1\n", 0.25),
        ("1 of 3: -7", -7),
        (".5 (better)", 0.5),
        ("fid 12.5, inference in finance", 12.5),
        ("fid: NaN", math.nan),
        ("none", None),
        ("", None),
    ],
)
def test_the_last_number_is_of_the_last_line(text: str, number: float | None) -> None:
    stream = Stream()
    stream.put(text.encode())
    assert stream.last_number() == pytest.approx(number, nan_ok=True)


def test_a_script_that_prints_much_is_not_held_up_by_a_reader_that_does_nothing(tmp_path: Path) -> None:
    code = "import sys\nline = 'x' * 999 + '\\n'\nfor _ in range(60_000): sys.stdout.write(line)"
    tracemalloc.start()
    start = time.monotonic()
    process = Process([sys.executable, "-c", code], dict(os.environ), tmp_path, token="prints")
    ended = process.wait(60)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    process.close()
    assert ended is not None
    assert ended.is_success
    assert process.output.stdout.total == 60_000_000
    assert peak < 3 * (FIRST + LAST + WAITING)
    assert time.monotonic() - start < 30
