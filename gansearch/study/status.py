"""How a sweep is getting on, from its folder alone: on any machine that sees it, also after its driver died."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from gansearch.formatting import duration, without_nan
from gansearch.store.folder import as_typed
from gansearch.store.lock import is_alive, is_locked, read_progress
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.seeds import with_default
from gansearch.study.data import StudyData

_SILENT = 120.0
"""Seconds without news from a trial that are never too long."""
_SILENT_AT_FIRST = 600.0
"""The same where no trial has told anything yet: it may be loading its data."""
_UNUSUAL = 5
"""A trial is stuck after so many times the longest silence of any trial; the sweep ends its worker after twice that."""


@dataclass(frozen=True)
class Status:
    """What `gansearch status` says."""

    study: StudyData
    state: str
    """running, confirming; died: the driver is gone in the middle of that; stopped: it ended by itself before it was
    through; finished."""
    progress: Mapping[str, Any]
    """progress.json as the driver wrote it last: times in seconds since 1970; {} where there is none."""

    @property
    def alive(self) -> bool:
        """Whether the driver is."""
        return self.state in ("running", "confirming")

    @property
    def running(self) -> list[dict[str, Any]]:
        """The trials that train, each as a dictionary.

        Its keys are number, started, heard, updates, updates_per_second, distance and probe. `probe` is the trial's
        last row of curves.parquet with its `node`, its `gpus` there and the trial's `stability` so far; `distance` the
        last that was measured; None before the first. `heard` is the time of the last report.
        """
        if not self.alive:
            return []
        ended = set(self.study.trials["number"])  # records are there at once, progress.json seconds later
        return [one for one in self.progress.get("running", []) if one["number"] not in ended]

    @property
    def starting(self) -> bool:
        """Whether the workers still come up: no trial has told anything since this run of the sweep began."""
        if self.state != "running" or any(one["probe"] for one in self.running):
            return False
        began = pd.Timestamp(self.progress.get("began", 0.0), unit="s", tz="UTC")
        return not (self.study.trials["ended"] > began).any()

    @property
    def stuck(self) -> list[dict[str, Any]]:
        """Those of the running trials of which nothing was heard for unusually long."""
        known = self.progress.get("longest_silence", 0.0)
        patience = max(_SILENT, _UNUSUAL * known) if known else _SILENT_AT_FIRST
        return [one for one in self.running if self.progress["written"] - one["heard"] > patience]

    @property
    def waiting(self) -> int:
        """Trials that have not begun; 0 once the sweep is over."""
        started = self.study.counts["total"] + len(self.running)
        return 0 if self.state == "finished" else max(0, self.study.experiment.trials - started)

    @property
    def warnings(self) -> list[str]:
        """What its user should look at, a sentence each."""
        told = [f"seeds are trained in turn, not at once: {why}" for why in self.progress.get("in_turn", [])]
        told += filter(None, [self.progress.get("storage")])
        told += [f"node {node} gets no trials: it {why}" for node, why in self.progress.get("left_out", {}).items()]
        patience = self.progress.get("patience", math.inf)
        until = "" if math.isinf(patience) else f"; after {duration(patience)} its worker is ended"
        return told + [
            f"trial {one['number']} has told nothing for {duration(self.progress['written'] - one['heard'])}{until}"
            for one in self.stuck
        ]

    @property
    def confirmed(self) -> int:
        """Runs on fresh seeds that are done in this run of the sweep."""
        return int(self.progress.get("confirmation", {}).get("done", 0))

    @property
    def confirming(self) -> list[dict[str, Any]]:
        """{"number", "seed", "started"} of each run on a fresh seed; the number of the default settings is None."""
        return list(self.progress.get("confirmation", {}).get("runs", [])) if self.alive else []

    @property
    def confirmations(self) -> int:
        """Runs on fresh seeds, as many as there will be; before the trials have ended as many as there can be."""
        confirm = self.study.experiment.confirm
        if confirm is None:
            return 0
        trials = self.study.trials
        over = len(trials) and self.state in ("confirming", "finished")
        if over:
            experiment = self.study.experiment
            return len(with_default(experiment, trials, candidates(trials, confirm.top))) * confirm.replicas
        return (confirm.top + self.study.experiment.confirms_default) * confirm.replicas

    @property
    def seconds_left(self) -> float | None:
        """The expected seconds until the end; None while they are not known or the sweep does not run.

        They follow from the length of the trials so far, of those that run if none has ended. A slot may be empty at
        the end of the trials, and at that of their confirmation.
        """
        trials, slots = self.study.trials, self.progress.get("slots")
        budget, replicas = self.study.experiment.training.updates, self.study.experiment.least_replicas
        lengths = (trials["ended"] - trials["started"]).dt.total_seconds()
        if not len(lengths):
            rates = [one["updates_per_second"] for one in self.running if one["updates_per_second"]]
            lengths = pd.Series([budget * replicas / rate for rate in rates])
        if not (self.alive and slots and len(lengths)):
            return None
        rests = [self._rest(one, lengths.mean()) for one in self.running]
        # Short trials end first. Those that are late already tell how long the others take.
        late = [
            self.progress["written"] - one["started"] + rest
            for one, rest in zip(self.running, rests, strict=True)
            if self.progress["written"] - one["started"] > lengths.mean()
        ]
        lengths = pd.concat([lengths, pd.Series(late, dtype=float)])
        last = max([*rests, lengths.mean() if self.waiting else 0.0])
        left = max(last, (sum(rests) + self.waiting * lengths.mean()) / slots)
        confirm = self.study.experiment.confirm
        if confirm:
            longer = (confirm.updates or budget) / budget / replicas  # and nothing is pruned there
            rounds = math.ceil(max(0, self.confirmations - self.confirmed) / slots)
            left += rounds * lengths.max() * longer
        return float(left)

    def _rest(self, one: Mapping[str, Any], length: float) -> float:
        """Seconds that a running trial still takes: to the usual length, or, beyond it, to the end at its own speed."""
        elapsed, rate = self.progress["written"] - one["started"], one["updates_per_second"]
        if elapsed <= length:
            return length - elapsed
        budget = self.study.experiment.training.updates * self.study.experiment.least_replicas
        return max(0.0, budget - one["updates"]) / rate if rate else 0.0

    @property
    def next(self) -> str:
        """The command that one would give now."""
        folder = shlex.quote(str(as_typed(self.study.folder.path)))
        counts = self.study.counts
        if self.state == "finished" and self.study.best:
            return f"gansearch export {folder} -o best.yaml"
        if self.alive or self.state == "finished" or counts["failed"] >= self.study.experiment.trials:
            return f"gansearch report {folder}"
        address = self.progress.get("address")
        joined = f" --address {shlex.quote(address)}" if address else ""
        experiment = shlex.quote(str(as_typed(self.study.folder.experiment)))
        return f"gansearch sweep {experiment} --out {folder}{joined} --resume"

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch status --json`: plain numbers or None, times in ISO text."""
        counts, best, left = self.study.counts, self.study.best, self.seconds_left
        total, progress = self.study.experiment.trials, self.progress
        ended = {name: counts[name] for name in ("complete", "pruned", "failed")}
        nodes = list(progress.get("nodes", [])) if self.alive else []
        gpus = {"total": sum(node["gpus"] for node in nodes), "used": progress["used"].get("GPU")} if nodes else None
        return dict(
            without_nan(
                {
                    "state": self.state,
                    "driver": {
                        "alive": self.alive,
                        "host": progress.get("host"),
                        "pid": progress.get("pid"),
                        "heard": _iso(progress.get("written")),
                    },
                    "trials": {"total": total, **ended, "running": len(self.running), "waiting": self.waiting},
                    "nodes": nodes,
                    "gpus": gpus,
                    "slots": progress.get("slots"),
                    "updates_per_second": sum(one["updates_per_second"] or 0.0 for one in self.running),
                    "expected_end": None if left is None else _iso(time.time() + left),
                    "best": best and {name: getattr(best, name) for name in ("number", "stability", "distance")},
                    "running": [
                        {**one, "started": _iso(one["started"]), "heard": _iso(one["heard"])} for one in self.running
                    ],
                    "stuck": [one["number"] for one in self.stuck],
                    "next": self.next,
                }
            )
        )


