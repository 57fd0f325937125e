"""Suggests trials to Ray Tune from the Optuna study of a results folder, and tells the study how they ended.

The study and the records hold the state of a sweep. Nothing that Ray saves is needed to resume it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import optuna
from optuna.trial import TrialState
from ray.tune.search import Searcher

from gansearch.experiment import Experiment
from gansearch.search.sampling.journal import open_journal
from gansearch.search.sampling.objective import study_of, tell
from gansearch.search.sampling.prior import prior_centres
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.space import SearchSpace, key
from gansearch.search.sampling.stopping import Budget
from gansearch.store.folder import Folder
from gansearch.store.record import TrialRecord

_PRIOR = "prior"
"""The attribute of a study with the centres of its prior."""
_TRIES = 10
"""Suggestions of the sampler before it is overruled."""
_DRAWN_FROM = 1000
"""Untried configurations among which one is drawn."""


def open_study(folder: Folder, experiment: Experiment) -> optuna.Study:
    """Return the study in the folder's journal, made if there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = open_journal(folder.journal)
    names = optuna.get_all_study_names(storage)
    for name in names[1:]:  # a copy that a dead driver did not finish
        optuna.delete_study(study_name=name, storage=storage)
    study = study_of(storage, names[0] if names else experiment.folder, experiment.objective)
    trials = study.get_trials(deepcopy=False)
    if _PRIOR not in study.user_attrs and not trials:
        study.set_user_attr(_PRIOR, prior_centres(experiment))  # a resumed sweep has the same, whatever becomes of them
    study.sampler = make_sampler(experiment, len(trials), study.user_attrs.get(_PRIOR, []))
    return study


class LimitedSearcher(Searcher):
    """A searcher that has at most `most` trials under way, which may change, and that Tune need not save."""

    most: float = math.inf
    ahead: bool = True
    """Whether one more is suggested than fits, so that a slot that falls free has a trial that waits."""
    gpus: float | None = None
    """The share of a GPU of the trials to come; None leaves it as it was when they began."""
    fit: Sequence[str] = ()
    """Ray's ids of the nodes that are known to be fit."""

    @property
    def resources(self) -> dict[str, Any]:
        """What a config says of its trial's resources and nodes."""
        return {"fit": list(self.fit)} | ({} if self.gpus is None else {"gpus": self.gpus})

    def set_max_concurrency(self, max_concurrent: int) -> bool:
        """Leave Tune's own limit, which is fixed, aside."""
        return True

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the results folder holds the state of a sweep."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""


class StudySearcher(LimitedSearcher):
    """Asks the study for Tune's next trial while the budget lasts. `why` says why there is none any more.

    At most `most` trials are under way at once, which may change at any time.
    """

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        budget: Budget,
        own_checkpoints: Callable[[Sequence[str]], list[str]] = list,
    ):
        """Suggest configurations that no complete or pruned trial of the study has.

        `own_checkpoints` picks those of the checkpoints in the study that workers may read.
        """
        super().__init__()
        self.study = study
        self.space, self.experiment = space, space.experiment
        self.budget = budget
        self._own_checkpoints = own_checkpoints
        self.ahead = math.isinf(budget.total_time.hours)  # a trial that waits might begin too late
        self.why = ""
        self._asked: dict[int, tuple[optuna.Trial, int]] = {}
        self._known = {
            key(trial.params): trial.number
            for trial in study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])
            if "warm_start" not in trial.user_attrs  # another study's trial has no row here
        }

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the worker's config: number and params, and the checkpoints of the trial that it continues.

        Returns None while enough are under way, or these may use up the budget; they may also be pruned.
        """
        self.why = self.why or self.budget.over(self._under_way, self.most)
        if self.why:
            return self.FINISHED
        if len(self._asked) >= self.most or self.budget.remaining(self._under_way) <= 0:
            return None
        trial = self._new_trial()
        if trial is None:
            self.why = "every configuration of the space has been tried"
            return self.FINISHED
        self._known[key(trial.params)] = trial.number
        chosen = self.space.params(trial.params)
        updates = self.experiment.training.with_params(chosen).updates * self.experiment.most_replicas
        self._asked[trial.number] = (trial, updates)
        return {
            "number": trial.number,
            "params": chosen,
            # The sampler gives it to the storage, and the trial at hand was read before.
            "source": self.study.get_trials(deepcopy=False)[trial.number].user_attrs.get("source", ""),
            "checkpoints": self._own_checkpoints(trial.user_attrs.get("checkpoints", [])),
            **self.resources,
        }

    def tell(self, record: TrialRecord) -> None:
        """Tell the study and the budget how a trial ended."""
        trial, _ = self._asked.pop(record.number)
        tell(trial, record, self.experiment.objective)
        self.budget.ended(record)

    @property
    def _under_way(self) -> int:
        """The updates of trials that have not ended."""
        return sum(updates for _, updates in self._asked.values())

    def _new_trial(self) -> optuna.Trial | None:
        """Return a trial with an untried configuration; None where all have been tried.

        The same seeds would give the same result again. A sampler that repeats itself is asked a few times, then
        overruled by a random draw among the untried configurations.
        """
        for _ in range(_TRIES):
            trial = self._ask()
            if trial is not None:
                return trial
        configurations = self.space.grid()
        if configurations is None:  # all but impossible: a continuous parameter takes no value twice
            return self.space.ask(self.study)
        unseen = list(islice((c for c in configurations if key(c) not in self._known), _DRAWN_FROM))
        if not unseen:
            return None
        self.study.enqueue_trial(random.Random(len(self._known)).choice(unseen))
        trial = None
        while trial is None:  # others may be waiting before it
            trial = self._ask()
        return trial

    def _ask(self) -> optuna.Trial | None:
        """Return the study's next trial; None if its configuration was tried: it fails, which no sampler models."""
        trial = self.space.ask(self.study)
        earlier = self._known.get(key(trial.params))
        if earlier is None:
            return trial
        trial.set_user_attr("duplicate_of", earlier)
        self.study.tell(trial, state=TrialState.FAIL)
        return None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Do nothing: the recorder tells the study after it has written the trial's record."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the study: Tune pickles its searcher for a resumption that is not used."""
        return {"experiment": self.experiment}
