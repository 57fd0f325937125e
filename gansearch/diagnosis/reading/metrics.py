"""Metrics in files of their own beside a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from gansearch.diagnosis.lines.json_lines import JsonLines, flattened, json_object
from gansearch.diagnosis.lines.sources import sniff
from gansearch.diagnosis.numbers.names import counter, meaning
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.training_log import TrainingLog

LARGEST = 1 << 24
"""Bytes: what is larger is no file of metrics."""
SNAPSHOT = re.compile(r"-(\d{6})\.pkl")
"""StyleGAN names a snapshot by its thousands of images."""


def with_metrics(log: TrainingLog, path: Path) -> TrainingLog:
    """A log with the metrics of the files beside it; those before its first step belong to its first record."""
    metrics = dict(log.metrics)
    notes = list(log.notes)
    for other in sorted(set(files_beside(path))):
        if other == path or other.stat().st_size > LARGEST:
            continue
        table = table_of(other)
        steps = next((table.column(name, last=True) for name in table.names if counter(name)), None)
        names = [name for name in table.names if getattr(meaning(name), "role", "") == "metric" and name not in metrics]
        if steps is None or not names:
            continue
        for name in names:
            values, printed = table.column(name)
            printed &= steps[1]
            places = np.clip(np.searchsorted(log.steps, steps[0][printed], side="right") - 1, 0, None)
            metrics[name] = np.full(log.records, np.nan)
            metrics[name][places] = values[printed]
        notes.append(f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} read from {other.name}.")
    return replace(log, metrics=metrics, notes=tuple(notes))


def files_beside(path: Path) -> Iterator[Path]:
    """Where code bases write metrics: StyleGAN's metric-….jsonl, BigGAN's …_log.jsonl, NAME.fid.csv of NAME.csv."""
    yield from path.parent.glob("metric-*.jsonl")
    yield from path.parent.glob("*_log.jsonl")
    for other in path.parent.glob("*.*.csv"):
        if other.name.startswith(f"{path.stem}."):
            yield other


def table_of(path: Path) -> Records:
    """The table in a file of metrics; the snapshot that was measured tells StyleGAN's step."""
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if path.suffix != ".jsonl":
        source, _ = sniff(lines, path.stem)
        source.feed(lines, range(1, len(lines) + 1))
        return source.records
    rows = [row for row in map(json_object, lines) if row is not None]
    for row in rows:
        snapshot = SNAPSHOT.search(str(row.get("snapshot_pkl")))
        if snapshot:
            row["kimg"] = int(snapshot.group(1))
        results = row.pop("results", None)
        if isinstance(results, dict):
            row |= results | row
    table = JsonLines()
    table.take([flattened(row) for row in rows], range(1, len(rows) + 1))
    return table.records
