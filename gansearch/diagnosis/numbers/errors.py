"""What cannot be read, as one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LogError(ValueError):
    """A log that cannot be read, or columns that it does not have, in one sentence for the user."""

    exit_status = 2


def called(file: str) -> str:
    """What a log is called in a sentence."""
    return "standard input" if file == "-" else file


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion with a leading space for a name that is not among those known, or an empty string."""
    by_lower = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), by_lower, 1, 0.5)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""
