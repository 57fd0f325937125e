"""Text for the report and the terminal: numbers, durations, errors."""

from __future__ import annotations

import math
import os
import re
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Of ASCII and Latin-1 those that begin a terminal's commands; of Unicode those that reorder what is read."""


def duration(seconds: float | None) -> str:
    """Seconds as hours, minutes or seconds; a dash for None."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def number(value: Any) -> str:
    """The text of a cell: four digits of a number, a dash for NaN and None."""
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:,}"
    return "–" if value is None else str(value)


def step_text(step: float, digits: int = 6) -> str:
    """A step of a training: a whole or large one in full, another, such as a part of an epoch, in some digits."""
    return f"{step:,.0f}" if float(step).is_integer() or abs(step) >= 1e5 else f"{step:,.{digits}g}"


def readings(stability: float, distance: float = math.nan) -> list[str]:
    """What was measured of a run, in words: ["stability 0.80", "distance 12.3"], without what was not."""
    known = {f"stability {stability:.2f}": stability, f"distance {distance:.4g}": distance}
    return [text for text, value in known.items() if math.isfinite(value)]


def size(memory: float) -> str:
    """Bytes in MB or GB."""
    return f"{memory / 1e6:.0f} MB" if memory < 1e9 else f"{memory / 1e9:.3g} GB"


def gpu_hours(hours: float) -> str:
    """GPUs times hours, in two digits."""
    text = f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}" if hours >= 0.01 else "less than 0.01"
    return f"{text} GPU-hours"


def many(count: int, noun: str) -> str:
    """A count with its noun: 1 trial, 12,000 trials."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def error_line(text: str) -> str:
    """One line of an error: of a traceback the exception, which follows the last frame; otherwise the first line."""
    lines = text.strip("\n").splitlines()
    frames = [index for index, line in enumerate(lines) if line.startswith('  File "')]
    rest = lines[frames[-1] + 1 :] if frames else lines
    # The code of a frame is indented, the exception is not.
    candidates = (line.strip() for line in rest if not (frames and line.startswith(" ")))
    return next(filter(None, candidates), "no error is known")


def words(name: str | None) -> str:
    """A verdict without its underscores; a trial that failed before its first seed ended has none."""
    return (name or "no verdict").replace("_", " ")


def short(text: str, most: int = 22) -> str:
    """A text cut to at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def without_home(text: str) -> str:
    """A text with ~ in place of the user's home folder, which is part of paths."""
    home = os.path.expanduser("~")  # noqa: PTH111 (Path.home raises where a process has none)
    return (
        text
        if home in ("/", "~") or home not in text
        else re.sub(rf"(?:(?<![\w./+=~-])|(?<=://)){re.escape(home)}(?![\w.-])", "~", text)
    )


def shown(text: str) -> str:
    """A text with its control characters as escapes, so that no terminal obeys them; lines and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable(name: str) -> str:
    """A name in one line, with escapes for whatever a terminal cannot print, or would obey."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in name)


def shown_json(text: str) -> str:
    """The text of JSON with JSON's own escapes for them."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fit(data: Any) -> Any:
    """Plain data whose text can be written: lone surrogates, as of a file name in Latin-1, become their escapes."""
    if isinstance(data, str):
        return data if data.isascii() else data.encode(errors="backslashreplace").decode()
    if isinstance(data, dict):
        return {fit(key): fit(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(map(fit, data))
    return data


def without_nan(data: Any) -> Any:
    """Plain data with None for NaN and infinities, which strict JSON does not have."""
    if isinstance(data, dict):
        return {key: without_nan(value) for key, value in data.items()}
    if isinstance(data, list):
        return [without_nan(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
