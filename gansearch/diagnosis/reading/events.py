"""TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.numbers.names import meaning
from gansearch.diagnosis.numbers.records import Records
from gansearch.diagnosis.numbers.series import in_order, joined
from gansearch.diagnosis.roles.games import CORE

Event = tuple[float, str, float]


def is_events(path: Path) -> bool:
    """Whether a file is one of TensorBoard's."""
    return "tfevents" in path.name


def event_table(paths: Sequence[Path]) -> tuple[Records, list[str]]:
    """The scalars of event files: those of one folder in their order, those of several joined by step.

    `SummaryWriter.add_scalars` writes a folder for each quantity; a folder with both losses is a run of its own, of
    which the last written is read.
    """
    folders: dict[Path, list[Path]] = {}
    for path in sorted(paths, key=lambda path: (path.stat().st_mtime, path.name)):
        folders.setdefault(path.parent, []).append(path)
    events = {folder: [event for path in files for event in scalars(path)] for folder, files in folders.items()}
    events = {folder: found for folder, found in events.items() if found}
    if not events:
        raise LogError(f"{paths[0]} has no scalars.")
    runs = [folder for folder, found in events.items() if sides(name for _, name, _ in found) >= {"d", "g"}]
    if len(events) == 1 or runs:
        last = runs[-1] if runs else next(iter(events))
        notes = [f"{len(runs)} runs are in the folder: {last.name} is read."] if len(runs) > 1 else []
        return in_order(events[last]), notes
    tags = [name for found in events.values() for name in {name for _, name, _ in found}]
    series: dict[str, tuple[list[float], list[float]]] = {}
    for folder, found in events.items():
        for step, tag, value in found:
            name = folder.name if tags.count(tag) > 1 else tag
            steps, values = series.setdefault(name, ([], []))
            steps.append(step)
            values.append(value)
    return joined({name: (np.array(steps), np.array(values)) for name, (steps, values) in series.items()}), []


def sides(names: Iterable[str]) -> set[str]:
    """Of whom there are losses among some tags: d, g."""
    roles = (one.role for one in map(meaning, set(names)) if one and one.role in CORE)
    return {role[0] for role in roles}


def scalars(path: Path) -> list[Event]:
    """The (step, tag, value) of a file, as tensorboard's own reader gives them; a file that was cut ends there."""
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util import tensor_util
    except ImportError:
        raise LogError(f"{path} is an event file: reading it takes tensorboard (pip install tensorboard).") from None
    found: list[Event] = []
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value if event.HasField("summary") else ():
            if value.HasField("tensor") and not value.tensor.tensor_shape.dim:
                numbers = value.tensor.float_val or value.tensor.double_val
                if not numbers and value.tensor.dtype in (1, 2):
                    numbers = [float(tensor_util.make_ndarray(value.tensor))]
                found += [(event.step, value.tag, float(number)) for number in numbers[:1]]
            elif value.HasField("simple_value"):
                found.append((event.step, value.tag, value.simple_value))
    return found
