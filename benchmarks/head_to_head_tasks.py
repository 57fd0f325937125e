"""The experiments of the head-to-head: the five that the search was made with, and two that nobody has looked at.

`fair` is a public table (benchmarks/tables_data.py), `drums` are strokes of four synthesised drums; both have the
space of the table and of the sounds in experiments/.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
from search_runs import TASKS as SEEN
from search_runs import experiment_of as seen_experiment

from gansearch.experiment import Experiment

UNSEEN = ("fair", "drums")
TASKS = (*SEEN, *UNSEEN)
DATA = Path(__file__).parents[1] / "data"
RATE = 8_000
TRIALS = 10_000
"""More than fit: the time ends a sweep."""


def experiment_of(task: str) -> Experiment:
    """The experiment of a task, with its data in place; the budgets of training are those of search_runs.py."""
    like = {"fair": "table", "drums": "music"}.get(task, task)
    sections = json.loads(seen_experiment(like).model_dump_json(exclude_unset=True))
    if task == "fair":
        sections["task_options"] = {"path": str(_fair(DATA / "tables/fair.csv"))}
    if task == "drums":
        sections["task_options"]["path"] = str(_drums(DATA / "drums"))
    sections |= {"name": task, "trials": TRIALS, "resources": {"gpus": 0}}
    return Experiment.parse(sections, base=Path(__file__).parents[1])


def limited(experiment: Experiment, limits: dict[str, Any]) -> Experiment:
    """The experiment with `limits`."""
    sections = json.loads(experiment.model_dump_json(exclude_unset=True))
    return Experiment.parse({**sections, "limits": limits})


def _fair(file: Path) -> Path:
    if not file.exists():
        from tables_data import TABLES

        text = TABLES["fair"].read()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    return file


def _drums(folder: Path) -> Path:
    """576 strokes of a quarter of a second: four drums, each at six tunings, three forces and eight takes."""
    import soundfile

    drums = {"kick": _kick, "tom": _tom, "snare": _snare, "hat": _hat}
    strokes = list(itertools.product(drums, range(6), (0.4, 0.7, 1.0), range(8)))
    if folder.exists() and len(list(folder.glob("*.wav"))) == len(strokes):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(RATE // 4) / RATE
    for number, (name, tuning, force, take) in enumerate(strokes):
        sound = drums[name](time, tuning, force, np.random.default_rng([number, 2]))
        fade = np.minimum(1, (time[-1] - time) / 0.02)
        soundfile.write(folder / f"{name}-{tuning}-{force}-{take}.wav", 0.9 * sound * fade / np.abs(sound).max(), RATE)
    return folder


def _kick(time: np.ndarray, tuning: int, force: float, draws: np.random.Generator) -> np.ndarray:
    """A sine that falls from an octave or more above."""
    low = (45 + 5 * tuning) * (1 + 0.02 * draws.standard_normal())
    phase = 2 * np.pi * (low * time + 3 * force * low * 0.03 * (1 - np.exp(-time / 0.03)))
    sound: np.ndarray = np.sin(phase) * np.exp(-time / 0.08)
    return sound


def _tom(time: np.ndarray, tuning: int, force: float, draws: np.random.Generator) -> np.ndarray:
    """The first three modes of a circular membrane."""
    low = 90 * 2 ** (tuning / 4) * (1 + 0.02 * draws.standard_normal())
    modes = zip((1, 1.59, 2.14), (1, 0.6 * force, 0.4 * force), (0.12, 0.07, 0.05), strict=True)
    sound: np.ndarray = sum(
        share * np.sin(2 * np.pi * low * ratio * time + draws.uniform(0, 6)) * np.exp(-time / decay)
        for ratio, share, decay in modes
    )  # type: ignore[assignment]
    return sound


def _snare(time: np.ndarray, tuning: int, force: float, draws: np.random.Generator) -> np.ndarray:
    """A membrane and the rattle of wires."""
    body = _tom(time, tuning + 3, force, draws)
    return body + force * draws.standard_normal(len(time)) * np.exp(-time / 0.06)


def _hat(time: np.ndarray, tuning: int, force: float, draws: np.random.Generator) -> np.ndarray:
    """Noise without its low half, shut early or late."""
    noise = np.diff(draws.standard_normal(len(time) + 2), 2)
    return noise * np.exp(-time / (0.01 + 0.02 * tuning * force))
