"""Numbers as people say them."""

import math

import pytest

from gansearch.study.words import duration, number, short


@pytest.mark.parametrize(("seconds", "text"), [(None, "–"), (0.4, "0 s"), (119.6, "2 min 0 s"), (3700, "1 h 1 min")])
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.1235"), (math.nan, "–"), (None, "–"), (1000, "1000"), (10_000, "10,000")]
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_long_names_are_cut() -> None:
    assert short("digits") == "digits"
    assert len(short("a" * 40)) == 22
