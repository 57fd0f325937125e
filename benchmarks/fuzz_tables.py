"""Tables as people have them, with all their habits, for fuzz_readers.py."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from gansearch.gan import TaskError, load_task

Draws = np.random.Generator
_KINDS = ("choice", "number", "identifier", "nothing")
_OURS = re.compile(r"\((AttributeError|TypeError|KeyError|IndexError|AssertionError|NameError|UnboundLocalError)")
"""Reasons in a TaskError that are no file's fault."""


def tables(kind: str) -> Callable[[], list[bytes]]:
    """Makes sixty files of tables, each with other habits."""
    make = csv_file if kind == "csv" else parquet_file
    return functools.cache(lambda: [make(np.random.default_rng(number)) for number in range(60)])


def as_tables(folder: Path) -> list[str]:
    """Reads each file as a table, and writes some of its rows as its file has them; what is said of it, errors too."""
    said = []
    for file in sorted(folder.iterdir()):
        try:
            said += _said(file)
        except TaskError as error:
            if found := _OURS.search(str(error)):
                raise AssertionError(f"{found.group(1)} in a TaskError: {error}") from error
            said.append(str(error))
    return said


def _said(file: Path) -> list[str]:
    number = file.stat().st_size  # another option for one file of ten, but the same one each time
    options = [{"separator": ";"}, {"header": False}, {"columns": ["a", "b"]}, {"kinds": {"b": _KINDS[number % 4]}}]
    task = load_task("table", {"path": str(file), **(options[number % 4] if number % 10 == 0 else {})})
    stored = task.real()
    samples = task.unpacked(stored[:20]).numpy()
    json.dumps(task.shown(samples), default=float)
    task.sample_files(samples)
    return [*task.warnings(), *task.described()]


def _mark(number: float, decimals: int, mark: str, group: str) -> str:
    return f"{number:,.{decimals}f}".replace(",", "\0").replace(".", mark).replace("\0", group)


def column(draws: Draws, count: int) -> list[str]:
    """The texts of a column."""
    mark, group = [(".", ""), (".", ""), (",", ""), (",", "."), (".", ","), (".", "'"), (",", " ")][draws.integers(7)]
    decimals, scale = int(draws.integers(0, 8)), 10.0 ** draws.integers(-3, 16)
    numbers = draws.normal(size=count) * scale
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(draws.integers(0, 9_000, count), "D")
    times = days + pd.to_timedelta(draws.integers(0, 86_400_000, count), "ms")
    few = [
        f"{word}{n}"
        for n, word in enumerate(draws.choice(["None", "a b", "x,y", 'say "hi"', "two\nlines", "é", "NA"], 5))
    ]
    format = str(
        draws.choice(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y%m%d", "%H:%M", "%b %d, %Y", "%Y-%m-%dT%H:%M:%S%z"])
    )
    kinds: list[Callable[[], list[str]]] = [
        lambda: [_mark(n, decimals, mark, group) for n in numbers],
        lambda: [_mark(n, 0, mark, group) for n in numbers],
        lambda: [repr(float(n)) for n in numbers],
        lambda: [f"{n:.{decimals}e}" for n in numbers],
        lambda: [f"${n:,.2f}" for n in abs(numbers)],
        lambda: [str(n) for n in draws.integers(0, 5, count)],
        lambda: [str(n) for n in np.arange(count)],
        lambda: [f"{n:05}" for n in draws.integers(0, 9_999, count)],
        lambda: [str(2**62 + int(n)) for n in draws.integers(0, 9_999, count)],
        lambda: [str(word) for word in draws.choice(few, count)],
        lambda: [f"name {n}" for n in draws.integers(0, 2 * count, count)],
        lambda: [str(draws.choice(["True", "False", "TRUE", "yes"])) for _ in range(count)],
        lambda: [day.strftime(format) for day in days.tz_localize("UTC" if "z" in format else None)],
        lambda: [time.isoformat(timespec="milliseconds") + draws.choice(["", "Z", "+01:00"]) for time in times],
        lambda: [f"{n} days 0{n % 9}:00:00" for n in draws.integers(0, 99, count)],
        lambda: ["7"] * count,
        lambda: [""] * count,
    ]
    texts = kinds[draws.integers(len(kinds))]()
    if draws.random() < 0.3:
        gap = str(draws.choice(["", "NA", "?", "null", "-"]))
        texts = [gap if draws.random() < 0.2 else text for text in texts]
    return texts


def csv_file(draws: Draws) -> bytes:
    """A text of a table."""
    count, width = int(draws.integers(50, 200)), int(draws.integers(1, 8))
    columns = [column(draws, count) for _ in range(width)]
    if width > 2 and draws.random() < 0.2:
        columns[-1] = columns[0]
    stream = io.StringIO(newline="")
    quoting = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC][draws.integers(3)]
    end = str(draws.choice(["\n", "\r\n", "\n", "\r"]))
    writer = csv.writer(stream, delimiter=str(draws.choice([",", ";", "\t", "|"])), lineterminator=end, quoting=quoting)
    if draws.random() < 0.1:
        stream.write("A title" + end + end)
    names = [str(name) for name in draws.choice(["a", "b", "id", "", "x y", "2019", "2020", "Größe", "0", "a"], width)]
    if draws.random() < 0.8:
        writer.writerow(names[1:] if draws.random() < 0.1 else names)
    trailing = [""] * int(draws.random() < 0.1)
    for number, row in enumerate(zip(*columns, strict=True)):
        is_odd = number % 40 == 7 and draws.random() < 0.1
        writer.writerow([*row, *trailing, *["more"] * is_odd])
    data = stream.getvalue().encode(str(draws.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])), "replace")
    return gzip.compress(data) if draws.random() < 0.05 else data


def parquet_file(draws: Draws) -> bytes:
    """A parquet file of a table."""
    count = int(draws.integers(50, 200))
    numbers, gaps = draws.normal(size=count) * 10.0 ** draws.integers(-3, 9), draws.random(count) < 0.2
    whole = draws.integers(0, 100, count)
    texts = column(draws, count)
    arrays = [
        pa.array(numbers),
        pa.array(numbers.astype(np.float32), mask=gaps),
        pa.array(whole, draws.choice([pa.int8(), pa.int64(), pa.uint64(), pa.uint8()]), mask=gaps),
        pa.array(2**60 + whole),
        pa.array([f"{n / 100:.2f}" for n in whole]).cast(pa.decimal128(12, 2)),
        pa.array(gaps),
        pa.array(texts),
        pa.array(texts).dictionary_encode(),
        pa.array(whole * 86_400, pa.timestamp("s")),
        pa.array(whole * 10**15 + 7, pa.timestamp("ns", "America/New_York")),
        pa.array(whole.astype(np.int32), pa.date32()),
        pa.array(whole.astype(np.int32), pa.time32("s")),
        pa.array(whole, pa.duration("ms")),
        pa.nulls(count),
        pa.array([[1, 2]] * count),
    ]
    chosen = draws.choice(len(arrays), int(draws.integers(1, 8)), replace=False)
    table = pa.table({"ab"[n] if n < 2 else f"c{n}": arrays[place] for n, place in enumerate(chosen)})
    stream = io.BytesIO()
    compression = str(draws.choice(["none", "snappy", "zstd", "gzip"]))
    pa.parquet.write_table(table, stream, compression=compression, use_dictionary=bool(draws.random() < 0.5))
    return stream.getvalue()
