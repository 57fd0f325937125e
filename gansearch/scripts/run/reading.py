"""What a script has written so far: the rows of the log that says most, its distance, and a monitor's probes."""

from __future__ import annotations

import dataclasses
import glob
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gansearch.diagnosis.diagnosis import Diagnosis, split_loss, with_halves
from gansearch.diagnosis.numbers.errors import LogError
from gansearch.diagnosis.reading.growing import Growing, Wanted, growing, reader_of
from gansearch.diagnosis.roles.assembly import column_named
from gansearch.diagnosis.rules.breakage import ENDS
from gansearch.diagnosis.rules.evidence import finite_mean
from gansearch.diagnosis.text import read_as
from gansearch.diagnosis.training_log import Game, TrainingLog
from gansearch.experiment import ScriptTask
from gansearch.gan.result import Probe
from gansearch.scripts.run.output import Output
from gansearch.stability.probe_file import MARK, GrowingProbes
from gansearch.stability.window import Window

NOT_A_DISTANCE = "hp_metric"
"""A column that Lightning writes for its own use."""
_CLAMPS = (0.0, 1.0, *(end * factor for end in ENDS for factor in (0.5, 1, 2)))
"""Values that a loss or an answer may keep because it cannot leave them."""
_RATES = ("lr_d", "lr_g", "augment")
"""Roles whose values stay the same by rights."""
_CURVES = {"loss_d": "d_loss", "loss_g": "g_loss", "p_real": "p_real", "p_fake": "p_fake"}
"""Columns of a probe by role of the log."""


@dataclass(frozen=True)
class Look:
    """What is known of a training at one moment."""

    name: str = ""
    """Of the log that is judged: stdout, or a file."""
    log: TrainingLog | None = None
    """With the rows that were carried forward left out; None where there is none."""
    distances: tuple[float, ...] = ()
    """All that were read, in order."""
    at: tuple[float, ...] = ()
    """The time of each."""
    monitors: Mapping[str, Sequence[Window]] = field(default_factory=dict)
    """Probes of the files of `StabilityMonitor(path=…)`, by name."""

    @property
    def game(self) -> Game | None:
        """The first pair of D and G of the log."""
        return self.log.games[0] if self.log and self.log.games else None

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """What `gansearch diagnose` says of the log."""
        return Diagnosis.of(self.log) if self.log else None

    @property
    def described(self) -> list[str]:
        """What each column of the log was taken for, in lines."""
        lines = [] if self.log is None else read_as(self.log)
        return [line.replace("(--loss)", "(task.loss)") for line in lines]

    @property
    def distance(self) -> float:
        """The last one; NaN where there is none."""
        return self.distances[-1] if self.distances else math.nan

    @property
    def time(self) -> float:
        """How far the training is, as it counts itself; 0 before it has said so."""
        if self.monitors:
            return max(windows[-1].step for windows in self.monitors.values())
        ends = [*(self.log.time[-1:] if self.log else ()), *self.at[-1:]]
        return float(max(ends, default=0.0))

    @property
    def has_numbers(self) -> bool:
        """Whether anything was read that a verdict or a choice can rest on."""
        return bool(self.monitors or self.game or self.distances)

    def probes(self, since: float, least: float) -> list[Probe]:
        """The rows after a time as probes, means over parts of at least so long."""
        if self.monitors:
            windows = next(iter(self.monitors.values()))
            rows = [(one.step, probe_of(one.step, **_of_window(one))) for one in windows if one.step > since]
            times = np.array([time for time, _ in rows])
            return [rows[last][1] for last in _lasts(times, since, least)]
        log, game = self.log, self.game
        if log is None:
            return [probe_of(at, distance=one) for at, one in zip(self.at, self.distances, strict=True) if at > since]
        first = int(np.searchsorted(log.time, since, side="right"))
        times, found, begin = log.time[first:], [], 0
        for last in _lasts(times, since, least):
            part, begin = slice(first + begin, first + last + 1), last + 1
            values = {
                name: finite_mean(game.values[role][part])
                for name, role in _CURVES.items()
                if game and role in game.values
            }
            found.append(probe_of(float(times[last]), **values))
        return self._with_distances(found, since)

    def _with_distances(self, probes: list[Probe], since: float) -> list[Probe]:
        """Each with the last distance that was measured since the one before."""
        joined = []
        for probe in probes:
            new = [one for at, one in zip(self.at, self.distances, strict=True) if since < at <= probe.update]
            joined.append(dataclasses.replace(probe, distance=new[-1]) if new else probe)
            since = probe.update
        return joined


