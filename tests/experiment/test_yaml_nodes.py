import itertools
import time

import pytest
import yaml

from gansearch.experiment.yaml_nodes import RefusedYAML, check_size, faults

LOOP = "task: ./a.py:train\n"


@pytest.mark.parametrize(
    ("text", "path", "parts"),
    [
        ("search: {}\ntrials: 3\nsearch: {}", "search", ["twice, in lines 1 and 3"]),
        ("a:\n  b: 1\n  'b': 2\n  b: 3", "a.b", ["3 times, in lines 2, 3 and 4"]),
        ("search: {lr: {low: 0,1, high: 2}}", "search.lr.low", ["decimal comma", "write 0.1"]),
        ("trials: 010", "trials", ["begins with 0", "write 10"]),
        ("a: [1, -007]", "a[1]", ["begins with 0", "write -7"]),
        (
            LOOP + "search: {aug: {choices: [no, flip]}}",
            "search.aug.choices[0]",
            ["no (line 2)", "write false, or 'no'"],
        ),
        (LOOP + "params: {aug: On}", "params.aug", ["write true, or 'On'"]),
        ("search: {1: 2}", "search.1", ["write it in quotes"]),
        ("on: 2", "on", ["reads as bool"]),
        ("task: “ring”", "task", ["typographic quotes"]),
        ("training:\n  lr: 1\n  \u00a0gp: 2", "training.\u00a0gp", ["no-break space (line 3)"]),
    ],
)
def test_what_a_loader_drops_or_takes_otherwise_is_named_with_its_line(text, path, parts):
    found = faults(yaml.compose(text, yaml.SafeLoader))
    assert list(found) == [path]
    for part in parts:
        assert part in found[path]


@pytest.mark.parametrize(
    "text",
    [
        "search: {lr: {low: 0.1, high: 1, log: yes}}",
        "a: '010'\nb: 0\nc: 0.5\nd: 'no'",
        "a: &x {low: 1}\nb: {<<: *x, high: 2}\nc: *x",
        "task_options: {labels: {0: zero, 1: one}}",
        "evidence: {2: no}",
        "confirm: {default: no}",
        "[1, 2]",
    ],
)
def test_what_is_meant_as_it_is_read_is_no_fault(text):
    assert faults(yaml.compose(text, yaml.SafeLoader)) == {}


def bomb(link):
    """Ten levels of nine aliases each."""
    return "a: &a [x]\n" + "".join(
        f"{name}: &{name} {link.format(', '.join([f'*{before}'] * 9))}\n"
        for before, name in itertools.pairwise("abcdefghij")
    )


@pytest.mark.parametrize("link", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_multiply_are_refused_at_once(link):
    start = time.perf_counter()
    with pytest.raises(RefusedYAML, match="50,000 values"):
        check_size(yaml.compose(bomb(link), yaml.SafeLoader))
    assert time.perf_counter() - start < 5


def test_an_alias_that_contains_itself_is_refused():
    with pytest.raises(RefusedYAML, match="line 1 contains itself"):
        check_size(yaml.compose("a: &a [1, *a]", yaml.SafeLoader))
