"""How the numbers of a column of texts are written, and texts of numbers like these."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

_MOST_PLACES = 18
_SCIENTIFIC = (1e-4, 1e16)
"""Numbers between these are written without an exponent, where a column has both."""
_AFFIXED = re.compile(r"[+-]?([$€£¥₹][\s\xa0]?)?[+-]?[\d.,'’\s\xa0\u202f]*\d([\s\xa0]?[%€$£])?")


@dataclass(frozen=True)
class Style:
    """The marks in the numbers of a column."""

    mark: str = "."
    """Before the decimals."""
    group: str = ""
    """Between thousands."""

    @cached_property
    def pattern(self) -> str:
        """What numbers in this style match. One that begins with a needless zero is a code."""
        mark, whole = re.escape(self.mark), r"(?:0|[1-9]\d*)"
        if self.group:
            whole = rf"(?:{whole}|[1-9]\d{{0,2}}(?:{re.escape(self.group)}\d{{3}})+)"
        return rf"^[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?$"

    def plain(self, text: str) -> str:
        """A number as Python writes it."""
        text = text.replace(self.group, "") if self.group else text
        return text.replace(self.mark, ".")

    def __str__(self) -> str:
        """What is unusual in it."""
        thousands = f"{self.group!r} between thousands" if self.group else ""
        return " and ".join(filter(None, ["a decimal comma" if self.mark == "," else "", thousands]))


POINT, COMMA = Style(), Style(",")
STYLES = tuple(
    Style(mark, group) for group in ("", ",", ".", "'", "’", " ", "\xa0", "\u202f") for mark in ".," if mark != group
)
"""The common one first."""


@dataclass(frozen=True)
class Writing:
    """How the values of a column are written."""

    style: Style = field(default_factory=Style)
    gap: str = ""
    """What stands where a value is missing."""
    places: tuple[int, int] = (0, 0)
    """Fewest and most decimals."""
    exponent: str = ""
    """`e` or `E` where numbers have one."""
    is_scientific: bool = False
    """Whether all numbers have it."""
    is_bare: bool = False
    """Whether numbers below 1 begin with the mark, as .5."""
    plus: bool = False
    """Whether positive numbers have a sign."""
    negative: str = "-{}"
    lead: str = ""
    """Before a number with its sign: the space behind a separator."""
    prefix: str = ""
    suffix: str = ""
    infinite: str = "inf"
    cut: int = 0
    """Characters at the end of a text that are not written."""
    zone: str = ""
    """What is written behind a text: the time zone of a time."""

    def text(self, value: Any) -> str:
        """A value of the column as it is written; None is a gap."""
        if value is None:
            return self.gap
        if isinstance(value, bool) or not isinstance(value, int | float):
            text = str(value)
            return text[: len(text) - self.cut] + self.zone
        size = self.infinite if math.isinf(value) else self._size(abs(value))
        body, is_zero = f"{self.prefix}{size}{self.suffix}", not size.strip("0.,eE+- ")
        if value < 0 and not is_zero:  # no -0.00
            return self.lead + self.negative.format(body)
        return f"{self.lead}{'+' * self.plus}{body}"

    def _size(self, value: float) -> str:
        low, high = self.places
        if self.exponent and (self.is_scientific or not (value == 0 or _SCIENTIFIC[0] <= value < _SCIENTIFIC[1])):
            mantissa, _, power = f"{value:.{high}e}".partition("e")
            return f"{_trimmed(mantissa, low)}{self.exponent}{power}".replace(".", self.style.mark)
        text = str(value) if isinstance(value, int) else np.format_float_positional(value, trim="-")
        if len(text.partition(".")[2]) > high:
            text = f"{value:.{high}f}"
        whole, _, decimals = _trimmed(text, low).partition(".")
        if self.is_bare and whole == "0" and decimals:
            whole = ""
        elif self.style.group:
            whole = f"{int(whole):,}".replace(",", self.style.group)
        return f"{whole}{self.style.mark}{decimals}" if decimals else whole


def _trimmed(text: str, fewest: int) -> str:
    """A number with as few decimals as say the same, but not fewer than these."""
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0").ljust(fewest, "0")
    return f"{whole}.{decimals}" if decimals else whole


def affixes(text: str) -> tuple[str, str]:
    """What stands before and behind a number: the sign of a currency, or per cent."""
    found = _AFFIXED.fullmatch(text)
    return (found.group(1) or "", found.group(2) or "") if found else ("", "")


def writing_of(numbers: Sequence[str], style: Style) -> Writing:
    """How different numbers in one style are written."""
    bodies = [number.partition("E" if "E" in number else "e")[0] for number in numbers]
    places = {len(body.partition(style.mark)[2]) for body in bodies}
    powers = [number for number, body in zip(numbers, bodies, strict=True) if number != body]
    positive = [number for number in numbers if number[0] != "-" and number.strip("0.,")]
    return Writing(
        style=style,
        places=(min(min(places), _MOST_PLACES), min(max(places), _MOST_PLACES)),
        exponent="" if not powers else "E" if "E" in powers[0] else "e",
        is_scientific=len(powers) == len(numbers),
        is_bare=any(number.lstrip("+-").startswith(style.mark) for number in numbers),
        plus=bool(positive) and all(number[0] == "+" for number in positive),
    )
