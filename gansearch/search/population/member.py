"""Population-based training: what a member of the population trains, and how its trials are run and recorded.

A member's checkpoint holds all that it is: the trainer's state, with its random numbers, and the schedule that its
weights went through. A copy takes everything. All members have the same seed, so each one is its schedule, trained
from the start: `gansearch train` with that seed gives its samples bit for bit on a CPU.
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from ray import tune
from ray.tune.experiment import Trial

from gansearch.experiment import Experiment, ExperimentError, Training, longest_pretraining
from gansearch.gan import Trainer
from gansearch.gan.trainer import probe_updates
from gansearch.gan.user_code import user_traceback
from gansearch.search.recorder import Recorder
from gansearch.search.sampling.samplers import exchange
from gansearch.search.worker.checkpoints import STATE, checkpoints, forget, read_state
from gansearch.search.worker.samples import few, to_show
from gansearch.search.worker.trial import REPORT_SECONDS, Ending, own_gpus, own_resources, train_seed
from gansearch.stability.result import SeedResult
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import Segment, parse, scheduled


def exchanges(experiment: Experiment) -> list[int]:
    """After how many updates the members are compared: at a probe, every so many updates after the longest pretraining.

    Raises ExperimentError where there is none before the end.
    """
    updates, every = experiment.training.updates, exchange(experiment).perturbation_interval
    first = longest_pretraining(experiment.training, experiment.search)
    probes = [update for update in probe_updates(updates) if update < updates]
    due = range(first + (every or math.ceil(updates / 10)), updates, every or math.ceil(updates / 10))
    found = [next((probe for probe in probes if probe >= update), None) for update in due]
    held = list(dict.fromkeys(update for update in found if update is not None))
    if not held:
        raise ExperimentError(
            "experiment",
            {"sampler.perturbation_interval": f"leaves no exchange after {first} and before {updates} updates"},
        )
    return held


def population(experiment: Experiment, recorder: Recorder) -> dict[str, Any]:
    """Ray Tune's `param_space`: a config for each member, which starts where the study says.

    They are no suggestions of the searcher to Ray Tune, whose population-based training goes with none.
    """
    members: dict[int, dict[str, Any]] = {}
    while len(members) < experiment.trials - len(recorder.records):
        config = recorder.searcher.suggest("")
        if not isinstance(config, dict):
            break  # the space has no more configurations
        members[config["number"]] = config
    return {
        "number": tune.grid_search(list(members)),
        "params": tune.sample_from(lambda spec: members[spec.config.number]["params"]),
        "checkpoints": tune.sample_from(lambda spec: members[spec.config.number]["checkpoints"]),
    }


def member(experiment: Experiment) -> Callable[[dict[str, Any]], None]:
    """The function that Ray Tune runs for each member."""
    return partial(run_member, experiment, exchanges(experiment))


def run_member(experiment: Experiment, due: list[int], config: dict[str, Any]) -> None:
    """Trains a member from one exchange to the next, or to its end. Ray Tune pauses it at each, and starts it again.

    Reports {"rows", "on", "params", "exchange", "score"}, at an exchange with a checkpoint, else with a score that is
    NaN, "stability" and "gpus" as any trial, and at the end "ending". Whatever the user's code raises ends the member,
    not the worker.
    """
    one = _Member(experiment, config["number"], config["params"])
    anew = _restore(one, config["checkpoints"])
    cpus, gpus = own_resources()
    on = ray.get_runtime_context().get_node_id()
    sent, reported = 0 if anew else len(one.rows), time.monotonic()

    def news(score: float = math.nan) -> dict[str, Any]:
        nonlocal sent, reported, anew
        found = {"rows": one.rows[sent:], "on": on, "anew": anew, "params": to_json(one.params)}
        found |= {"exchange": one.exchanges, "score": score, "gpus": own_gpus()}
        if one.trainer is not None:
            found["stability"] = one.trainer.stability
        sent, reported, anew = len(one.rows), time.monotonic(), False
        return found

    for score in one.train(due, cpus, gpus):
        if score is not None:
            with tempfile.TemporaryDirectory() as folder:
                torch.save(one.state(), Path(folder) / STATE)
                tune.report(news(score), checkpoint=tune.Checkpoint.from_directory(folder))
        elif time.monotonic() - reported >= REPORT_SECONDS:
            tune.report(news())
    tune.report({**news(), "ending": one.ending()})


@dataclass
class _Member:
    """The progress of one member; `params` are those that it trains with now."""

    experiment: Experiment
    number: int
    params: dict[str, Any]
    segments: list[Segment] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    exchanges: int = 0
    """Those that it, or the one that it is a copy of, has come through."""
    trained: dict[str, Any] = field(default_factory=dict)
    """The trainer's state in the checkpoint."""
    trainer: Trainer | None = None
    seeds: list[SeedResult] = field(default_factory=list)
    samples: np.ndarray | None = None
    error: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def train(self, due: list[int], cpus: float, gpus: float) -> Iterator[float | None]:
        """Trains on and yields after each probe; at an exchange its score, else None.

        What the user's code raises is kept in `error`; what the consumer raises between probes is not caught.
        """
        try:
            self._extend_schedule()
            params = scheduled(self.params, self.segments)
            trainer = train_seed(self.experiment, params, self.experiment.seed, cpus, gpus, prune=False)
            if self.trained:
                trainer.load_state(self.trained)
            self.trainer, self.trained = trainer, {}
            for probe in trainer.run():
                self.rows.append({"seed": trainer.seed, **dataclasses.asdict(probe)})
                if trainer.updates in due and not trainer.stopped:
                    self.exchanges += 1
                    yield self._score(trainer)
                else:
                    yield None
            while trainer.stopped and self.exchanges < len(due):
                self.exchanges += 1  # it has diverged, and waits to become a copy of another
                yield -math.inf
            result = trainer.result()
            self.seeds, self.samples = [result.without_samples()], few(self.experiment, result.samples)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
            self.error = user_traceback(error)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()  # the worker goes on with the next member

    def state(self) -> dict[str, Any]:
        """Everything, as torch.load(weights_only=True) takes it."""
        assert self.trainer is not None
        plain = {name: getattr(self, name) for name in ("number", "params", "rows", "exchanges")}
        plain["segments"] = [segment.as_dict() for segment in self.segments]
        return {"member": to_json(plain), "trainer": self.trainer.state()}

    def load_state(self, state: Mapping[str, Any], with_params: bool) -> bool:
        """Goes on from a member's `state()`, with its parameters or with one's own; returns whether it is another's."""
        plain = from_json(state["member"])
        self.segments = [parse(Segment, segment) for segment in plain["segments"]]
        self.rows, self.exchanges = plain["rows"], plain["exchanges"]
        self.params = plain["params"] if with_params else self.params
        self.trained = state["trainer"]
        return bool(plain["number"] != self.number)

    def ending(self) -> Ending:
        return Ending(
            *(self.seeds, self.samples, self.started, datetime.now(UTC), ray.util.get_node_ip_address(), self.error),
            in_turn="",
            schedule=self.segments,
            **to_show(self.experiment, self.samples),
        )

    def _extend_schedule(self) -> None:
        values = _values(self.experiment.training.with_params(self.params))
        if not self.segments or values != self.segments[-1].values:
            after = sum(self.trained["updates"]) if self.trained else 0
            self.segments = [*self.segments, Segment(after, **values)]

    def _score(self, trainer: Trainer) -> float:
        """Larger is better: of the distance, or of the stability where that is the objective; −∞ for no number."""
        draws = trainer.probe_draws.get_state()
        stability, distance = trainer.standing()
        trainer.probe_draws.set_state(draws)  # its later probes see what they would have seen without an exchange
        score = stability if self.experiment.objective == "stability" else -distance
        return score if math.isfinite(score) else -math.inf