class Reading:
    """Reads all that a script writes, from where it stopped the last time."""

    def __init__(self, script: ScriptTask, metrics: str, output: Output, begun: float):
        """Read what files match `metrics`, unless they are older than `begun`, seconds since 1970; and the output."""
        family, self._halves = split_loss(script.loss or None)
        wanted = script.distance if isinstance(script.distance, str) else ""
        self._metric = "" if wanted == NOT_A_DISTANCE else wanted
        self._wanted = Wanted(script.columns, family, self._metric)
        self._pattern, self._begun = metrics, begun
        self._files: dict[Path, Growing] = {}
        self._probes: dict[Path, GrowingProbes] = {}
        self._readers = {name: (stream, reader_of(name, self._wanted)) for name, stream in output.streams}
        self._logs: dict[str, TrainingLog] = {}
        self._changed: set[str] = set()
        self.trouble: dict[str, str] = {}
        """By source, why no log could be made of what it has."""

    def read(self) -> bool:
        """Read what is new; whether there was anything."""
        self._find()
        news = set()
        for name, (stream, reader) in self._readers.items():
            if data := stream.take():
                reader.feed(data)
                news.add(name)
        news |= {str(path) for path, log in self._files.items() if log.read()}
        self._changed |= news
        return bool([probes for probes in self._probes.values() if probes.read()] or news)

    def finish(self) -> None:
        """Read all that is left, at the end of the script, with the last lines that have no end."""
        while self.read():
            pass
        for log in (*self._files.values(), *(reader for _, reader in self._readers.values())):
            log.close()
        self._changed |= {*self._readers, *map(str, self._files)}

    def look(self) -> Look:
        """What is known by now."""
        sources: dict[str, Callable[[], TrainingLog]] = {str(path): log.log for path, log in self._files.items()}
        sources |= {name: reader.log for name, (_, reader) in self._readers.items()}
        for name in self._changed:
            try:
                self._logs[name] = as_rows(with_halves(sources[name](), self._halves))
                self.trouble.pop(name, None)
            except (LogError, OSError) as error:
                self.trouble[name] = str(error)
        self._changed.clear()
        logs = [self._logs[name] for name in sources if name in self._logs]
        monitors = {one.name: one.windows for one in self._probes.values() if one.windows}
        best = max(logs, key=_says, default=None)
        at, distances = self._distances(logs)
        if best is not None and not best.games and not distances:
            best = None
        return Look(Path(best.file).name if best else "", best, distances, at, monitors)

    def why_nothing(self) -> str:
        """Why no number was read, of the source that should have some; a sentence, or nothing."""
        if self._pattern and not self._files and not self._probes:
            return f"no file is called {Path(self._pattern).name}, as task.metrics says"
        printed = [name for name, (stream, _) in self._readers.items() if stream.total]
        files = [name for name in self.trouble if name not in self._readers]
        return next((self.trouble[name] for name in (*files, *printed) if name in self.trouble), "")

    def columns(self) -> list[str]:
        """The names that were read as numbers of a training."""
        games = [game for log in self._logs.values() for game in log.games]
        metrics = [name for log in self._logs.values() for name in log.metrics]
        return list(dict.fromkeys([*(name for game in games for name in game.columns.values()), *metrics]))

    def _distances(self, logs: Sequence[TrainingLog]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The times and the values of the distance in the first log that has its column."""
        for log in logs:
            if name := column_named(self._metric, list(log.metrics)):
                values, known = log.metrics[name], ~np.isnan(log.metrics[name])
                end = [math.nan] if name in log.broken_metrics else []
                at, found = log.time[known].tolist(), values[known].tolist()
                return (*at, *log.time[-1:].tolist() * len(end)), (*found, *end)
        return (), ()

    def _find(self) -> None:
        """Look for files that have come."""
        if not self._pattern:
            return
        for path in map(Path, sorted(glob.glob(self._pattern, recursive=True))):  # noqa: PTH207
            if path in self._files or path in self._probes or not self._is_new(path):
                continue
            with suppress(OSError):  # it may be gone again
                self._add(path)

    def _add(self, path: Path) -> None:
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(len(MARK))
            if head == MARK:
                self._probes[path] = GrowingProbes(path)
            if head == MARK or MARK.startswith(head):
                return  # too short to be known
        growing([path], self._files, self._wanted)

    def _is_new(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime >= self._begun - 1
        except OSError:
            return False


def as_rows(log: TrainingLog) -> TrainingLog:
    """A log without the values that were only repeated, as a logger does that writes all columns whenever one is due.

    A value is so where it is exactly the one before while another column has moved, unless it cannot move: a loss at
    its clamp. So is a first record of zeros, with which a progress bar begins.
    """
    columns: list[np.ndarray] = [*log.metrics.values()]
    columns += [values for game in log.games for role, values in game.values.items() if role not in _RATES]
    if log.records < 2 or len(columns) < 2:
        return log
    moved = np.array([np.diff(one, prepend=np.nan) != 0 for one in columns])  # NaN counts as moved, where it is known
    known = np.array([np.isfinite(one) for one in columns])
    others = (moved & known).sum(axis=0)
    empty = np.zeros(log.records, bool)
    empty[0] = bool((np.array([one[0] for one in columns])[known[:, 0]] == 0).all()) and bool(known[:, 0].any())

    def kept(values: np.ndarray) -> np.ndarray:
        same = np.diff(values, prepend=np.nan) == 0
        clamped = np.isclose(np.abs(values)[:, None], _CLAMPS, rtol=2e-4, atol=1e-9).any(axis=1)
        return np.where((same & (others > 0) & ~clamped) | empty, np.nan, values)

    games = []
    for game in log.games:
        values = {role: one if role in _RATES else kept(one) for role, one in game.values.items()}
        printed = {
            role: game.printed[role] & ~(np.isnan(one) & np.isfinite(game.values[role])) for role, one in values.items()
        }
        games.append(dataclasses.replace(game, values=values, printed=printed))
    return dataclasses.replace(log, games=tuple(games), metrics={name: kept(one) for name, one in log.metrics.items()})


def _says(log: TrainingLog) -> int:
    """How much a log says of D and G."""
    found = {role.partition("_")[0] if role[1:2] == "_" else role for game in log.games for role in game.values}
    return len(found & {"d", "g"}) * 2 + len(found & {"p_real", "p_fake"}) + bool(log.games)


def _lasts(times: np.ndarray, since: float, least: float) -> list[int]:
    """The places at which a time of at least `least` has gone since the place before, or since `since`."""
    found = []
    for place, time in enumerate(times):
        if time - since >= least:
            found.append(place)
            since = time
    return found


def _of_window(window: Window) -> dict[str, float]:
    return {
        "p_real": window.mean_p_real,
        "p_fake": window.mean_p_fake,
        "saturated_right": window.saturated_right(),
        "saturated_wrong": window.saturated_wrong(),
        "separability": window.mean_separability,
        "grad_norm_g": window.grad_norm,
    }


_NUMBERS = (
    *("loss_d", "loss_g", "p_real", "p_fake", "saturated_right", "saturated_wrong", "separability"),
    *("grad_norm_d", "grad_norm_g", "distance"),
)


def probe_of(time: float, **values: float) -> Probe:
    """A probe with what is known; a time that is whole is so."""
    update = int(time) if float(time).is_integer() else round(float(time), 6)
    known: dict[str, Any] = {name: values.get(name, math.nan) for name in _NUMBERS}
    return Probe(update, **known)
