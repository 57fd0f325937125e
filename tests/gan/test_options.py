import pytest

from gansearch.gan import TaskError
from gansearch.gan.options import one_of, option_error, positive


def test_an_error_names_its_option():
    error = option_error("path", "is missing")
    assert isinstance(error, TaskError)
    assert str(error) == "task_options.path: is missing"


def test_numbers_are_above_zero():
    positive(width=1, std=0.1)
    for value in (0, -1, float("nan")):
        with pytest.raises(TaskError, match=rf"task_options\.std: must be above 0, not {value}"):
            positive(width=1, std=value)


def test_a_choice_is_one_of_the_allowed_values():
    one_of("colour", True, (True, False, "auto"))
    with pytest.raises(TaskError, match=r"task_options\.colour: 'yes' is not one of true, false, auto$"):
        one_of("colour", "yes", (True, False, "auto"))
    with pytest.raises(TaskError, match='did you mean "auto"'):
        one_of("colour", "atuo", (True, False, "auto"))
