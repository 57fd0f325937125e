import pytest

from gansearch.experiment.words import (
    entry_hint,
    field_called,
    list_hint,
    number_hint,
    suggest,
    text_hint,
    unknown_field,
)

TRAINING = ["updates", "lr", "batch_size"]
SECTIONS = {"": ["name", "trials"], "training": TRAINING, "resources": ["gpus"]}


def test_other_names_of_a_field_and_names_of_none():
    names = ("d_lr", "D-LR", "n_critic", "lr", "width")
    assert [field_called(name) for name in names] == ["lr_d", "lr_d", "update_ratio", "lr", "width"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("learning_rate", "lr"),
        ("Learning-Rate", "lr"),
        ("epochs", "updates"),
        ("batch-size", "batch_size"),
        ("updats", "updates"),
        ("n_trials", "trials"),
        ("gpus", "resources.gpus"),
    ],
)
def test_a_field_is_known_by_its_other_names_and_in_other_sections(name, hint):
    assert unknown_field(name, TRAINING, SECTIONS) == f'; did you mean "{hint}"?'


def test_a_name_that_nobody_knows_has_the_allowed_ones():
    assert unknown_field("zzz", TRAINING, SECTIONS) == "; allowed: updates, lr, batch_size"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0,1", "0.1"),
        ("50%", "0.5"),
        ("2**6", "64"),
        ("10^-3", "0.001"),
        ("2k", "2000"),
        ("1\u22125", ""),
        ("1e\u22124", "0.0001"),
        ("2,000", "2000, without separators"),
        ("1'000'000", "1000000, without separators"),
        ("fast", ""),
        ("O.001", ""),
        ("0**-1", ""),
        ("10**999", ""),
    ],
)
def test_a_number_in_other_writing_is_read(text, number):
    assert number_hint(text) == (f"; write {number}" if number else "")


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        ({"min": 1, "max": 2}, "{low: 1, high: 2}"),
        ({"min": 1, "max": 2, "distribution": "log_uniform_values"}, "{low: 1, high: 2, log: true}"),
        ({"values": [1, 2]}, "{choices: [1, 2]}"),
        ({"loguniform": [1, 2]}, "{low: 1, high: 2, log: true}"),
        ({"lower": 1, "upper": 2, "q": 1}, "{low: 1, high: 2, step: 1}"),
        ({"type": "float", "low": 1, "high": 2}, "{low: 1, high: 2}"),
        ({"value": 0.5}, "the value alone, 0.5"),
        ({"low": 1, "high": 2, "log": True}, ""),
        ({"low": 1, "hig": 2}, ""),
        ({"choices": [1]}, ""),
    ],
)
def test_entries_of_other_programs_are_translated(entry, written):
    hint = entry_hint(entry)
    assert hint.endswith(f"; write {written}") if written else hint == ""


def test_what_a_list_or_a_text_may_be_meant_for():
    assert list_hint([1, 2]) == "a range is {low: 1, high: 2}, one of several values is {choices: [1, 2]}"
    assert list_hint(["a", "b"]) == "one of several values is {choices: [a, b]}"
    assert text_hint("loguniform(0.1, 2)") == "; a range is {low: 0.1, high: 2.0, log: true}"
    assert text_hint("fast") == ""


def test_near_misses_are_suggested():
    assert suggest("los", ["loss", "lr"]) == '; did you mean "loss"?'
    assert suggest("zzz", ["loss", "lr"]) == ""
