"""TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

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


class EventFile:
    """The scalars of an event file that may grow: its loader stays open, and goes on where it stopped."""

    def __init__(self, path: Path) -> None:
        try:
            from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        except ImportError:
            raise LogError(
                f"{path} is an event file: reading it takes tensorboard (pip install tensorboard)."
            ) from None
        self.scalars: list[Event] = []
        self._loader = EventFileLoader(str(path))

    def read(self) -> bool:
        """Read what was not there the last time; whether there was anything."""
        before = len(self.scalars)
        for event in self._loader.Load():
            self.scalars += scalars_of(event)
        return len(self.scalars) > before


def event_table(paths: Sequence[Path]) -> tuple[Records, list[str]]:
    """The scalars of event files, see `table_of`."""
    return table_of({path: scalars(path) for path in sorted(paths, key=lambda one: (one.stat().st_mtime, one.name))})


def table_of(files: Mapping[Path, Sequence[Event]]) -> tuple[Records, list[str]]:
    """Scalars by event file, the oldest first: those of one folder in their order, those of several joined by step.

    `SummaryWriter.add_scalars` writes a folder for each quantity; a folder with both losses is a run of its own, of
    which the last written is read.
    """
    events: dict[Path, list[Event]] = {}
    for path, found in files.items():
        if found:
            events.setdefault(path.parent, []).extend(found)
    if not events:
        raise LogError(f"{next(iter(files))} has no scalars.")
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
    file = EventFile(path)
    file.read()
    return file.scalars


def scalars_of(event: Any) -> Iterator[Event]:
    """The (step, tag, value) of a record."""
    from tensorboard.util import tensor_util

    for value in event.summary.value if event.HasField("summary") else ():
        if value.HasField("tensor") and not value.tensor.tensor_shape.dim:
            numbers = value.tensor.float_val or value.tensor.double_val
            if not numbers and value.tensor.dtype in (1, 2):
                numbers = [float(tensor_util.make_ndarray(value.tensor))]
            yield from ((event.step, value.tag, float(number)) for number in numbers[:1])
        elif value.HasField("simple_value"):
            yield event.step, value.tag, value.simple_value
