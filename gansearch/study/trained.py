"""A folder that `gansearch train --out` has written, opened: its seeds, and a page that answers five questions."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from gansearch.experiment import Experiment, ExperimentError
from gansearch.formatting import without_nan
from gansearch.stability.band import MEASURES, shipped_band
from gansearch.stability.result import SeedResult
from gansearch.stability.verdict import VERDICTS, worst
from gansearch.store.containment import Refused, open_file, read_text
from gansearch.store.folder import StudyError, as_begun, check_format, check_links, save
from gansearch.store.nan_json import from_json
from gansearch.store.numbers_file import read_table
from gansearch.store.record import SeveralSeeds, parse
from gansearch.study.analysis.seeds import Seeds
from gansearch.study.figures.bands import bands, runs_of
from gansearch.study.figures.base import EmptyFigureError
from gansearch.study.figures.groupings import MOST_GROUPS
from gansearch.study.report import answers
from gansearch.study.report.answers import Answer
from gansearch.study.report.page import Charts, render
from gansearch.study.report.samples import over_time

_COLUMNS = ["update", "distance", "held_out_gap", "r_t", *MEASURES]
"""The columns of curves that the page shows; a file of an earlier version lacks some."""
_MOST_PICTURE = 5_000_000
"""Bytes of a picture of samples that is put into the page."""


@dataclass(frozen=True)
class TrainedSeed:
    """One seed of a training that has ended."""

    result: SeedResult
    best: dict[str, Any]
    """The moment at which it was nearest beside its end, measured on training samples; {} where there is none."""
    curves: pd.DataFrame
    picture: str
    """Its samples as a data: URL; empty where there is no picture of them."""


class Trained(SeveralSeeds):
    """The seeds of one configuration that `gansearch train` has trained."""

    def __init__(self, path: str | Path):
        """Open a folder. Raises StudyError where it is none, or holds links."""
        self.path = Path(path)
        check_links(self.path)
        check_format(self.path)
        try:
            self.experiment = as_begun(Experiment.load(self.path / "experiment.yaml"), self.path)
        except ExperimentError as error:
            raise StudyError(str(error)) from None
        folders = sorted(self.path.glob("seed-*"), key=lambda folder: folder.name)
        self.trained = [seed for folder in folders if (seed := _seed(folder))]
        """The seeds that have ended, by number."""
        self.seeds = [one.result for one in self.trained]

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch train --json`, with each seed's nearest moment, and plain numbers or None."""
        names = ("seed", "stability", "verdict", "distance", "quality")
        seeds = [{**{n: getattr(one.result, n) for n in names}, "best": one.best or None} for one in self.trained]
        numbers = {name: getattr(self, name) for name in ("stability", "distance", "healthy")}
        return dict(without_nan({"seeds": seeds, **numbers}))

    def answers(self) -> list[Answer]:
        """The five questions about these seeds; none before one has ended."""
        if not self.trained:
            return []
        first, updates = self.trained[0], self.experiment.training.updates
        before = getattr(self.experiment.training, "pretrain_steps", 0)
        runs = {f"Seed {one.result.seed}": answers.run_of(one.curves, before, updates) for one in self.trained}
        verdicts = [seed.verdict for seed in self.seeds if seed.verdict in VERDICTS]
        verdict = worst(verdicts) if verdicts else ""
        loss = str(getattr(self.experiment.training, "loss", ""))
        curves = pd.concat([one.curves.assign(seed=one.result.seed) for one in self.trained])
        group = Seeds("this configuration", None, self.seeds, fresh=True)
        return [
            answers.is_broken(runs, verdict, shipped_band(loss)),
            answers.when(first.curves, f"Seed {first.result.seed}", self.experiment.is_loop),
            answers.what_helps(verdict),
            answers.holds([group], confirmed=True),
            answers.memorises(curves),
        ]

    def plot_bands(self, each: bool = False) -> go.Figure:
        """Plot the median of the seeds over the updates and the band of eight in ten, or with `each` the first six."""
        together = {"all seeds": [seed.seed for seed in self.seeds]}
        single = {f"seed {seed.seed}": [seed.seed] for seed in self.seeds[:MOST_GROUPS]}
        curves = [one.curves.assign(number=one.result.seed, seed=one.result.seed) for one in self.trained]
        if not curves:
            raise EmptyFigureError("no seed has ended yet")
        return bands(runs_of(pd.concat(curves)), "seed", single if each else together)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the page, report.html in the folder by default, and return its path."""
        path = self.path / "report.html" if path is None else Path(path)
        found = self.answers()
        plots = {one.id: one.draw for one in found} | {"bands": self.plot_bands}
        plots |= {"bands-1": partial(self.plot_bands, each=True)} if len(self.seeds) > 1 else {}
        courses = (over_time(f"seed {seed.seed}", self.path / f"seed-{seed.seed}") for seed in self.seeds)
        moments = next(filter(None, courses), None)
        text = render("trained.html", Charts(plots), trained=self, answers=found, moments=moments)
        return save(path, text)


def is_training(path: str | Path) -> bool:
    """Whether a folder was written by `gansearch train --out`."""
    folder = Path(path)
    is_study = (folder / "study.journal").exists()
    return not is_study and (folder / "experiment.yaml").is_file() and any(folder.glob("seed-*"))


def _seed(folder: Path) -> TrainedSeed | None:
    """A seed that has ended; None where one has not, or cannot be read."""
    try:
        saved = from_json(read_text(folder / "result.json"))
        result = parse(SeedResult, saved)
        found = read_table(folder / "curves.parquet").reindex(columns=_COLUMNS)
        curves = found.apply(pd.to_numeric, errors="coerce").assign(seed=result.seed)
    except (OSError, ValueError, TypeError, KeyError, Refused):
        return None
    best = saved.get("best")
    is_whole = isinstance(best, dict) and {"update", "distance", "last_distance"} <= best.keys()
    return TrainedSeed(result, best if is_whole else {}, curves, _picture(folder / "samples.png"))


def _picture(path: Path) -> str:
    try:
        with open_file(path) as file:
            content = file.read(_MOST_PICTURE + 1)
    except OSError:
        return ""
    return "" if len(content) > _MOST_PICTURE else f"data:image/png;base64,{base64.b64encode(content).decode()}"
