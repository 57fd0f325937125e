"""The sampler of balances as a search algorithm of Ray Tune."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import StudyDirection
from ray import cloudpickle
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch
from ray.tune.utils.util import flatten_dict, unflatten_dict

from gansearch.search.sampling.balance import BalanceSampler
from gansearch.search.sampling.objective import unhealthy

_MODES = {"min": StudyDirection.MINIMIZE, "max": StudyDirection.MAXIMIZE}
_Plain = int | float | str | bool | None


class BalanceSearch(Searcher):
    """Suggests configurations by `BalanceSampler`.

    `tune.TuneConfig(metric="fid", mode="min", search_alg=BalanceSearch())`

    It searches the domains of `param_space`: uniform, loguniform, randint and the like, choice, also nested. Where the
    results have the numbers of `monitor.metrics()`, balanced trials are preferred. A trial that raised, or whose metric
    is missing or no finite number, counts as the worst so far and as infeasible, so that its surroundings are avoided.
    """

    def __init__(
        self,
        metric: str | None = None,
        mode: str | None = None,
        seed: int | None = None,
        points_to_evaluate: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Search for the best `metric`, by default that of TuneConfig.

        Args:
            metric: The name of a number in the results.
            mode: Whether it is to be small or large, "min" or "max".
            seed: Of all suggestions; None for another one each time.
            points_to_evaluate: Configurations, or parts of such, that are tried first.
        """
        super().__init__(metric, mode)
        self._sampler, self._first = BalanceSampler(seed), list(points_to_evaluate)
        self._space: dict[str, BaseDistribution] = {}
        self._values: dict[str, dict[str, Any]] = {}  # of choices that are no plain values, by their texts
        self._study: optuna.Study | None = None
        self._running: dict[str, optuna.Trial] = {}  # by Tune's ids

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """Take the metric and the space of a Tuner; False where there was one before.

        Raises ValueError without a single metric and a mode, and for domains that Optuna does not have.
        """
        if self._study is not None:
            return False
        super().__init__(metric or self.metric, mode or self.mode)
        if not isinstance(self.metric, str) or self.mode not in _MODES:
            wanted = 'one metric and a mode, "min" or "max": tune.TuneConfig(metric="fid", mode="min")'
            raise ValueError(f"BalanceSearch needs {wanted}, not {self.metric!r} and {self.mode!r}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # choices that are lists or objects: Optuna gets their texts
            self._space = OptunaSearch.convert_search_space(config)
        if not self._space:
            raise ValueError(
                'BalanceSearch needs a range to search in param_space: {"lr": tune.loguniform(1e-5, 1e-2)}'
            )
        for name, dist in self._space.items():
            if isinstance(dist, CategoricalDistribution) and not all(isinstance(c, _Plain) for c in dist.choices):
                self._values[name] = {str(choice): choice for choice in dist.choices}
                self._space[name] = CategoricalDistribution([*self._values[name]])
        storage = optuna.storages.InMemoryStorage()  # which create_study would make with a line of its own
        self._study = optuna.create_study(storage=storage, sampler=self._sampler, direction=_MODES[self.mode])
        for point in self._first:
            flat = flatten_dict(dict(point))
            self._study.enqueue_trial({name: str(v) if name in self._values else v for name, v in flat.items()})
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Return the values of the next trial."""
        assert self._study is not None, "Tune sets the properties of the search first"
        trial = self._study.ask(self._space)
        self._running[trial_id] = trial
        decoded = {name: self._values[name][v] if name in self._values else v for name, v in trial.params.items()}
        suggested: dict[str, Any] = unflatten_dict(decoded)
        return suggested

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the study how a trial ended. One that it does not know is ignored."""
        if self._study is None or trial_id not in self._running:
            return
        trial, found = self._running.pop(trial_id), result or {}
        value: Any = found.get(self.metric)
        failed = error or not isinstance(value, Real) or not math.isfinite(value)
        trial.set_constraint("failed", float(failed))
        if not failed and "stability" in found:
            verdict = "balanced" if found.get("healthy") else None
            trial.set_constraint("unhealthy", unhealthy(verdict, found["stability"]))
        self._study.tell(trial, self._worst() if failed else float(value))

    def save(self, checkpoint_path: str) -> None:
        """Write all that was suggested, and what it came to, into Tune's file, which is a pickle."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Go on from Tune's file."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _worst(self) -> float:
        """Return the worst value of a trial so far, 0 before one."""
        assert self._study is not None
        complete = [trial for trial in self._study.get_trials(deepcopy=False) if trial.values]
        worst = max if self.mode == "min" else min
        return worst((trial.values[0] for trial in complete), default=0.0)
