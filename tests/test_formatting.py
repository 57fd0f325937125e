"""Text for the report and the terminal."""

import json
import math

import pytest

from gansearch.formatting import (
    duration,
    error_line,
    fit,
    gpu_hours,
    many,
    number,
    readings,
    short,
    shown,
    shown_json,
    size,
    step_text,
    without_home,
    without_nan,
)


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (0.4, "0 s"), (119.6, "2 min 0 s"), (3700, "1 h 1 min")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.1235"), (math.nan, "–"), (None, "–"), (1000, "1000"), (10_000, "10,000")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("hours", "text"), [(0, "less than 0.01"), (0.25, "0.25"), (3.14, "3.1"), (40, "40"), (1234.5, "1,234")]
)
def test_gpu_hours_have_few_digits(hours: float, text: str) -> None:
    assert gpu_hours(hours) == f"{text} GPU-hours"


def test_readings_leave_out_what_was_not_measured() -> None:
    assert readings(0.8, 12.345) == ["stability 0.80", "distance 12.35"]
    assert readings(math.nan, 3.0) == ["distance 3"]
    assert readings(math.nan) == []


def test_sizes_in_words() -> None:
    assert (size(4.5e8), size(1.2e9)) == ("450 MB", "1.2 GB")


def test_one_is_not_many() -> None:
    assert [many(count, "trial") for count in (0, 1, 12_000)] == ["0 trials", "1 trial", "12,000 trials"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '  File "a.py", line 11, in quality\n    raise Bad("x")\nRuntimeError: the judge is out',
            "RuntimeError: the judge is out",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: one\n\n'
            "During handling of the above exception, another exception occurred:\n\n"
            'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    h()\na.Bad: two\nand more of it',
            "a.Bad: two",
        ),
        (
            "  File \"a.py\", line 1\n    f(\n     ^\nSyntaxError: '(' was never closed",
            "SyntaxError: '(' was never closed",
        ),
        ("diverged: loss_d is NaN", "diverged: loss_d is NaN"),
        ("RuntimeError: boom\nat x", "RuntimeError: boom"),
        ("", "no error is known"),
    ],
)
def test_an_error_is_shortened_to_its_exception(text: str, line: str) -> None:
    assert error_line(text) == line


def test_long_names_are_cut() -> None:
    assert short("digits") == "digits"
    assert len(short("a" * 40)) == 22


def test_strict_json_has_no_nan() -> None:
    data = {"a": [1.5, math.nan, {"b": math.inf}], "c": "NaN", "d": None}
    assert without_nan(data) == {"a": [1.5, None, {"b": None}], "c": "NaN", "d": None}


@pytest.mark.parametrize(
    ("text", "displayed"),
    [
        ("plain √ text\n\twith lines", "plain √ text\n\twith lines"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\rb\x08\x7f\x00", r"a\rb\x08\x7f\x00"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202etxt.exe\u2066\u200f\u2028", r"\u202etxt.exe\u2066\u200f\u2028"),
    ],
)
def test_escapes_are_displayed(text, displayed):
    assert shown(text) == displayed
    assert shown(displayed) == displayed
    assert json.loads(shown_json(json.dumps(text, ensure_ascii=False))) == text


def test_the_home_folder_is_a_tilde_where_it_is_part_of_a_path(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    kept = "/home/somebody2 /mnt/home/somebody AA/home/somebody/"
    assert (
        without_home(f"'/home/somebody/a' (/home/somebody) file:///home/somebody/b {kept}")
        == f"'~/a' (~) file://~/b {kept}"
    )
    monkeypatch.setenv("HOME", "/")
    assert without_home("/a") == "/a"


def test_text_that_no_file_could_hold_is_made_fit():
    data = {"caf\udce9": ["ü", ("\ud800", 1.5)], "a": None}
    assert fit(data) == {"caf\\udce9": ["ü", ("\\ud800", 1.5)], "a": None}


def test_steps_are_in_full_where_they_are_whole_or_large() -> None:
    assert [step_text(step) for step in (0, 1_185_550.0, 592_775.5, 10 / 3)] == ["0", "1,185,550", "592,776", "3.33333"]
    assert step_text(10 / 3, 4) == "3.333"
