import pytest

from gansearch.experiment import Experiment, ExperimentError, Range, scheduled_entries

SEARCH = {"lr": {"low": 1e-4, "high": 1e-2}}


def test_a_member_of_a_population_has_one_worker(errors):
    text = "{name: a, task: digits, sampler: pbt, resources: {workers: 2}, search: {lr: {low: 1e-4, high: 1e-2}}}"
    assert "one process" in errors(text)["resources"]


@pytest.mark.parametrize(
    ("fields", "path", "part"),
    [
        ({"search": {"ema": {"low": 0, "high": 0.9}}}, "search", "search one of them"),
        ({"trials": 1}, "trials", "1 is no population"),
        ({"replicas": 2}, "replicas", "must be 1 with sampler: pbt, not 2"),
        ({"limits": {"hours": 1}}, "limits.hours", "is not kept by sampler: pbt"),
        ({"limits": {"total_hours": 1}}, "limits.total_hours", "is not kept by sampler: pbt"),
        ({"stop_when_flat": 5}, "stop_when_flat", "has no meaning with sampler: pbt"),
        (
            {"training": {"schedule": [{"after": 9, "update_ratio": 2}]}},
            "training.schedule",
            "is what sampler",
        ),
        (
            {"search": {**SEARCH, "ema": {"low": 0, "high": 0.9, "when": {"lr": 1e-3}}}},
            "search.ema.when.lr",
            "changes during a run",
        ),
    ],
)
def test_fields_that_a_population_cannot_have_are_errors(fields, path, part):
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({"name": "a", "task": "digits", "sampler": "pbt", "search": SEARCH, **fields})
    assert part in caught.value.errors[path]


def test_scheduled_entries_are_searched_and_change_during_a_run():
    search = {"lr": Range(low=1, high=2), "ema": Range(low=0, high=0.9), "update_ratio": 2}
    assert list(scheduled_entries(search)) == ["lr"]
