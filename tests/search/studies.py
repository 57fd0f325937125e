"""Studies for tests: a searcher, the record of a trial, and a space with trials in it."""

from gansearch.search.sampling.searcher import StudySearcher
from gansearch.search.sampling.space import SearchSpace
from gansearch.search.sampling.stopping import Budget
from tests.synthetic import a_record

SEARCH = {
    "lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "loss": {"choices": ["non_saturating", "hinge", "wgan"]},
    "r1_gamma": {"choices": [0.0, 1.0], "when": {"loss": "hinge"}},
}


POINTS = (
    {"lr": 1e-3, "loss": "hinge", "r1_gamma": 1.0},
    {"lr": 2e-4, "loss": "wgan"},
    {"lr": 5e-3, "loss": "non_saturating", "status": "pruned"},
    {"lr": 8e-3, "loss": "non_saturating", "status": "failed"},
)


def record(number, status, stability=0.5, distance=1.0):
    error = "it broke" if status == "failed" else ""
    return a_record(number, status, "balanced", stability, distance, updates=40, error=error)


def searcher_of(study, experiment):
    return StudySearcher(study, SearchSpace(experiment), Budget(experiment))