class PopulationRecorder(Recorder):
    """The recorder of a sweep whose trials are members of a population, which pause, copy each other, and go on."""

    def on_trial_result(self, trial: Trial, result: dict[str, Any], **info: Any) -> None:
        number = trial.config["number"]
        if result.pop("anew", False) and number in self._running:
            # What it went through until now is another's: the rows that follow are the whole of it.
            self._running[number] = (self._running[number][0], {})
            self.listeners.started(number, trial.config["params"])
        super().on_trial_result(trial, result, **info)

    def on_trial_save(self, trial: Trial, **info: Any) -> None:
        # A copy goes on from the checkpoint before this one, unless it has done so already.
        for older in checkpoints(self.folder, trial.config["number"])[2:]:
            forget(self.folder, older)

    def on_trial_complete(self, trial: Trial, **info: Any) -> None:
        """Others may have to go on from its checkpoints yet; the sweep removes them at its end."""

    def _end(self, trial: Trial, ending: Ending) -> None:
        started, _ = self._running[trial.config["number"]]
        super()._end(trial, dataclasses.replace(ending, started=started))


def _values(training: Training) -> dict[str, float]:
    """What a schedule may change, by name; a held balance has no update ratio."""
    now = training.segments[0]
    unread = {"after", "update_ratio" if training.balance == "held" else "target_separability"}
    return {name: value for name, value in now._asdict().items() if name not in unread}


def _restore(member: _Member, before: list[str]) -> bool:
    """Continues from Ray's checkpoint, else from the newest whole one of those given; whether it is another member's.

    Ray's is the member's own or that of another one, to go on with other parameters; those given are its own of an
    earlier run.
    """
    own = tune.get_checkpoint()
    for checkpoint in [own] if own else before:
        try:
            return member.load_state(read_state(checkpoint), with_params=not own)
        except Exception:  # noqa: BLE001 (a checkpoint cut off in writing; there is an older one, or the beginning)
            continue
    return False
