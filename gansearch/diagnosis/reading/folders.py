"""Which files of a folder are its log, and which belong together."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gansearch.diagnosis.lines.sources import sniff
from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.numbers.names import meaning
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.numbers.series import joined
from gansearch.diagnosis.reading.events import is_events

KNOWN = ("curves.parquet", "stats.jsonl", "metrics.csv", "loss_log.txt", "loss_values.csv", "trainer_state.json")
"""Logs by their names, the most informative first."""
ENDINGS = (".csv", ".tsv", ".log", ".jsonl", ".out", ".txt")
TAG = re.compile(r"(.*tag[-_])(.+)$")
"""The name of a file that TensorBoard exports."""
DEEPEST = 4
LARGEST = 1 << 26
"""Bytes of a file of one quantity."""


def log_in(folder: Path, depth: int = 0) -> Path | list[Path]:
    """The log in a folder, or all its event files.

    Raises:
        LogError: There is none, or several that nothing tells apart.
    """
    for name in KNOWN:
        if (folder / name).is_file():
            return folder / name
    events = sorted(path for path in folder.rglob("*") if is_events(path) and path.is_file())
    if events:
        return events
    runs = sorted(folder.glob("*.wandb"))
    if runs:
        return runs[-1]
    logs = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    logs = [path for path in logs if path.name not in ("train_opt.txt", "requirements.txt", "test_opt.txt")]
    if len(logs) > 1:
        single = [path for path in logs if quantity(path) is not None]
        if single:
            return single[0]
        raise LogError(f"{folder} has several logs: {', '.join(path.name for path in logs[:8])}. Name one of them.")
    if logs:
        return logs[0]
    inner = sorted((path for path in folder.iterdir() if path.is_dir()), key=version)
    for one in reversed(inner) if depth < DEEPEST else ():
        try:
            return log_in(one, depth + 1)
        except LogError:
            continue
    raise LogError(f"{folder} has no log: name a file of printed lines, CSV, JSON lines or TensorBoard's events.")


def version(folder: Path) -> tuple[int, float]:
    """The order of folders of runs: by the number at the end, then by time."""
    number = re.search(r"(\d+)$", folder.name)
    return int(number.group(1)) if number and len(number.group(1)) < 7 else -1, folder.stat().st_mtime


def quantity(path: Path) -> tuple[str, np.ndarray, np.ndarray] | None:
    """The name, steps and values of a file that holds a single quantity, None for any other."""
    tag = TAG.match(path.stem)
    if path.suffix.lower() not in ENDINGS or not path.is_file() or path.stat().st_size > LARGEST:
        return None
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        first = [line for line in (stream.readline() for _ in range(20)) if line]
    source, kind = sniff([line.rstrip("\n") for line in first], path.stem)
    exported = bool(tag) and first[:1] == ["Wall time,Step,Value\n"]
    if not exported and kind not in ("a column of numbers", "a file of one quantity"):
        return None
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    source.feed(lines, range(1, len(lines) + 1))
    name = "Value" if exported else source.records.names[-1]
    values, printed = source.records.column(name)
    steps = np.arange(len(values), dtype=float)
    for counter in ("Step", "step"):
        if counter in source.records.names:
            steps = source.records.column(counter, last=True)[0]
    return (tag.group(2) if tag else path.stem), steps[printed], values[printed]


def quantities(path: Path) -> tuple[Records, list[str]] | None:
    """The table of a file that holds a single quantity and of its neighbours, None for any other file."""
    own = quantity(path)
    if own is None or not (meaning(own[0]) or TAG.match(path.stem)):
        return None
    tag = TAG.match(path.stem)
    series = {own[0]: own[1:]}
    others = []
    for other in sorted(path.parent.glob(f"*{path.suffix}")):
        match = TAG.match(other.stem)
        if other == path or bool(match) != bool(tag) or (match and tag and match.group(1) != tag.group(1)):
            continue
        found = quantity(other) if match or meaning(other.stem) else None
        if found:
            series[found[0]] = found[1:]
            others.append(other.name)
    return joined(series, "step" if tag else "itr"), [f"Read together with {', '.join(others)}."] if others else []
