"""A sampler's question is bounded: up to the bound nothing changes, beyond it the best and the newest are seen."""

import random

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from gansearch.search.sampling.history_window import HistoryWindow, best

SPACE = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
BOTH = ["maximize", "minimize"]


def a_trial(values, state=TrialState.COMPLETE, failed=0.0):
    params = {"x": random.random(), "y": random.random()}
    values = values if state is TrialState.COMPLETE else None
    return create_trial(state=state, values=values, params=params, distributions=SPACE, constraints={"failed": failed})


class Watching(BaseSampler):
    """Notes what it is shown; random otherwise."""

    def __init__(self):
        self.seen = []

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, name, distribution):
        assert study.directions  # all else is the study's own
        self.seen = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.RUNNING))
        return random.random()


@pytest.mark.parametrize("directions", [["minimize"], BOTH])
def test_up_to_the_bound_it_asks_as_the_sampler_does(directions):
    found = []
    for sampler in (TPESampler(seed=1), HistoryWindow(TPESampler(seed=1), 40)):
        study = optuna.create_study(directions=directions, sampler=sampler)
        for _ in range(40):
            trial = study.ask(SPACE)
            study.tell(trial, list(trial.params.values())[: len(directions)])
        found.append([trial.params for trial in study.trials])
    assert found[0] == found[1]


def test_beyond_it_the_best_the_newest_and_the_running_are_seen():
    watching = Watching()
    study = optuna.create_study(directions=BOTH, sampler=HistoryWindow(watching, 20))
    running = study.ask(SPACE)
    study.add_trials([a_trial([0.9, 0.1]), a_trial([0.8, 0.05])])  # good and old
    study.add_trials([a_trial([0.99, 0.01], failed=1.0)])  # better, but infeasible
    for _ in range(60):
        trial = study.ask(SPACE)
        assert len(watching.seen) <= 20 * 1.1 + 2  # and those that run
        study.tell(trial, [random.uniform(0, 0.5), random.uniform(0.5, 1)])
    seen = {trial.number for trial in watching.seen}
    assert {running.number, 1, 2} <= seen
    assert 3 not in seen
    assert set(range(len(study.trials) - 15, len(study.trials))) <= seen


def test_what_ran_while_others_were_left_out_is_seen_once_it_has_ended():
    watching = Watching()
    study = optuna.create_study(direction="minimize", sampler=HistoryWindow(watching, 20))
    slow = study.ask(SPACE)
    for _ in range(30):
        study.tell(study.ask(SPACE), 1.0)
    study.tell(slow, 0.0)
    study.ask(SPACE)
    assert slow.number in {trial.number for trial in watching.seen if trial.state is TrialState.COMPLETE}


def test_the_best_of_two_objectives_are_the_front_and_then_the_next():
    values = [[0.5, 3.0], [0.9, 2.0], [0.2, 1.0], [0.8, 2.5], [0.1, 4.0]]
    trials = [a_trial(pair) for pair in values]
    directions = [StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE]
    assert {tuple(t.values) for t in best(trials, directions, 2)} == {(0.9, 2.0), (0.2, 1.0)}
    assert {tuple(t.values) for t in best(trials, directions, 3)} == {(0.9, 2.0), (0.2, 1.0), (0.8, 2.5)}


def test_the_best_of_one_objective_are_the_smallest():
    trials = [a_trial([value]) for value in (3.0, 1.0, 2.0, 1.0)]
    assert [t.value for t in best(trials, [StudyDirection.MINIMIZE], 3)] == [1.0, 1.0, 2.0]
