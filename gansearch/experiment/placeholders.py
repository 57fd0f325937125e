"""The `{name}` in the texts of a script's task, which a trial's values are put in place of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

RESERVED = ("out", "seed", "updates", "gpus", "gpu_ids", "port", "here", "python")
"""Names that every trial has, beside those that are searched and those under `params:`."""

_PART = re.compile(
    r"(?P<doubled>\{\{|\}\})|(?P<kept>\$\{(?:[^{}]|\{[^{}]*\})*\})"
    r"|\{(?P<name>[A-Za-z_][\w.-]*)(?::(?P<on>[^{}:]*))?(?::(?P<off>[^{}:]*))?\}|(?P<lone>[{}])"
)


@dataclass(frozen=True)
class Placeholder:
    """One `{name}`; or `{name:on:off}`, which is `on` where the value is true, and `off` where it is not."""

    name: str
    on: str | None = None
    off: str | None = None


def parts(text: str) -> list[str | Placeholder]:
    """Return a text in its parts: `{{` and `}}` are a brace, and `${…}` stays as it is.

    Raises:
        ValueError: A brace stands alone, or around what is no name.
    """
    found: list[str | Placeholder] = []
    end = 0
    for match in _PART.finditer(text):
        if match["lone"]:
            raise ValueError(
                f"has a {match['lone']} that is part of no {{name}}; write {match['lone'] * 2} for a brace"
            )
        found.append(text[end : match.start()])
        if match["name"]:
            found.append(Placeholder(match["name"], match["on"], match["off"]))
        else:
            found.append(match["kept"] or match["doubled"][0])
        end = match.end()
    found.append(text[end:])
    return _joined(found)


def only(text: str) -> Placeholder | None:
    """Return the placeholder that is the whole of a text; None where there is more, or none."""
    found = parts(text)
    return found[0] if len(found) == 1 and isinstance(found[0], Placeholder) else None


def names(data: Any) -> Iterator[str]:
    """Yield the names in the texts of plain data, keys included. Raises ValueError as `parts` does."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from names(key)
            yield from names(value)
    elif isinstance(data, list | tuple):
        for one in data:
            yield from names(one)
    elif isinstance(data, str):
        yield from (part.name for part in parts(data) if isinstance(part, Placeholder))


def _joined(found: list[str | Placeholder]) -> list[str | Placeholder]:
    """The same parts, with texts that follow each other in one, and without empty ones."""
    joined: list[str | Placeholder] = []
    for part in found:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return joined
