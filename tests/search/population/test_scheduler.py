"""Who copies whom, and within which values."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest

from gansearch.experiment import Choices
from gansearch.search.population.scheduler import Population
from tests.search.population.populations import PBT


def test_nobody_waits_for_an_exchange_that_cannot_come(make_tiny):
    population = Population(make_tiny(**PBT))
    waiting, late = _Member("PAUSED"), _Member("RUNNING")
    members = {id(waiting): (waiting, 1), id(late): (late, 0)}
    population._trial_state = _States(members)
    live = [waiting, late]
    controller = SimpleNamespace(get_live_trials=lambda: live, get_trials=lambda: live)
    assert population.choose_trial_to_run(controller) is None
    late.status = "ERROR"  # it died on its way to the exchange; Tune keeps it
    assert population.choose_trial_to_run(controller) is waiting


class _Member:
    """A trial of Ray Tune."""

    def __init__(self, status):
        self.status = status

    def is_finished(self):
        return self.status == "ERROR"


class _States:
    """Ray Tune's states of trials, by trial."""

    def __init__(self, members):
        self.members = members

    def __getitem__(self, trial):
        return SimpleNamespace(last_train_time=self.members[id(trial)][1])


def test_copies_stay_within_what_is_searched(make_tiny):
    population = Population(make_tiny(**PBT))
    config = {"number": 1, "checkpoints": [], "params": {"lr": 0.0119, "update_ratio": 2, "betas": [0, 0.9]}}
    assert population._within(config)["params"] == {"lr": 0.01, "update_ratio": 2, "betas": [0, 0.9]}
    assert isinstance(population._entries["update_ratio"], Choices)


def test_steps_are_kept_and_each_has_an_equal_share_of_what_is_drawn_anew(make_tiny):
    population = Population(make_tiny(**{**PBT, "search": {"update_ratio": {"low": 0.1, "high": 1, "step": 0.4}}}))
    config = {"number": 1, "checkpoints": [], "params": {"update_ratio": 1.2}}
    assert population._within(config)["params"]["update_ratio"] == pytest.approx(0.9)
    draw = population._hyperparam_mutations["params"]["update_ratio"]
    random.seed(0)
    drawn = Counter(round(draw(), 6) for _ in range(3000))
    assert sorted(drawn) == [0.1, 0.5, 0.9]
    assert min(drawn.values()) > 900
