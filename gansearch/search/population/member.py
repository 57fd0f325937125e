"""A member of a population, as its worker trains it.

A member's checkpoint holds all that it is: the trainer's state, with its random numbers, and the schedule that its
weights went through. A copy takes everything. All members have the same seed, so each one is its schedule, trained
from the start: `gansearch train` with that seed gives its samples bit for bit on a CPU.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator, Mapping, Sequence
from typing import Any, cast

from gansearch.experiment import Experiment, ExperimentError, Training, longest_pretraining
from gansearch.gan import Trainer
from gansearch.gan.probe_schedule import probe_updates
from gansearch.search.sampling.samplers import exchange
from gansearch.search.worker.run import Ending, Run
from gansearch.search.worker.seed import SeedJob, trainer_of
from gansearch.store.nan_json import from_json, to_json
from gansearch.store.record import Segment, parse, scheduled


def exchanges(experiment: Experiment) -> list[int]:
    """Return after which updates the members are compared: at a probe, every so many after the longest pretraining.

    Raises ExperimentError where there is none before the end.
    """
    updates, every = experiment.training.updates, exchange(experiment).perturbation_interval
    first, every = longest_pretraining(experiment.training, experiment.search), every or math.ceil(updates / 10)
    probes = [update for update in probe_updates(updates) if update < updates]
    nearest = (next((probe for probe in probes if probe >= due), None) for due in range(first + every, updates, every))
    updates_of_exchanges = list(dict.fromkeys(update for update in nearest if update is not None))
    if not updates_of_exchanges:
        raise ExperimentError(
            "experiment",
            {"sampler.perturbation_interval": f"leaves no exchange after {first} and before {updates} updates"},
        )
    return updates_of_exchanges


class Member(Run):
    """One member, from one exchange to the next or to its end. Tune pauses it at each, and starts it again.

    `params` are those that it trains with now. It reports them, and at an exchange its score, with a checkpoint.
    """

    checkpoint_required = True

    def __init__(
        self, experiment: Experiment, exchanges: Sequence[int], config: Mapping[str, Any], cpus: float, gpus: float
    ):
        """Start untrained; `exchanges` are the updates after which members are compared."""
        super().__init__(experiment, config, cpus, gpus)
        self.due = exchanges
        self.segments: list[Segment] = []
        self.exchanges = 0
        """Those that it, or the one that it is a copy of, has come through."""
        self.trained: dict[str, Any] = {}
        """The trainer's state in the checkpoint."""
        self.trainer: Trainer | None = None
        self.score = math.nan

    def train(self) -> Generator[bool, None, None]:
        """Train on; a checkpoint is due at each exchange."""
        try:
            self._extend_schedule()
            params = scheduled(self.params, self.segments)
            job = SeedJob(self.experiment, params, self.experiment.seed, self.cpus, self.gpus)
            self.trainer = trainer = cast(Trainer, trainer_of(job))
            if self.trained:
                trainer.load_state(self.trained)
            self.trained = {}
            for probe in trainer.run():
                self.rows.append({"seed": trainer.seed, **dataclasses.asdict(probe)})
                if trainer.updates in self.due and not trainer.stopped:
                    yield self._exchange(self._score(trainer))
                else:
                    yield False
            while trainer.stopped and self.exchanges < len(self.due):
                yield self._exchange(-math.inf)  # it has diverged, and waits to become a copy of another
            self.keep(trainer.result())
        except (Exception, SystemExit) as error:  # noqa: BLE001 (the user's code may raise anything)
            self.fail(error)

    def _exchange(self, score: float) -> bool:
        self.exchanges, self.score = self.exchanges + 1, score
        return True

    def status(self) -> dict[str, Any]:
        """Return what the scheduler needs; between two exchanges the score is NaN."""
        stability = None if self.trainer is None else self.trainer.stability
        status = {"params": to_json(self.params), "exchange": self.exchanges, "score": self.score}
        self.score = math.nan
        return {**status, "stability": stability}

    def state(self) -> dict[str, Any]:
        """Return the trainer's state and all that led to it."""
        assert self.trainer is not None
        plain = {name: getattr(self, name) for name in ("number", "params", "rows", "exchanges")}
        plain["segments"] = [segment.as_dict() for segment in self.segments]
        return {"member": to_json(plain), "trainer": self.trainer.state()}

    def load_state(self, state: Mapping[str, Any], resumed: bool = False) -> None:
        """Continue from a member's `state()`: of an earlier sweep with its parameters, else with one's own.

        Tune's checkpoint may be that of another member, to continue with other parameters. All its rows are reported
        then.
        """
        plain = from_json(state["member"])
        self.segments = [parse(Segment, segment) for segment in plain["segments"]]
        self.rows, self.exchanges, self.trained = plain["rows"], plain["exchanges"], state["trainer"]
        self.params = plain["params"] if resumed else self.params
        self.is_copy = plain["number"] != self.number
        self.reported = 0 if self.is_copy else len(self.rows)

    def ending(self) -> Ending:
        """Return what the member left. It began in an earlier leg, in another worker."""
        return self._ending(None, schedule=self.segments)

    def _extend_schedule(self) -> None:
        values = _values(self.experiment.training.with_params(self.params))
        if not self.segments or values != self.segments[-1].values:
            after = sum(self.trained["updates"]) if self.trained else 0
            self.segments = [*self.segments, Segment(after, **values)]

    def _score(self, trainer: Trainer) -> float:
        """Return the negative distance, or the stability where that is the objective; −∞ for no number."""
        draws = trainer.probe_draws.get_state()
        stability, distance = trainer.standing()
        trainer.probe_draws.set_state(draws)  # later probes draw what they would have drawn without an exchange
        score = stability if self.experiment.objective == "stability" else -distance
        return score if math.isfinite(score) else -math.inf


def _values(training: Training) -> dict[str, float]:
    """Return what a schedule may change, by name; a held balance has no update ratio."""
    now = training.segments[0]
    read = ("lr_d", "lr_g", "target_separability" if training.balance == "held" else "update_ratio")
    return {name: getattr(now, name) for name in read}
