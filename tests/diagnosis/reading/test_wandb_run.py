"""Offline runs of Weights & Biases."""

import json
import struct

import numpy as np
import pytest

from gansearch.diagnosis.reading import LogError, read_log
from gansearch.diagnosis.reading.wandb_run import BLOCK, messages


def framed(records):
    """LevelDB's log format."""
    data = b":W&B\xe1\xbe\x00"
    for record in records:
        first = True
        while True:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += b"\0" * left
                continue
            part, record = record[: left - 7], record[left - 7 :]
            kind = (1 if first else 4) if not record else (2 if first else 3)
            data += struct.pack("<IHB", 0, len(part), kind) + part
            first = False
            if not record:
                break
    return data


def test_records_that_span_blocks_and_a_file_that_was_cut():
    records = [bytes([i]) * (i * 3001) for i in range(1, 30)]
    assert [one for one, _ in messages(framed(records))] == records
    assert [one for one, _ in messages(framed(records)[:50_000])] == records[:5]


def test_an_offline_run(tmp_path):
    pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    records = []
    for i in range(20):
        record = pb.Record()
        for name, value in {"d_loss": 1 + i / 100, "g_loss": -i / 100 - 0.1, "_step": 10 * i, "name": "x"}.items():
            item = record.history.item.add()
            item.nested_key.append(name)
            item.value_json = json.dumps(value)
        records.append(record)
    run = pb.Record()
    item = run.run.config.update.add()
    item.key, item.value_json = "gan_mode", '"hinge"'
    path = tmp_path / "offline-run-20240102_100000-abc" / "run-abc.wandb"
    path.parent.mkdir()
    path.write_bytes(framed([one.SerializeToString() for one in (run, *records)]))
    for source in (path, path.parent, tmp_path):
        log = read_log(source)
        np.testing.assert_allclose(log.steps, 10 * np.arange(20))
        np.testing.assert_allclose(log.games[0].values["d_loss"], 1 + np.arange(20) / 100)
        assert log.games[0].loss == "hinge"
    path.write_bytes(framed([b"\xff\xff\xff"]))
    with pytest.raises(LogError, match="no run of Weights & Biases"):
        read_log(path)
