"""A sweep on a landscape, event by event: trials on k asynchronous slots, and what it has to export at each budget.

Costs are counted in trainings, updates over those of a whole training: of stopped trials, of running ones, of
confirmation and of the default settings alike. Time is that of the recorded runs, with the start of the sweep and of
each trial. A rule that stops trials is asked at an update, and gets the looks until then and nothing else.

A search without a last stage is cut where its budget is spent. Running trials have what they last reported, as with Ray
Tune's time_budget_s. A search with one, a confirmation or a race, starts no trials once those that run may use up its
share of the budget; it waits for these, and its last stage is counted too.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from replay_landscape import Landscape, Look, Run

BUDGETS = (12, 18, 25, 35, 50, 70, 100)
"""Trainings after which it is asked what would be exported."""
SLOTS = 2
START, TRIAL_START = 5.0, 0.1
"""Seconds of Ray's start and of a trial's."""


@dataclass(frozen=True)
class Check:
    """A rule's question at an update, the update of a look or of a probe."""

    update: float
    rung: int
    """-1 where a trial is beyond hope."""


@dataclass(frozen=True)
class Trial:
    """A trial as far as it is known: one that runs or was stopped has no end."""

    number: int
    params: Mapping[str, Any]
    updates: float
    looks: tuple[Look, ...]
    end: Mapping[str, Any] | None = None
    stopped: bool = False

    @property
    def distance(self) -> float | None:
        """The last one; None before there is any."""
        if self.end is not None:
            return float(self.end["distance"])
        return self.looks[-1].distance if self.looks else None

    def __deepcopy__(self, memo: Any) -> Trial:
        return self


class Rule(Protocol):
    """Decides whether a trial is stopped; it can be copied with all that it knows."""

    def stops(self, number: int, check: Check, looks: Sequence[Look]) -> bool: ...

    def ended(self, trial: Trial) -> None: ...


class Seed(NamedTuple):
    """A fresh seed of a configuration."""

    number: int | None
    """Of the trial that has it; None for the default settings."""
    seed: int


class Stage(Protocol):
    """What follows the search of a sweep: fresh seeds of candidates, up to the choice."""

    def next(self, done: Mapping[Seed, Run], running: Sequence[Seed]) -> Seed | None:
        """The one to start now; None while or where there is none."""

    def exported(self, done: Mapping[Seed, Run]) -> Mapping[str, Any] | None: ...


class Search(Protocol):
    """A search as the driver sees it."""

    rule: Rule
    measures_stopped: bool
    """Whether a stopped trial takes the seconds at the end of one."""

    def ask(self) -> tuple[int, Mapping[str, Any]]: ...

    def checks(self, params: Mapping[str, Any], run: Run) -> list[Check]: ...

    def tell(self, trial: Trial) -> None: ...

    def share(self, budget: float) -> float | None:
        """Trainings that the search itself may take of a budget; None where it has no last stage."""

    def best(self, trials: Sequence[Trial]) -> Mapping[str, Any] | None:
        """What a search without a last stage exports."""

    def stage(self, trials: Sequence[Trial]) -> Stage: ...


@dataclass(frozen=True)
class Exported:
    """What a sweep of some budget comes to."""

    budget: float
    median: float
    """The true one of what is exported; of the default settings where there is nothing."""
    healthy: float
    trainings: float
    """All that were trained."""
    seconds: float
    trials: int
    whole: int


@dataclass
class Job:
    """A trial that runs."""

    number: int
    params: Mapping[str, Any]
    run: Run
    checks: list[Check]
    began: float
    stopped_at: float | None = None

    def trained(self, now: float) -> float:
        """Updates."""
        most = self.run.updates if self.stopped_at is None else self.stopped_at
        return max(0.0, min(most, (now - self.began) / self.run.seconds))

    def trial(self, now: float) -> Trial:
        """As it is known now."""
        updates = self.trained(now)
        return Trial(self.number, self.params, updates, self.run.until(updates))


@dataclass
class State:
    """A sweep at a moment, apart from its sampler."""

    rule: Rule
    now: float = START
    running: dict[int, Job] = field(default_factory=dict)
    events: list[tuple[float, int]] = field(default_factory=list)
    ended: list[Trial] = field(default_factory=list)
    started: int = 0
    of_ended: float = 0.0
    """Updates of the trials that have ended."""

    def spent(self) -> float:
        """Updates so far, of running trials too."""
        return self.of_ended + sum(job.trained(self.now) for job in self.running.values())

    def trials(self) -> list[Trial]:
        """All of them, in the order of their numbers."""
        running = [job.trial(self.now) for job in self.running.values()]
        return sorted([*self.ended, *running], key=lambda trial: trial.number)

    def start(self, job: Job) -> None:
        self.running[job.number] = job
        self.started += 1
        self.schedule(job)

    def schedule(self, job: Job) -> None:
        """When something happens next to a job: at a check, or at its end."""
        last = job.run.updates
        at = job.checks[0].update if job.checks else last
        wait = 0.0 if job.checks else job.run.end["end_seconds"]
        heapq.heappush(self.events, (job.began + at * job.run.seconds + wait, job.number))

    def step(self, measures_stopped: bool) -> Trial | None:
        """Go on to the next event. Return the trial that ended there, if one did."""
        self.now, number = heapq.heappop(self.events)
        job = self.running[number]
        if job.checks and job.stopped_at is None:
            check = job.checks.pop(0)
            if not self.rule.stops(number, check, job.run.until(check.update)):
                self.schedule(job)
                return None
            job.stopped_at = check.update
            if measures_stopped:
                heapq.heappush(self.events, (self.now + job.run.end["end_seconds"], number))
                return None
        del self.running[number]
        if job.stopped_at is None:
            trial = Trial(number, job.params, job.run.updates, job.run.looks, job.run.end)
        else:
            known = job.run.until(job.stopped_at)
            trial = Trial(number, job.params, job.stopped_at, known, stopped=True)
        self.ended.append(trial)
        self.of_ended += trial.updates
        self.rule.ended(trial)
        return trial


