"""What is expected around a configuration."""

import numpy as np

from gansearch.study.analysis.neighbourhood import neighbourhoods
from tests.study.analysis.test_choose import table


def test_a_neighbourhood_says_what_stability_is_left_beside_a_cliff() -> None:
    rates = np.geomspace(1e-5, 1e-1, 101)
    trials = table(*({"lr": lr, "stability": 0.9 if lr < 1e-3 else 0.1, "distance": 1.0} for lr in rates))
    flat, edge = neighbourhoods(trials, [20, 48]).values()
    assert flat is not None
    assert edge is not None
    assert flat.stability > 0.85
    assert edge.stability < 0.2


def test_a_neighbourhood_is_the_same_whichever_others_are_asked_for() -> None:
    rates = np.geomspace(1e-5, 1e-1, 101)
    trials = table(
        *({"lr": lr, "stability": 0.3 + 0.5 * np.cos(i) ** 2, "distance": 1.0 + i} for i, lr in enumerate(rates))
    )
    assert neighbourhoods(trials, [20, 48])[48] == neighbourhoods(trials, [48])[48]


def test_too_few_trials_tell_nothing_of_a_neighbourhood() -> None:
    trials = table(*({"lr": lr, "distance": 1.0} for lr in np.geomspace(1e-5, 1e-1, 9)))
    assert neighbourhoods(trials, [3]) == {3: None}
