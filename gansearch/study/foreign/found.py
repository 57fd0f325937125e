"""What a study of somebody else holds, as its reader found it, and where it was said to be."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from gansearch.experiment import Choices, Entry, Range, masked
from gansearch.experiment.words import suggest
from gansearch.formatting import many
from gansearch.stability.verdict import VERDICTS
from gansearch.store.folder import StudyError
from gansearch.store.record import BALANCE, trial_columns

_OWN = {*trial_columns(()), "feasible"} - {*BALANCE}
"""Columns of ours, which no parameter can have the name of."""
_CHOICES = {"study", "metric", "mode"}


@dataclass(frozen=True)
class Found:
    """A study, read. A row is a trial that has ended: "number", "status", its parameters and what was measured."""

    source: str
    """What the user gave, without passwords."""
    name: str
    kind: str
    """What it is: an Optuna study, or a run of Ray Tune."""
    objectives: Mapping[str, bool]
    """The numbers that were optimised, the first one before the others, and whether it is minimised."""
    search: Mapping[str, Entry]
    rows: list[dict[str, Any]]
    remarks: list[str]
    """What was left out and what was not recorded, in sentences."""


def chosen(source: str) -> tuple[str, dict[str, str]]:
    """Return a path or a URL without what its query chooses, and {"study", "metric", "mode"} as far as it does."""
    path, question, query = source.rpartition("?")
    if not question:
        return source, {}
    pairs = parse_qsl(query, keep_blank_values=True)
    rest = urlencode([(name, value) for name, value in pairs if name not in _CHOICES])
    return path + (f"?{rest}" if rest else ""), {name: value for name, value in pairs if name in _CHOICES}


def pick(source: str, kind: str, name: str | None, names: Iterable[str]) -> str:
    """Return the one that is chosen, or the only one.

    Raises StudyError, which lists them, where there are none or several, or no such one.
    """
    names = [*names]
    if name in names:
        return name
    if name is None and len(names) == 1:
        return names[0]
    if not names:
        raise StudyError(f"{masked(source)}: holds no {kind}")
    listed = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
    if name is not None:
        raise StudyError(f"{masked(source)}: has no {kind} {name!r}{suggest(name, names)}; it has {listed}")
    one = shlex.quote(f"{masked(source)}?{kind}={quote(names[0], safe='')}")
    raise StudyError(f"{masked(source)}: has several; choose one with {one}: {listed}")


def column(name: str, taken: Iterable[str] = ()) -> str:
    """Return the column of a parameter, whose own name may be that of a column of ours or of an objective."""
    name = str(name)  # in a damaged file it may be anything
    return f"{name} (parameter)" if name in _OWN or name in taken else name


def objective(name: str) -> str:
    """Return the column of an objective; a stability and a distance are what we call so."""
    name = str(name)
    return f"{name} (objective)" if name in _OWN - {"stability", "distance"} else name


def measured(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a trial says under names of ours, as far as it is what these mean: a verdict, and numbers."""
    known = {name: given[name] for name in ("stability", *_NUMBERS) if is_number(given.get(name))}
    return {**known, **({"verdict": given["verdict"]} if given.get("verdict") in VERDICTS else {})}


_NUMBERS = ("separability", "saturated_right", "saturated_wrong", "referee_gap", "updates", "train_seconds")


def left_out(trials: int) -> str:
    """Return the remark on trials that have not ended."""
    return (
        f"{many(trials, 'trial')} of it {'waits or runs, and is' if trials == 1 else 'wait or run, and are'} left out."
    )


def scalar(value: Any) -> Any:
    """Return a value of a parameter as a table has it: lists and mappings as text."""
    return value if isinstance(value, int | float | str | bool | None) else json.dumps(value, default=str)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def entry_of(values: Iterable[Any]) -> Entry:
    """Return an entry of a search for values that were tried, where the space is not known."""
    values = [*values]
    if all(map(is_number, values)):
        low, high = min(values), max(values)
        return Range.model_construct(low=low, high=high, log=low > 0 and high > 10 * low)
    return Choices.model_construct(choices=list(dict.fromkeys(values)))
