"""A trial's values as the words of a command, and in other texts."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from gansearch.experiment.placeholders import Placeholder, only, parts

Values = Mapping[str, Any]

_OVERRIDE = re.compile(r"(?:\+\+?)?[A-Za-z_][\w./@-]*=")
"""The beginning of a word that Hydra reads: `optimizer.lr=`."""
_STRUCTURE = re.compile(r"[\[\]{}()'\",]")
"""What makes more than one text of a value of Hydra's."""


def text_of(value: Any) -> str:
    """Return a value as text. A small number is `2.0e-05`: PyYAML, and so Hydra, reads `2e-05` as text."""
    if isinstance(value, float):
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    if isinstance(value, list | tuple):
        return ",".join(map(text_of, value))
    return str(value)


def with_whole_numbers(values: Values) -> dict[str, Any]:
    """Return values in which a list of whole numbers is written so: an experiment has 64 in a list as 64.0."""
    return {
        name: [int(one) for one in value]
        if isinstance(value, list) and all(isinstance(one, int | float) and one == int(one) for one in value)
        else value
        for name, value in values.items()
    }


def fill_text(text: str, values: Values) -> str | None:
    """Return a text with the values in it; None where one of them has none."""
    return _joined(parts(text), values, text_of)


def fill_data(data: Any, values: Values) -> Any:
    """Return plain data with the values in its texts. A text that is one `{name}` alone becomes the value itself."""
    if isinstance(data, Mapping):
        return {key: fill_data(one, values) for key, one in data.items()}
    if isinstance(data, list):
        return [fill_data(one, values) for one in data]
    if not isinstance(data, str):
        return data
    alone = only(data)
    return values[alone.name] if alone and alone.on is None else fill_text(data, values)


def fill_pattern(text: str, values: Values) -> str:
    """Return a pattern of paths, in which what the values hold stands for itself."""
    return _joined(parts(text), values, lambda value: glob.escape(text_of(value))) or ""


def fill_words(words: Sequence[str], values: Values, truths: Collection[str] = (), hydra: bool = False) -> list[str]:
    """Return the words with the values in them. What a value holds is never split, nor read by a shell.

    A list is several words where it is a whole one. Without a value the word goes, and so does the option before it.

    Args:
        words: The words of a command.
        values: The values by name; None is no value.
        truths: Options that take any text for true and the empty one for false, as argparse's `type=bool` does.
        hydra: Whether words `path=value` are read by Hydra's grammar.
    """
    filled: list[str] = []
    before = ""  # the word before, where it is an option
    for word in words:
        given, alone = values, only(word)
        if (word.partition("=")[0] if "=" in word else before) in truths:
            given = {name: "" if value is False else value for name, value in values.items()}
        if alone and alone.on is None and isinstance(given[alone.name], list | tuple):
            filled += map(text_of, given[alone.name])
        elif hydra and (override := _OVERRIDE.match(word)):
            text = _override(parts(word[override.end() :]), given)
            filled += [] if text is None else [override[0] + text]
        else:
            text = fill_text(word, given)
            if text is None and alone and alone.on is None and before:
                filled.pop()
            is_switch = alone is not None and alone.on is not None
            filled += [] if text is None or (is_switch and not text) else [text]
        before = word if word.startswith("-") and "{" not in word and "=" not in word else ""
    return filled


def hydra_value(value: Any) -> str:
    """Return a value as Hydra's grammar writes it: a text in single quotes, in which `${` is escaped."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(hydra_value, value))}]"
    return _quoted(_escaped(value)) if isinstance(value, str) else text_of(value)


def _override(pieces: Sequence[str | Placeholder], values: Values) -> str | None:
    """Return what stands behind `path=`; None without a value."""
    has_text = any(isinstance(values[p.name], str | list) for p in pieces if isinstance(p, Placeholder))
    literal = "".join(p for p in pieces if isinstance(p, str))
    if len(pieces) == 1 or not has_text or _STRUCTURE.search(re.sub(r"\$\{.*?\}", "", literal)):
        return _joined(pieces, values, hydra_value)
    inner = _joined(pieces, values, lambda value: _escaped(text_of(value)))
    return None if inner is None else _quoted(inner)


def _escaped(text: str) -> str:
    """A part of what stands in single quotes: backslashes are doubled before a quote and before `${`."""
    return re.sub(r"(\\*)('|\$\{)", r"\1\1\\\2", text)


def _quoted(inner: str) -> str:
    """A text in single quotes, at whose end backslashes are doubled."""
    return "'" + re.sub(r"(\\*)\Z", r"\1\1", inner, count=1) + "'"


def _joined(pieces: Sequence[str | Placeholder], values: Values, write: Callable[[Any], str]) -> str | None:
    """Return the pieces in one text; None where one has no value."""
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        value = values[piece.name]
        if value is None:
            return None
        texts.append(write(value) if piece.on is None else piece.on if value else piece.off or "")
    return "".join(texts)
