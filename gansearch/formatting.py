"""Numbers and errors as people say them, for the report and the terminal."""

from __future__ import annotations

import math
from typing import Any


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def number(value: Any) -> str:
    """A cell of a table: four digits of a number, a dash where there is none."""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:,}"
    return "–" if value is None else str(value)


def many(count: int, noun: str) -> str:
    """So many of something: 1 trial, 12,000 trials."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def error_line(text: str) -> str:
    """An error in one line: of a traceback the exception, which stands behind the last frame; else its first line."""
    lines = text.strip("\n").splitlines()
    frames = [place for place, line in enumerate(lines) if line.startswith('  File "')]
    rest = lines[frames[-1] + 1 :] if frames else lines
    # The code of a frame is indented, the exception is not.
    said = (line.strip() for line in rest if not (frames and line.startswith(" ")))
    return next(filter(None, said), "no error is known")


def words(name: str | None) -> str:
    """A verdict as two words; what died before it had one has none."""
    return (name or "no verdict").replace("_", " ")


def short(text: str, most: int = 22) -> str:
    """A name in the room that a figure has for it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def without_nan(data: Any) -> Any:
    """Plain data for strict JSON, which has no NaN and no infinities: null in their place."""
    if isinstance(data, dict):
        return {key: without_nan(value) for key, value in data.items()}
    if isinstance(data, list):
        return [without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
