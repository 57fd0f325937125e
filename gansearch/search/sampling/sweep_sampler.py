"""The sampler of balances as a sweep uses it: its trials have the attributes that `objective` gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from gansearch.search.sampling.balance import BalanceSampler
from gansearch.search.sampling.objective import FIRST_RUNG
from gansearch.stability.verdict import HEALTHY


class SweepSampler(BalanceSampler):
    """Draws by the distance of a sweep's trials.

    A trial is healthy where its attribute `verdict` is. Prior and TPE are compared by the distances at the first rung:
    what ended before it, or has no number there, is the farthest.
    """

    _attribute = "source"
    _rest_is_even = True

    def __init__(self, centres: Sequence[Mapping[str, Any]] = (), seed: int = 0, **options: Any):
        """Draw from the prior around its `centres`: values of good configurations by parameter name."""
        super().__init__(seed, centres, **options)

    def _centres_for(self, earlier: Sequence[FrozenTrial]) -> list[Mapping[str, Any]]:
        return self._centres

    def _standing(self, trial: FrozenTrial, directions: Sequence[StudyDirection]) -> float:
        return float(trial.user_attrs.get(FIRST_RUNG, math.inf))

    def _healthy(self, trial: FrozenTrial) -> bool:
        return trial.user_attrs.get("verdict") in HEALTHY
