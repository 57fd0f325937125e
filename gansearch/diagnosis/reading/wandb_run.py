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


def wandb_table(path: Path) -> tuple[JsonLines, dict[str, Any]]:
    """The history of a `run-….wandb` file, and its configuration."""
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto import wandb_internal_pb2
    except ImportError:
        raise LogError(f"{path} is a run of Weights & Biases: reading it takes wandb (pip install wandb).") from None
    source, config = JsonLines(), {}
    rows: list[dict[str, Any]] = []
    for data in messages(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        try:
            record.ParseFromString(data)
        except DecodeError as error:
            raise LogError(f"{path} is no run of Weights & Biases that this wandb can read: {error}") from None
        if record.WhichOneof("record_type") == "history":
            items = ((item.key or "/".join(item.nested_key), item.value_json) for item in record.history.item)
            rows.append({name: json.loads(value) for name, value in items})
        for item in (*record.run.config.update, *record.config.update):
            config[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    source.take(rows, range(1, len(rows) + 1))
    return source, dotted(config)


def messages(data: bytes) -> Iterator[bytes]:
    """The records in LevelDB's log format, up to where the file was cut."""
    at, parts = HEADER, b""
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
            yield parts