def sweep(
    land: Landscape, search: Search, seed: Any, budgets: Sequence[float] = BUDGETS, slots: int = SLOTS
) -> list[Exported]:
    """What a search exports at each budget. Sides with the same seed meet the same seeds of configurations."""
    state = State(search.rule)
    shares = {budget: search.share(budget) for budget in budgets}
    waiting = sorted(budgets)
    found: list[Exported] = []
    while waiting:
        share = shares[waiting[0]]
        if share is None:
            if state.spent() >= waiting[0] * land.updates:
                found.append(_cut(land, search, state, waiting.pop(0)))
                continue
        elif _committed(land, state) >= share * land.updates:
            found.append(_finish(land, search, state, waiting.pop(0), seed, slots))
            continue
        if len(state.running) < slots:
            _start(land, search, state, seed)
            continue
        ended = state.step(search.measures_stopped)
        if ended is not None:
            search.tell(ended)
    return found


def _committed(land: Landscape, state: State) -> float:
    """Updates of the trials that have ended, and those that running ones may take."""
    return state.of_ended + land.updates * len(state.running)


def _cut(land: Landscape, search: Search, state: State, budget: float) -> Exported:
    return _exported(land, search.best(state.trials()), budget, state, state.spent())


def _finish(land: Landscape, search: Search, state: State, budget: float, seed: Any, slots: int) -> Exported:
    """The running trials to their end, then the last stage, which begins when all have ended."""
    state = deepcopy(state)
    while state.running:
        state.step(search.measures_stopped)
    trials = state.trials()
    stage = search.stage(trials)
    done, state.now = train_fresh(land, stage, trials, seed, state.now, slots)
    spent = state.of_ended + sum(run.updates for run in done.values())
    return _exported(land, stage.exported(done), budget, state, spent)


def train_fresh(
    land: Landscape, stage: Stage, trials: Sequence[Trial], seed: Any, now: float = 0.0, slots: int = SLOTS
) -> tuple[dict[Seed, Run], float]:
    """The runs of a last stage that begins now, and when it is over."""
    done: dict[Seed, Run] = {}
    running: dict[Seed, tuple[float, Run]] = {}
    while True:
        fresh = stage.next(done, list(running)) if len(running) < slots else None
        if fresh is not None:
            params = defaults(land) if fresh.number is None else trials[fresh.number].params
            run = land.draw(params, random.Random(f"{seed} fresh {fresh.number} {fresh.seed}"))
            running[fresh] = (now + TRIAL_START + run.end["seconds"] + run.end["end_seconds"], run)
        elif running:
            first = min(running, key=lambda one: running[one][0])
            now, done[first] = running.pop(first)
        else:
            return done, now


def train(land: Landscape, search: Search, count: int, seed: Any, slots: int = SLOTS) -> list[Trial]:
    """The first `count` trials of a search, each as it ended."""
    state = State(search.rule)
    while len(state.ended) < count:
        if len(state.running) < slots and state.started < count:
            _start(land, search, state, seed)
            continue
        ended = state.step(search.measures_stopped)
        if ended is not None:
            search.tell(ended)
    return state.trials()


def _start(land: Landscape, search: Search, state: State, seed: Any) -> None:
    number, params = search.ask()
    run = land.draw(params, random.Random(f"{seed} {number}"))
    checks = [check for check in search.checks(params, run) if check.update < run.updates]
    state.start(Job(number, params, run, checks, state.now + TRIAL_START))


def _exported(
    land: Landscape, params: Mapping[str, Any] | None, budget: float, state: State, updates: float
) -> Exported:
    chosen = defaults(land) if params is None else params
    return Exported(
        budget,
        land.median(chosen),
        land.share_healthy(chosen),
        updates / land.updates,
        state.now,
        state.started,
        sum(trial.end is not None for trial in state.ended),
    )


def defaults(land: Landscape) -> dict[str, Any]:
    """The experiment's default settings, as a configuration of its space."""
    return {name: land.experiment.training.used(name) for name in land.experiment.search}