def status(study: StudyData) -> Status:
    """How the sweep of an opened folder is getting on. Takes some seconds where a driver elsewhere keeps silent."""
    progress = read_progress(study.folder)
    if not progress:  # an older gansearch wrote it
        through = study.counts["total"] >= study.experiment.trials
        return Status(study, "running" if is_locked(study.folder) else "finished" if through else "stopped", {})
    state = progress["state"]
    if state in ("running", "confirming") and not is_alive(study.folder, progress):
        state = "died"
    return Status(study, state, progress)


def lines(found: Status) -> Iterator[str]:
    """The same in lines for people."""
    study, facts = found.study, found.summary()
    yield f"{as_typed(study.folder.path)}: {_state_line(found)}"
    trials = facts["trials"]
    total = trials.pop("total")
    counts = ", ".join(f"{count} {name}" for name, count in trials.items() if count)
    counts += "; workers are starting" if found.starting else ""
    yield f"trials:   {study.counts['total']} of {total} have ended" + (f" ({counts})" if counts else "")
    if found.state == "confirming":
        confirmation = found.progress["confirmation"]
        yield f"          fresh seeds: {confirmation['done']} runs done, {confirmation['running']} running"
    if facts["nodes"]:
        nodes = ", ".join(f"{node['node']} ({node['cpus']:g} CPUs, {node['gpus']:g} GPUs)" for node in facts["nodes"])
        used = found.progress["used"]
        yield f"nodes:    {len(facts['nodes'])}: {nodes}"
        yield f"          taken: {used['CPU']:g} CPUs" + (f", {used['GPU']:g} GPUs" if facts["gpus"]["total"] else "")
    if facts["expected_end"]:
        end = datetime.fromisoformat(facts["expected_end"]).astimezone()
        yield f"end:      expected in {duration(found.seconds_left)} ({end:%d %b %H:%M})"
    if study.best:
        best = study.best
        yield f"best:     trial {best.number}, stability {best.stability:.2f}, distance {best.distance:.4g}"
    for one in found.running:
        yield f"trial {one['number']:4}: {_trial_line(one, found.progress['written'])}"
    for warning in found.warnings:
        yield f"warning:  {warning}"
    yield f"next:     {found.next}"


def _state_line(found: Status) -> str:
    progress = found.progress
    if not progress or found.state in ("finished", "stopped"):
        return found.state
    heard = f"heard {duration(max(0.0, time.time() - progress['written']))} ago"
    where = f"on {progress['host']}, process {progress['pid']}, {heard}"
    return f"its driver died ({where})" if found.state == "died" else f"{found.state} ({where})"


def _trial_line(one: Mapping[str, Any], now: float) -> str:
    probe, rate = one["probe"], one["updates_per_second"]
    if probe is None:
        return f"starting, for {duration(now - one['started'])}"
    speed = f", {rate:,.0f} updates a second" if rate else ""
    stability = probe.get("stability")
    so_far = "" if stability is None or math.isnan(stability) else f", stability so far {stability:.2f}"
    return (
        f"seed {probe['seed']}, update {probe['update']}{speed}, D(real) {probe['p_real']:.2f}, "
        f"D(fake) {probe['p_fake']:.2f}, separability {probe['separability']:.2f}{so_far}"
    )


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None or math.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat()
