import subprocess
import sys

import pytest

from gansearch.scripts.prepare.command import (
    fill_data,
    fill_pattern,
    fill_text,
    fill_words,
    hydra_value,
    text_of,
    with_whole_numbers,
)

UNCHANGED = [
    "two words",
    "it's",
    'say "x"',
    "$(touch x)",
    "`x`",
    "a\nb",
    "{x}",
    "${x}",
    "*",
    "a;b|c>d",
    "",
    "é",
    "\\",
    "-x",
]
"""Texts that reach a script as they are."""


def test_numbers_are_written_so_that_yaml_reads_numbers():
    given = [2e-05, 1e-05, -1e-05, 1.5e-07, 1e16, 0.001, 3, 0.0, True, [0.5, 0.999], "x"]
    assert [text_of(one) for one in given] == [
        *("2.0e-05", "1.0e-05", "-1.0e-05", "1.5e-07", "1.0e+16", "0.001", "3", "0.0", "True", "0.5,0.999", "x")
    ]


@pytest.mark.parametrize("text", UNCHANGED)
def test_a_value_reaches_the_script_as_one_word_unchanged(text):
    words = fill_words([sys.executable, "-c", "import sys; print(repr(sys.argv[1:]))", "{x}", "--x={x}"], {"x": text})
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == repr([text, f"--x={text}"])


def test_a_list_is_several_words_or_joined_by_commas():
    values = {"dims": [64, 128], "none": []}
    assert fill_words(["--dims", "{dims}", "--x={dims}", "{none}"], values) == ["--dims", "64", "128", "--x=64,128"]


def test_whole_numbers_of_a_list_are_written_so():
    values = {"dims": [64.0, 128.0], "betas": [0.0, 0.9], "lr": 1.0, "none": None}
    assert with_whole_numbers(values) == values
    assert fill_words(["{dims}", "{betas}", "{lr}"], with_whole_numbers(values)) == ["64", "128", "0.0", "0.9", "1.0"]


def test_without_a_value_the_word_goes_and_the_option_before_it():
    words = ["train.py", "--a", "{x}", "--b={x}", "-c", "1", "{x}", "--d", "{x:--e}", "p{x}q", "--f", "{y}"]
    assert fill_words(words, {"x": None, "y": 2}) == ["train.py", "-c", "1", "--d", "--f", "2"]


def test_a_switch_is_a_word_or_nothing_or_another_word():
    words = ["{amp:--amp}", "{amp:--amp:--no-amp}", "--mode={amp:fast:slow}"]
    assert fill_words(words, {"amp": True}) == ["--amp", "--amp", "--mode=fast"]
    assert fill_words(words, {"amp": False}) == ["--no-amp", "--mode=slow"]


def test_an_option_of_type_bool_is_given_an_empty_text_for_false():
    words = ["--amp={x}", "--amp", "{x}", "--other={x}", "--b", "{x}"]
    filled = fill_words(words, {"x": False}, {"--amp"})
    assert filled == ["--amp=", "--amp", "", "--other=False", "--b", "False"]
    assert fill_words(words[:3], {"x": True}, {"--amp"}) == ["--amp=True", "--amp", "True"]


def test_other_texts_and_data():
    values = {"lr": 2e-05, "n": None, "out": "/a b/[1]", "flag": True, "dims": [1, 2]}
    assert fill_text("{out}/x-{lr}{{}}", values) == "/a b/[1]/x-2.0e-05{}"
    assert fill_text("{out}/{n}", values) is None
    assert fill_pattern("{out}/events.*", values) == "/a b/[[]1]/events.*"
    data = {"lr": "{lr}", "more": ["{n}", "{dims}", 3, None], "text": "{flag:yes:no} {lr}", "flag": "{flag}"}
    filled = fill_data(data, values)
    assert filled == {"lr": 2e-05, "more": [None, [1, 2], 3, None], "text": "yes 2.0e-05", "flag": True}


@pytest.mark.parametrize(
    ("word", "value", "filled"),
    [
        ("a.lr={v}", 2e-05, "a.lr=2.0e-05"),
        ("+a={v}", True, "+a=true"),
        ("a={v}", "it's", "a='it\\'s'"),
        ("a={v}", "${x}", "a='\\${x}'"),
        ("a={v}", "end\\", "a='end\\\\'"),
        ("a={v}", "a\\b", "a='a\\b'"),
        ("a={v}/x", "end\\", "a='end\\/x'"),
        ("a={v}/x", 3, "a=3/x"),
        ("a=[{v},1]", "b c", "a=['b c',1]"),
        ("a={v}", [0.5, 0.999], "a=[0.5,0.999]"),
        ("a=${dir}/{v}", "${x}", "a='${dir}/\\${x}'"),
        ("--a={v}", "it's", "--a=it's"),
    ],
)
def test_words_for_hydra_are_written_by_its_grammar(word, value, filled):
    assert fill_words([word], {"v": value}, hydra=True) == [filled]
    assert fill_words(["a={v}"], {"v": None}, hydra=True) == []


@pytest.mark.parametrize(
    "value", [*UNCHANGED, "a\\'b", "\\\\", "\\${x}", "null", "1e-4", 2e-05, True, None, [1.5], ["a'"]]
)
def test_hydra_reads_what_is_written_for_it(value):
    parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
    omegaconf = pytest.importorskip("omegaconf")
    read = parser.OverridesParser.create().parse_override(f"a={hydra_value(value)}").value()
    config = omegaconf.OmegaConf.create({"a": getattr(read, "text", read)})
    assert omegaconf.OmegaConf.to_container(config, resolve=True)["a"] == value
