"""The live view of a sweep in a terminal; a line now and then where there is none."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gansearch.experiment import Experiment
from gansearch.search.listener import Listener
from gansearch.study.folder import Folder
from gansearch.study.tables import read_record

EVERY = 15.0
"""Seconds between lines where the output is no terminal."""
_BAR = 21


class LiveView(Listener):
    """Shows what runs, the best so far, and when it will be over."""

    def __init__(self, console: Console | None = None):
        self.console = console or Console()
        self._live: Live | None = None
        self._running: dict[int, dict[str, Any]] = {}
        self._verdicts: Counter[str] = Counter()
        self._best: Mapping[str, Any] | None = None
        self._done = self._total = self._slots = self._confirmed = self._to_confirm = 0
        self._updates = 1
        self._seconds: list[float] = []
        self._said = self._start = time.monotonic()

    def begin(self, experiment: Experiment, folder: Folder, slots: int, done: int) -> None:
        self._total, self._done, self._slots = experiment.trials, done, slots
        self._updates = experiment.training.updates
        confirm = experiment.confirm
        self._to_confirm = confirm.top * confirm.replicas if confirm else 0
        for path in folder.records.glob("[0-9]*/result.json"):
            record = read_record(folder, int(path.parent.name))
            if record is not None:
                self._note(record["row"])
        if slots == 0:
            return
        at_once = f"{slots} at a time" if slots > 1 else "one at a time"
        self.console.print(
            f"{experiment.name}: {experiment.trials} trials, {at_once}, into {folder.path}", highlight=False
        )
        if self.console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self.console, refresh_per_second=4, transient=True)
            self._live.start()

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        self._running[number] = {}

    def probes(self, number: int, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._running[number] = rows[-1]
        self._say()

    def ended(self, record: Mapping[str, Any]) -> None:
        row = record["row"]
        self._running.pop(row["number"], None)
        self._done += 1
        self._seconds.append(max(1e-3, (row["ended"] - row["started"]).total_seconds()))
        self._note(row)
        self._say()

    def confirming(self, number: int, seed: int, result: Mapping[str, Any] | None) -> None:
        self._running.clear()
        self._confirmed += result is not None
        self._say()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _note(self, row: Mapping[str, Any]) -> None:
        self._verdicts["pruned" if row["status"] == "pruned" else row["verdict"] or "failed"] += 1
        healthy = row["status"] == "complete" and row["verdict"] == "balanced"
        if healthy and (self._best is None or row["distance"] < self._best["distance"]):
            self._best = row

    def _left(self) -> str:
        """The expected rest, from the trials so far: '4 min left', or nothing while that is unknown."""
        if not self._seconds or not self._slots:
            return ""
        each = sum(self._seconds) / len(self._seconds)
        full = max(self._seconds)  # confirmation prunes nothing
        rest = (self._total - self._done) * each + (self._to_confirm - self._confirmed) * full
        rest /= self._slots
        return f", about {rest / 60:.0f} min left" if rest > 90 else f", about {max(0, rest):.0f} s left"

    def _line(self) -> str:
        what = f"{self._done} of {self._total} trials"
        if self._done >= self._total and self._confirmed < self._to_confirm:
            what += f", confirming the best on fresh seeds ({self._confirmed} runs done)"
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self._verdicts.most_common())
        return f"{what}{self._left()}" + (f" ({counts})" if counts else "")

    def _best_line(self) -> str:
        if self._best is None:
            return ""
        names = ("lr_d", "lr_g", "update_ratio", "target_separability", "pretrain_steps")
        values = {name: self._best[name] for name in names if self._best.get(name) is not None}
        balance = ", ".join(f"{name} {value:.3g}" for name, value in values.items() if not math.isnan(value))
        return (
            f"best so far: trial {self._best['number']}, stability {self._best['stability']:.2f}, "
            f"distance {self._best['distance']:.4g} ({balance})"
        )

    def _say(self) -> None:
        if self._live is None and time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self.console.print(self._line(), highlight=False, soft_wrap=True)
            if self._best is not None:
                self.console.print("  " + self._best_line(), highlight=False, soft_wrap=True)

    def _render(self) -> RenderableType:
        bar = Table.grid()  # a bar alone does not end its line
        bar.add_row(ProgressBar(total=self._total + self._to_confirm, completed=self._done + self._confirmed, width=60))
        parts: list[RenderableType] = [bar, Text(self._line())]
        if self._running:
            table = Table(box=None, pad_edge=False)
            for name in ("trial", "seed", "update", "0  D(fake) ▿ ▾ D(real)  1", "separability", "distance"):
                table.add_column(name, justify="left" if "D(" in name else "right", no_wrap=True)
            for number, row in sorted(self._running.items()):
                table.add_row(str(number), *_cells(row, self._updates))
            parts.append(table)
        if self._best is not None:
            parts.append(Text(self._best_line(), style="green"))
        return Group(*parts)


def _cells(row: Mapping[str, Any], updates: int) -> list[str | Text]:
    if not row:
        return ["", "starting", "", "", ""]
    distance = row["distance"]
    return [
        str(row["seed"]),
        f"{row['update']}",
        _bar(row["p_real"], row["p_fake"]),
        f"{row['separability']:.2f}",
        "" if math.isnan(distance) else f"{distance:.4g}",
    ]


def _bar(p_real: float, p_fake: float) -> Text:
    """What D says of fakes (▿) and reals (▾) on a line from 0 to 1."""
    text = Text("·" * _BAR, style="bright_black")
    places = [round(min(1.0, max(0.0, p if math.isfinite(p) else 0.5)) * (_BAR - 1)) for p in (p_fake, p_real)]
    marks = (
        {places[0]: ("▿", "magenta"), places[1]: ("▾", "green")}
        if places[0] != places[1]
        else {places[0]: ("◆", "yellow")}
    )
    return Text("").join(Text(marks[i][0], style=marks[i][1]) if i in marks else text[i] for i in range(_BAR))
