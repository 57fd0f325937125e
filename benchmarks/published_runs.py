"""The trainings of published tables, each written as a line as soon as it has ended, and read in place of training."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from published_protocol import ROWS, Row, Table
from published_search import Search

from gansearch.experiment import Training
from gansearch.gan import Task, Trainer, load_task
from gansearch.store.nan_json import from_json, to_json


class Lines:
    """A file of JSON lines, each with a key of its own."""

    def __init__(self, path: Path, key: Sequence[str]):
        self.path, self._key = path, key
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [row for line in lines if (row := _parsed(line)) is not None]
        self._rows = {self.key_of(row): row for row in rows}

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self._key)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self._rows.values())

    def get(
        self, key: tuple[Any, ...], make: Callable[[], dict[str, Any]], holds: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The row of a key; it is made and written where there is none, or one without what it has to hold.

        Of two lines of a key the later one counts; one that a crash has cut is made again.
        """
        if key not in self._rows or any(self._rows[key][name] != value for name, value in (holds or {}).items()):
            row = {**dict(zip(self._key, key, strict=True)), **make()}
            self.path.parent.mkdir(parents=True, exist_ok=True)
            cut = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
            with self.path.open("a", encoding="utf-8") as file:
                file.write(("\n" if cut else "") + json.dumps(json.loads(to_json(row))) + "\n")
            self._rows[key] = row
        return self._rows[key]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = from_json(line)
    except json.JSONDecodeError:
        return None
    return row


@dataclass(frozen=True)
class Work:
    """A table's rows in a folder of results; samples, which are larger, are kept in another."""

    name: str
    table: Table
    folder: Path
    samples: Path
    seeds: Sequence[int]

    def picture(self, row: str, seed: int) -> Path:
        """The file of a seed's samples."""
        return self.samples / f"{self.name}-{row}-{self.table.updates}-{seed}.npy"

    def seeds_of(self, row: str) -> Lines:
        return Lines(self.folder / f"{self.name}-{row}.jsonl", ["updates", "seed"])

    def trained(self, row: str) -> list[dict[str, Any]]:
        """The row's seeds so far at the table's budget."""
        found = [one for one in self.seeds_of(row).rows if one["updates"] == self.table.updates]
        return sorted(found, key=lambda one: one["seed"])

    def search_of(self, row: str) -> Search:
        file = self.folder / f"{self.name}-{row}-search.jsonl"
        unseen = self.table.mixture if ROWS[row].unseen else ""
        return Search(self.table.experiment(row), Lines(file, ["updates", "number", "seed"]), unseen)

    def run(self, row: str) -> None:
        """Searches where the row is searched, and trains the seeds that are not there."""
        training = self.training_of(ROWS[row], row)
        task = load_task(self.table.path, {})
        for seed in self.seeds:
            make = partial(trained, task, training, seed, self.picture(row, seed))
            one = self.seeds_of(row).get((self.table.updates, seed), make, {"training": plain(training)})
            counts = ", ".join(f"{name} {value:.4g}" for name, value in one["quality"].items())
            print(f"{self.name} {row} seed {seed}: {counts}, {one['seconds']:.0f} s", flush=True)

    def training_of(self, row: Row, name: str) -> Training:
        training = self.table.training_of(row)
        return training.with_params(self.search_of(name).best()) if row.search else training


def trained(task: Task, training: Training, seed: int, picture: Path) -> dict[str, Any]:
    """One seed, counted on as many samples of its generator as its task says."""
    torch.set_num_threads(1)
    start = time.process_time()
    trainer = Trainer(task, training, seed)
    for _ in trainer.run():
        pass
    fake = trainer.samples(task.counted)
    picture.parent.mkdir(parents=True, exist_ok=True)
    np.save(picture, fake[: task.kept].numpy().astype(np.float16))
    return {
        "done": [trainer.d_updates, trainer.g_updates],
        "stopped": trainer.stopped,
        "seconds": round(time.process_time() - start, 1),
        "quality": task.quality(trainer.data.held_out, fake),
        "training": plain(training),
    }


def plain(training: Training) -> dict[str, Any]:
    """What a training says of itself, as JSON."""
    return training.model_dump(mode="json", exclude_unset=True)
