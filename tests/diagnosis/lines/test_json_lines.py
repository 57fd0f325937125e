"""JSON lines."""

from math import inf

from gansearch.diagnosis.lines.json_lines import JsonLines, as_float, flattened, json_object


def test_nested_objects():
    found = flattened({"a": {"b": 1, "c": "0.5"}, "s": {"num": 2, "mean": 3, "std": 4}, "n": {"num": 0, "mean": 1}})
    assert found == {"a/b": 1, "a/c": 0.5, "s": 3, "s:std": 4}


def test_what_is_no_object_is_left_out():
    assert [json_object(line) for line in ("[1]", '{"a": 1', "x", " {} ")] == [None, None, None, {}]
    source = JsonLines()
    source.feed(['{"d": 1}', "warning", "", '{"d": [2]}', '{"d": tru'], range(5))
    assert source.records.column("d")[0].tolist() == [1, 2]
    assert source.notes() == ["2 lines are no JSON objects and left out."]


def test_integers_beyond_the_largest_float_are_infinite():
    assert flattened({"a": 10**400, "b": {"mean": 1, "std": 10**400}}) == {"a": inf, "b": 1, "b:std": inf}
    assert as_float(10**400) == -as_float(-(10**400)) == inf
