"""How a study is chosen, and what its names and numbers become."""

import math

import pytest

from gansearch.experiment import Choices, Range
from gansearch.store.folder import StudyError
from gansearch.study.foreign.found import chosen, column, entry_of, is_number, measured, objective, pick


@pytest.mark.parametrize(
    ("source", "path", "choices"),
    [
        ("study.db", "study.db", {}),
        ("study.db?study=a b", "study.db", {"study": "a b"}),
        ("run?metric=fid&mode=max", "run", {"metric": "fid", "mode": "max"}),
        ("mysql://u:p@h/d?ssl=1&study=x", "mysql://u:p@h/d?ssl=1", {"study": "x"}),
        ("mysql://u:p@h/d?ssl=1", "mysql://u:p@h/d?ssl=1", {}),
    ],
)
def test_a_query_chooses_and_what_else_it_has_stays(source, path, choices):
    assert chosen(source) == (path, choices)


def test_the_only_one_is_taken_and_of_several_the_chosen_one():
    assert pick("f", "study", None, ["a"]) == "a"
    assert pick("f", "study", "b", ["a", "b"]) == "b"
    for name, names, part in [
        (None, [], "holds no study"),
        (None, ["a & b", "c"], r"choose one with 'f\?study=a%20%26%20b': a & b, c"),
        (None, ["celeba", "mnist"], r"choose one with 'f\?study=celeba': celeba, mnist"),
        ("celba", ["celeba", "mnist"], 'no study .celba.; did you mean "celeba"'),
    ]:
        with pytest.raises(StudyError, match=part):
            pick("f", "study", name, names)


def test_passwords_are_not_printed():
    with pytest.raises(StudyError) as error:
        pick("postgresql://me:hunter2@host/db", "study", None, ["a", "b"])
    assert "hunter2" not in str(error.value)


def test_a_parameter_with_the_name_of_a_column_has_another_one():
    assert column("lr") == "lr"
    assert column("update_ratio") == "update_ratio"
    assert column("stability") == "stability (parameter)"
    assert column("feasible") == "feasible (parameter)"
    assert column("fid", ["fid"]) == "fid (parameter)"
    assert [objective(name) for name in ("fid", "distance", "number")] == ["fid", "distance", "number (objective)"]


def test_only_what_a_number_of_ours_means_is_taken_for_it():
    given = {"stability": 0.5, "verdict": "balanced", "separability": "high", "updates": math.nan, "mine": 3}
    assert measured(given) == {"stability": 0.5, "verdict": "balanced"}
    assert measured({"verdict": "great", "stability": True}) == {}
    assert measured({"verdict": ["balanced"]}) == {}
    assert [is_number(value) for value in (1, 1.5, True, math.inf, "1", None)] == [True, True] + [False] * 4


def test_values_that_were_tried_are_a_range_or_choices():
    low = entry_of([1e-4, 1e-2, 1e-3])
    assert isinstance(low, Range)
    assert (low.low, low.high, low.log) == (1e-4, 1e-2, True)
    assert not entry_of([1, 2]).log
    mixed = entry_of(["hinge", None, "hinge", 2])
    assert isinstance(mixed, Choices)
    assert mixed.choices == ["hinge", None, 2]
