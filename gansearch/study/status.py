"""The state of a sweep, from its folder alone: on any machine that sees it, also after its driver died."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from gansearch.experiment import ScriptTask
from gansearch.formatting import duration, gpu_hours, readings, size, without_nan
from gansearch.store.confirmation import read_default
from gansearch.store.folder import as_typed
from gansearch.store.lock import is_alive, is_locked, read_progress
from gansearch.store.record import STATUSES
from gansearch.study.analysis.choose import candidates
from gansearch.study.analysis.outlook import candidate_distances, expected_gain
from gansearch.study.analysis.race import next_runs, rules_for, rules_of
from gansearch.study.analysis.seeds import with_default
from gansearch.study.analysis.time_spent import used_seconds
from gansearch.study.data import StudyData

_SHORT_SILENCE = 120.0
"""Seconds without a report of a trial that are always normal."""
_FIRST_SILENCE = 600.0
"""The same while no trial has reported: it may be loading its data."""
MORE = 20
"""The trials of which a running sweep says what they would bring."""
_NO_NUMBER = 300.0
"""Seconds in which a script has usually written one."""
_WHERE = f"in {duration(_NO_NUMBER)}; `gansearch check` shows what is read of it, task.metrics where it writes"
_UNUSUAL = 5
"""A trial is stuck after this many times the longest silence so far; its worker is ended after twice that."""


@dataclass(frozen=True)
class Status:
    """The state of a sweep. Times are in seconds since 1970, durations in seconds."""

    study: StudyData
    state: str
    """running or confirming; died, if the driver disappeared meanwhile; stopped, if it ended early; finished."""
    progress: Mapping[str, Any]
    """progress.json as the driver wrote it last; {} where there is none."""

    @property
    def alive(self) -> bool:
        """Whether the driver runs."""
        return self.state in ("running", "confirming")

    @property
    def running(self) -> list[dict[str, Any]]:
        """The trials that train: {"number", "started", "heard", "updates", "updates_per_second", "distance", "probe"}.

        `heard` is the time of the last report. `probe` is the last row of curves.parquet with the `node`, the `gpus`
        and the trial's `stability` so far, and `distance` the last that was measured; both None before the first.
        """
        if not self.alive:
            return []
        ended = set(self.study.trials["number"])  # progress.json is some seconds older than the records
        return [trial for trial in self.progress.get("running", []) if trial["number"] not in ended]

    @property
    def starting(self) -> bool:
        """Whether workers are being started: no trial has reported since this run of the sweep began."""
        if self.state != "running" or any(trial["probe"] for trial in self.running):
            return False
        began = pd.Timestamp(self.progress.get("began", 0.0), unit="s", tz="UTC")
        return not (self.study.trials["ended"] > began).any()

    @property
    def stuck(self) -> list[dict[str, Any]]:
        """The running trials that have not reported for unusually long."""
        longest = self.progress.get("longest_silence", 0.0)
        patience = max(_SHORT_SILENCE, _UNUSUAL * longest) if longest else _FIRST_SILENCE
        return [trial for trial in self.running if self.progress["written"] - trial["heard"] > patience]

    @property
    def total(self) -> int | None:
        """The trials of the sweep; None while those of `trials: auto` run, whose number is not known."""
        trials = self.study.experiment.trials
        if isinstance(trials, int):
            return trials
        return self.study.counts["total"] if self.state in ("confirming", "finished") else None

    @property
    def waiting(self) -> int:
        """The number of trials that have not begun; 0 once the sweep is finished."""
        started = self.study.counts["total"] + len(self.running)
        return 0 if self.total is None or self.state == "finished" else max(0, self.total - started)

    @property
    def expected_gain(self) -> float:
        """The share by which `MORE` more trials would bring down the smallest distance; NaN where it is not known."""
        return expected_gain(candidate_distances(self.study.trials), MORE) if len(self.study.trials) else math.nan

    @property
    def warnings(self) -> list[str]:
        """What the user should look at, a sentence each."""
        warnings = [f"seeds are trained in turn, not at once: {why}" for why in self.progress.get("in_turn", [])]
        warnings += filter(None, [self.progress.get("storage")])
        warnings += [f"node {node} gets no trials: it {why}" for node, why in self.progress.get("left_out", {}).items()]
        if isinstance(self.study.experiment.task, ScriptTask):
            waiting = [one for one in self.running if one["probe"] is None]
            late = [one for one in waiting if self.progress["written"] - one["started"] > _NO_NUMBER]
            warnings += [f"trial {one['number']} has written no number {_WHERE}" for one in late]
        patience = self.progress.get("patience", math.inf)
        until = "" if math.isinf(patience) else f"; after {duration(patience)} its worker is ended"
        return warnings + [
            f"trial {trial['number']} has not reported for {duration(self.progress['written'] - trial['heard'])}{until}"
            for trial in self.stuck
        ]

    @property
    def confirmed(self) -> int:
        """The number of runs on fresh seeds that have ended in this run of the sweep."""
        return int(self.progress.get("confirmation", {}).get("done", 0))

    @property
    def confirming(self) -> list[dict[str, Any]]:
        """The runs on fresh seeds that train: {"number", "seed", "started"}; the default settings have no number."""
        return list(self.progress.get("confirmation", {}).get("runs", [])) if self.alive else []

    @property
    def confirmations(self) -> int:
        """The number of runs on fresh seeds; while trials run, or a race may end early, the most that are expected."""
        experiment, trials = self.study.experiment, self.study.trials
        if experiment.confirm is None:
            return 0
        if self.study.folder.races:
            return (
                self._raced
                if self.state in ("confirming", "finished")
                else rules_for(experiment, self.total or len(trials) + 1).most
            )
        most = experiment.confirm.top + experiment.confirms_default
        if len(trials) and self.state in ("confirming", "finished"):
            most = len(with_default(experiment, trials, candidates(trials, experiment.confirm.top)))
        return most * experiment.confirm.replicas

    @property
    def _raced(self) -> int:
        """The runs of a race and after it: those that have ended and those to come, as far as it is known by now."""
        study = self.study
        results = [*study.confirmation, *read_default(study.folder)]
        known = {(run.number, run.seed) for run in results}
        running = {(run["number"], run["seed"]) for run in self.confirming} - known
        rules = rules_of(study.experiment, study.trials)
        return self.confirmed + len(running) + len(next_runs(study.trials, results, running, rules))

    @property
    def seconds_left(self) -> float | None:
        """The time to the end, from the length of the trials that have ended, or of those that run if none has.

        None where the driver does not run, or no length or number of trials is known. Slots may be empty at the end of
        the trials and at the end of the confirmation.
        """
        experiment, trials, slots = self.study.experiment, self.study.trials, self.progress.get("slots")
        budget = experiment.training.updates * experiment.least_replicas
        lengths = (trials["ended"] - trials["started"]).dt.total_seconds()
        if not len(lengths):
            rates = [trial["updates_per_second"] for trial in self.running if trial["updates_per_second"]]
            lengths = pd.Series([budget / rate for rate in rates])
        if not (self.alive and slots and len(lengths)):
            return None
        if self.total is None and not experiment.limits.total_hours:
            return None
        mean = lengths.mean()
        elapsed = [self.progress["written"] - trial["started"] for trial in self.running]
        rests = [_rest(trial, since, mean, budget) for trial, since in zip(self.running, elapsed, strict=True)]
        # Short trials end first: a trial that runs longer than the mean is evidence of longer ones.
        late = [since + rest for since, rest in zip(elapsed, rests, strict=True) if since > mean]
        lengths = pd.concat([lengths, pd.Series(late, dtype=float)])
        last = max([*rests, lengths.mean() if self.waiting else 0.0])
        left = max(last, (sum(rests) + self.waiting * lengths.mean()) / slots)
        if experiment.confirm:
            updates = experiment.confirm.updates or experiment.training.updates
            rounds = math.ceil(max(0, self.confirmations - self.confirmed) / slots)
            left += rounds * lengths.max() * updates / budget  # nothing is pruned there
        if experiment.limits.total_hours:
            rest = max(0.0, experiment.limits.total_hours * 3600 - used_seconds(self.study.folder))
            left = rest if self.total is None else min(left, rest)
        return float(left)

    @property
    def next(self) -> str:
        """The command to run next."""
        folder = shlex.quote(str(as_typed(self.study.folder.path)))
        counts = self.study.counts
        if self.state == "finished" and self.study.best:
            return f"gansearch export {folder} -o best.yaml"
        if self.alive or self.state == "finished" or counts["failed"] >= self.study.experiment.most_trials:
            return f"gansearch report {folder}"
        address = self.progress.get("address")
        joined = f" --address {shlex.quote(address)}" if address else ""
        experiment = shlex.quote(str(as_typed(self.study.folder.experiment)))
        return f"gansearch sweep {experiment} --out {folder}{joined} --resume"

    def summary(self) -> dict[str, Any]:
        """The object of `gansearch status --json`: plain numbers or None, times in ISO text."""
        counts, best, left, progress = self.study.counts, self.study.best, self.seconds_left, self.progress
        ended = {name: counts[name] for name in STATUSES}
        nodes = list(progress.get("nodes", [])) if self.alive else []
        gpus = {"total": sum(node["gpus"] for node in nodes), "used": progress["used"].get("GPU")} if nodes else None
        facts = {
            "state": self.state,
            "driver": {
                "alive": self.alive,
                "host": progress.get("host"),
                "pid": progress.get("pid"),
                "heard": _iso(progress.get("written")),
            },
            "trials": {"total": self.total, **ended, "running": len(self.running), "waiting": self.waiting},
            "nodes": nodes,
            "gpus": gpus,
            "slots": progress.get("slots"),
            "gpu_hours": self.study.gpu_hours,
            "updates_per_second": sum(trial["updates_per_second"] or 0.0 for trial in self.running),
            "expected_end": None if left is None else _iso(time.time() + left),
            "best": best and {name: getattr(best, name) for name in ("number", "stability", "distance")},
            "running": [
                {**trial, "started": _iso(trial["started"]), "heard": _iso(trial["heard"])} for trial in self.running
            ],
            "stuck": [trial["number"] for trial in self.stuck],
            "next": self.next,
        }
        return dict(without_nan(facts))


def _rest(trial: Mapping[str, Any], elapsed: float, length: float, budget: int) -> float:
    """The time that a running trial will take: up to the usual length, or beyond it at its own speed."""
    if elapsed <= length:
        return length - elapsed
    rate = trial["updates_per_second"]
    return max(0.0, budget - trial["updates"]) / rate if rate else 0.0


def status(study: StudyData) -> Status:
    """The state of the sweep of a study. Takes some seconds where a driver on another machine is silent."""
    progress = read_progress(study.folder)
    if not progress:  # of a version that wrote none, or the sweep has just begun
        through = study.counts["total"] >= study.experiment.most_trials
        return Status(study, "running" if is_locked(study.folder) else "finished" if through else "stopped", {})
    state = progress["state"]
    if state in ("running", "confirming") and not is_alive(study.folder, progress):
        state = "died"
    return Status(study, state, progress)


def lines(current: Status) -> Iterator[str]:
    """A status as lines of text."""
    study, facts = current.study, current.summary()
    yield f"{as_typed(study.folder.path)}: {_state_line(current)}"
    trials = facts["trials"]
    total = trials.pop("total")
    counts = ", ".join(f"{count} {name}" for name, count in trials.items() if count)
    counts += "; workers are starting" if current.starting else ""
    of = f" of {total}" if total else ""
    yield f"trials:   {study.counts['total']}{of} have ended" + (f" ({counts})" if counts else "")
    if current.state == "confirming":
        confirmation = current.progress["confirmation"]
        yield f"          fresh seeds: {confirmation['done']} runs done, {confirmation['running']} running"
    if facts["nodes"]:
        nodes = ", ".join(f"{node['node']} ({node['cpus']:g} CPUs, {node['gpus']:g} GPUs)" for node in facts["nodes"])
        used = current.progress["used"]
        yield f"nodes:    {len(facts['nodes'])}: {nodes}"
        yield f"          taken: {used['CPU']:g} CPUs" + (f", {used['GPU']:g} GPUs" if facts["gpus"]["total"] else "")
    if facts["gpu_hours"] is not None:
        yield f"cost:     {gpu_hours(facts['gpu_hours'])} of what has ended"
    if facts["expected_end"]:
        end = datetime.fromisoformat(facts["expected_end"]).astimezone()
        yield f"end:      expected in {duration(current.seconds_left)} ({end:%d %b %H:%M})"
    if study.best:
        best = study.best
        yield ", ".join([f"best:     trial {best.number}", *readings(best.stability, best.distance)])
    if study.unknown:
        yield f"verdicts: {study.verdicts['unknown']} {study.unknown[:1].lower()}{study.unknown[1:]}"
    for trial in current.running:
        yield f"trial {trial['number']:4}: {_trial_line(trial, current.progress['written'])}"
    for warning in current.warnings:
        yield f"warning:  {warning}"
    yield f"next:     {current.next}"


def _state_line(current: Status) -> str:
    progress = current.progress
    if not progress or current.state in ("finished", "stopped"):
        return current.state
    heard = f"heard {duration(max(0.0, time.time() - progress['written']))} ago"
    where = f"on {progress['host']}, process {progress['pid']}, {heard}"
    return f"its driver died ({where})" if current.state == "died" else f"{current.state} ({where})"


def _trial_line(trial: Mapping[str, Any], now: float) -> str:
    probe, rate = trial["probe"], trial["updates_per_second"]
    if probe is None:
        return f"starting, for {duration(now - trial['started'])}"
    speed = f", {rate:,.0f} updates a second" if rate else ""
    stability = probe.get("stability")
    so_far = "" if stability is None or math.isnan(stability) else f", stability so far {stability:.2f}"
    return (
        f"seed {probe['seed']}, update {probe['update']}{speed}, D(real) {probe['p_real']:.2f}, "
        f"D(fake) {probe['p_fake']:.2f}, separability {probe['separability']:.2f}{so_far}{_of_gpu(probe)}"
    )


def _of_gpu(probe: Mapping[str, Any]) -> str:
    memory, busy = probe.get("gpu_memory"), probe.get("gpu_utilisation")
    used = "" if memory is None else f", {size(memory)} of its GPU"
    return used + ("" if busy is None else f", which is {busy:.0%} busy")


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None or math.isnan(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat()
