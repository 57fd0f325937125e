import pytest

from gansearch.experiment.entries import Choices, Range, as_searched, same, search_order, values_of


def test_values_are_named_by_the_ends_of_their_paths():
    assert values_of(Range(low=1, high=3)) == {".low": 1, ".high": 3}
    assert values_of(Choices(choices=["a", None])) == {".choices[0]": "a", ".choices[1]": None}
    assert values_of(0.5) == {"": 0.5}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [(1, 1.0, True), (True, 1, False), (0.1 + 0.2, 0.3, True), ([0.5, 1], (0.5, 1.0), True), ("a", 1, False)],
)
def test_values_are_equal_but_for_rounding(one, other, equal):
    assert same(one, other) is equal


def test_values_of_a_table_get_the_type_of_their_entry():
    assert as_searched(Range(low=1, high=9), 3.0) == 3
    assert isinstance(as_searched(Range(low=1, high=9), 3.0), int)
    assert isinstance(as_searched(Range(low=1.0, high=9), 3.0), float)
    assert as_searched(Choices(choices=[True, False]), True) is True
    assert isinstance(as_searched(Choices(choices=[2, 4]), 4.0), int)


def test_a_field_comes_after_its_conditions():
    search = {"a": Range(low=1, high=2, when={"b": 1}), "b": Range(low=1, high=2, when={"c": [1, 2]}), "c": 3}
    assert search_order(search) == ["c", "b", "a"]
    assert search["a"].holds({"b": 1.0}.get)
    assert not search["a"].holds({"b": 2}.get)
