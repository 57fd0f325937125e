"""Runs of Weights & Biases that were logged offline."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gansearch.diagnosis.lines.json_lines import JsonLines
from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.reading.beside import dotted

BLOCK = 32768
"""Bytes of a block of LevelDB's log format, in which W&B keeps a run."""
HEADER = 7


class WandbRun:
    """The history of a `run-….wandb` file and its configuration, as far as it was read; it may grow."""

    def __init__(self, path: Path) -> None:
        self.source, self.config = JsonLines(), dict[str, Any]()
        self._path, self._at, self._rows = path, 0, 0

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything. Raises LogError."""
        with self._path.open("rb") as file:
            begin = file.seek(self._at - self._at % BLOCK)
            data = file.read()
        rows: list[dict[str, Any]] = []
        for message, end in messages(data, self._at - begin if self._at else HEADER):
            row, config = parsed(message, self._path)
            rows += [row] if row else []
            self.config |= config
            self._at = begin + end
        self.source.take(rows, range(self._rows + 1, self._rows + len(rows) + 1))
        self._rows += len(rows)
        return bool(rows)


def wandb_table(path: Path) -> tuple[JsonLines, dict[str, Any]]:
    """The history of a `run-….wandb` file, and its configuration."""
    run = WandbRun(path)
    run.read()
    return run.source, dotted(run.config)


def parsed(message: bytes, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row of the history and the configuration that a record holds."""
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto import wandb_internal_pb2
    except ImportError:
        raise LogError(f"{path} is a run of Weights & Biases: reading it takes wandb (pip install wandb).") from None
    record, row, config = wandb_internal_pb2.Record(), {}, {}
    try:
        record.ParseFromString(message)
    except DecodeError as error:
        raise LogError(f"{path} is no run of Weights & Biases that this wandb can read: {error}") from None
    if record.WhichOneof("record_type") == "history":
        items = ((item.key or "/".join(item.nested_key), item.value_json) for item in record.history.item)
        row = {name: json.loads(value) for name, value in items}
    for item in (*record.run.config.update, *record.config.update):
        config[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    return row, config


def messages(data: bytes, at: int = HEADER) -> Iterator[tuple[bytes, int]]:
    """The records in LevelDB's log format with where each ends, from a place on, up to where the file was cut."""
    parts = b""
    while at + HEADER <= len(data):
        left = BLOCK - at % BLOCK
        if left < HEADER:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + HEADER])
        part = data[at + HEADER : at + HEADER + length]
        if kind not in (1, 2, 3, 4) or len(part) < length:
            return
        at += HEADER + length
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts, at
