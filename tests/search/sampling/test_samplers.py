"""Samplers by name: their options, and what they draw in a study that goes on."""

import pytest

from gansearch.experiment import ExperimentError
from gansearch.search.sampling.samplers import make_sampler
from gansearch.search.sampling.searcher import open_study
from tests.search.studies import searcher_of


def test_a_sampler_that_starts_again_draws_other_points(folder, tiny):
    first = searcher_of(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
    second = searcher_of(open_study(folder, tiny()), tiny()).suggest("ray")["params"]["lr"]
    assert first != second


def test_a_sampler_takes_its_own_options(tiny):
    sampler = make_sampler(tiny(sampler={"name": "tpe", "n_startup_trials": 3, "multivariate": True}))
    asked = sampler._sampler  # behind the bound
    assert (asked._n_startup_trials, asked._multivariate) == (3, True)
    assert make_sampler(tiny(sampler={"name": "nsgaii", "mutation_prob": 1}))._population_size == 50


@pytest.mark.parametrize(
    ("sampler", "path", "part"),
    [
        ({"name": "tpe", "n_startup_trails": 3}, "sampler.n_startup_trails", 'did you mean "n_startup_trials"'),
        ({"name": "tpe", "n_startup_trials": 2.5}, "sampler.n_startup_trials", "must be int, not 2.5"),
        ({"name": "tpe", "n_startup_trials": True}, "sampler.n_startup_trials", "must be int, not True"),
        ({"name": "tpe", "seed": 1}, "sampler.seed", "not an option of tpe"),
        ({"name": "tpe", "gamma": "os.system"}, "sampler.gamma", "not an option of tpe"),
        ({"name": "random", "x": 1}, "sampler.x", "it has none"),
        ({"name": "nsgaii", "population_size": 1}, "sampler", "population_size"),
        ({"name": "qmc", "qmc_type": "sobel"}, "sampler", "sobel"),
    ],
)
def test_wrong_options_of_a_sampler_are_named(tiny, sampler, path, part):
    with pytest.raises(ExperimentError) as error:
        make_sampler(tiny(sampler=sampler))
    assert list(error.value.errors) == [path]
    assert part in error.value.errors[path]
