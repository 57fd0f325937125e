"""What a sweep refuses before it starts anything."""

import pytest

from gansearch.experiment import ExperimentError
from gansearch.gan import Task
from gansearch.search.check import check_search
from gansearch.search.errors import SweepError


def test_a_task_that_only_this_process_knows_is_refused(tiny, monkeypatch):
    monkeypatch.setattr("gansearch.gan.registry._TASKS", {"mine": Task})
    with pytest.raises(SweepError, match=r"only this process knows 'mine', .*task\.py:Task"):
        check_search(tiny().model_copy(update={"task": "mine"}))


def test_the_space_is_returned_where_nothing_is_wrong(tiny):
    assert list(check_search(tiny()).distributions) == ["lr", "betas"]
    with pytest.raises(ExperimentError, match="start_from"):
        check_search(tiny(start_from=[{"lr": 1.0}]))
    check_search(tiny(start_from=[{"lr": 1.0}]), new=False)


def test_a_number_that_is_text_starts_no_new_sweep(tiny):
    search = {"lr": {"choices": ["1e-4", "1e-3"]}}
    with pytest.raises(ExperimentError, match=r"search.lr.choices\[0\]: '1e-4' is text"):
        check_search(tiny(search=search))
    check_search(tiny(search=search), new=False)
