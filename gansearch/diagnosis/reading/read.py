"""One function for every log."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from gansearch.diagnosis.reading.errors import LogError
from gansearch.diagnosis.reading.reader import LogReader
from gansearch.diagnosis.training_log import TrainingLog

CHUNK = 1 << 22
"""Bytes that are read at a time."""


def read_log(source: Any, columns: Mapping[str, str] | None = None, loss: str | None = None) -> TrainingLog:
    """Read the log of a GAN's training, whatever printed it.

    Args:
        source: A file's or folder's path, "-" for standard input, or a pandas `DataFrame`.
        columns: Names of columns by role, such as `{"d_loss": "my loss"}`, where the names do not say it themselves.
        loss: bce, hinge, lsgan or wgan, where neither the log nor a file beside it says it.

    Raises:
        LogError: There is nothing to read, in one sentence.
    """
    if source == "-":
        return read_stream(sys.stdin.buffer, LogReader("-", columns, loss))
    path = Path(source)
    if not path.exists():
        raise LogError(f"{path} does not exist.")
    with open_file(path) as stream:
        return read_stream(stream, LogReader(str(source), columns, loss))


def open_file(path: Path) -> IO[bytes]:
    """A file, decompressed if it is gzip's."""
    stream = path.open("rb")
    if stream.read(2) == b"\x1f\x8b":
        stream.close()
        return gzip.open(path)  # type: ignore[return-value]
    stream.seek(0)
    return stream


def chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a stream."""
    while data := stream.read(CHUNK):
        yield data


def read_stream(stream: IO[bytes], reader: LogReader) -> TrainingLog:
    """All of a stream."""
    for data in chunks(stream):
        reader.feed(data)
    reader.close()
    return reader.log()
